#include "coordinator/config/yaml_tree.h"

#include <exception>
#include <map>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"
#include "yaml-cpp/parser.h"

namespace baton {
namespace {

constexpr size_t kTextBytesMax = 1 << 20;
constexpr size_t kDepthMax = 16;
constexpr size_t kNodesMax = 100'000;

// Leaves the parser from within an event; never leaves this file.
struct Stop : std::exception {
  explicit Stop(Problem p) : problem(std::move(p)) {}
  Problem problem;
};

// Builds the tree from the parser's events. Depth and size are checked in the event, which the
// parser sends before it descends, so its own recursion is bounded too.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Problems& problems) : problems_(problems) { stack_.push_back({}); }

  // The document's root; nothing when the text held no document.
  std::optional<YamlNode> Take() {
    std::vector<YamlNode>& items = stack_.front().node.items;
    if (items.empty()) return std::nullopt;
    return std::move(items.front());
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Stop({mark.line + 1, "this file", "a second document", "one", "remove it"});
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Accept(MakeNode(YamlNode::Kind::kNull, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseAnchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = MakeNode(YamlNode::Kind::kScalar, mark, tag, anchor);
    node.scalar = value;
    Accept(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Descend(MakeNode(YamlNode::Kind::kSequence, mark, tag, anchor));
  }
  void OnSequenceEnd() override { Ascend(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Descend(MakeNode(YamlNode::Kind::kMap, mark, tag, anchor));
  }
  void OnMapEnd() override { Ascend(); }

 private:
  struct Level {
    YamlNode node;                // the root's holder is a sequence
    std::optional<YamlNode> key;  // read, its value not yet
    std::map<std::string, int> lines_of_keys;
  };

  YamlNode MakeNode(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                    YAML::anchor_t anchor) {
    if (anchor != 0) RefuseAnchor(mark);
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Stop({mark.line + 1, "this value", absl::StrCat("the tag ", Quoted(tag)), "none",
                  "remove it"});
    }
    if (++nodes_ > kNodesMax) {
      throw Stop({mark.line + 1, "this file", absl::StrCat("more than ", kNodesMax, " values"),
                  "fewer", "split the installation"});
    }
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }

  [[noreturn]] void RefuseAnchor(const YAML::Mark& mark) {
    throw Stop({mark.line + 1, "this value", "an anchor (&) or alias (*)", "the value itself",
                "write it out: a topology is read by people under stress"});
  }

  void Descend(YamlNode node) {
    if (stack_.size() > kDepthMax) {
      throw Stop({node.line, "this value", absl::StrCat("more than ", kDepthMax, " levels"),
                  "fewer", "see the sample topology for the shape"});
    }
    stack_.push_back({std::move(node), std::nullopt, {}});
  }

  void Ascend() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    Accept(std::move(node));
  }

  void Accept(YamlNode node) {
    Level& level = stack_.back();
    if (level.node.kind != YamlNode::Kind::kMap) {
      level.node.items.push_back(std::move(node));
    } else if (level.key.has_value()) {
      level.node.entries.emplace_back(std::move(*level.key), std::move(node));
      level.key.reset();
    } else {
      AcceptKey(level, std::move(node));
    }
  }

  void AcceptKey(Level& level, YamlNode key) {
    if (key.kind != YamlNode::Kind::kScalar) {
      throw Stop({key.line, "this key", key.Describe(), "a name", "write \"name: value\""});
    }
    const auto [first, is_new] = level.lines_of_keys.emplace(key.scalar, key.line);
    if (!is_new) {
      problems_.Add({key.line, absl::StrCat("key ", Quoted(key.scalar)),
                     absl::StrCat("it a second time (first in line ", first->second, ")"),
                     "each key once", "remove one of the two"});
    }
    level.key = std::move(key);
  }

  Problems& problems_;
  std::vector<Level> stack_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

// False, with a problem added, for what is too long or holds bytes that no text file has.
bool CheckText(std::string_view text, Problems& problems) {
  if (text.size() > kTextBytesMax) {
    problems.Add({0, "this file", absl::StrCat(text.size(), " bytes"),
                  absl::StrCat("at most ", kTextBytesMax), "split the installation"});
    return false;
  }
  int line = 1;
  for (const unsigned char c : text) {
    if (c == '\n') ++line;
    if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f || c >= 0xfe) {
      problems.Add({line, "this line", absl::StrCat("the byte 0x", absl::Hex(c, absl::kZeroPad2)),
                    "UTF-8 text", "save the file as UTF-8 without control characters"});
      return false;
    }
  }
  return true;
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

std::string YamlNode::Describe() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return Quoted(scalar);
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a mapping";
  }
  return "nothing";
}

std::optional<YamlNode> ParseYaml(std::string_view text, Problems& problems) {
  if (!CheckText(text, problems)) return std::nullopt;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    Builder builder(problems);
    while (parser.HandleNextDocument(builder)) {
    }
    std::optional<YamlNode> root = builder.Take();
    if (!root.has_value()) {
      problems.Add({0, "this file", "nothing in it", "a topology",
                    "start from the sample deploy/config/topology.yaml"});
    }
    return root;
  } catch (const Stop& stop) {
    problems.Add(stop.problem);
  } catch (const YAML::Exception& error) {
    problems.Add({error.mark.is_null() ? 0 : error.mark.line + 1, "this line",
                  absl::StrCat("no YAML (", error.msg, ")"), "YAML",
                  "look at indentation, colons, quotes and brackets here and above"});
  } catch (const std::exception& error) {
    problems.Add({0, "this file", absl::StrCat("no YAML (", error.what(), ")"), "YAML",
                  "look at indentation, colons, quotes and brackets"});
  }
  return std::nullopt;
}

}  // namespace baton
