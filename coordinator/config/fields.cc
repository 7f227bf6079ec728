#include "coordinator/config/fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace baton {
namespace {

constexpr size_t kNameBytesMax = 253;
constexpr size_t kWordsToldMax = 12;

// How many letters to change, add or remove to make `b` of `a`; both short.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string RemedyForUnknownKey(std::string_view key, const std::vector<std::string>& known) {
  if (key.size() <= 40) {
    for (const std::string& candidate : known) {
      if (Distance(key, candidate) <= 2) return absl::StrCat("did you mean ", candidate, "?");
    }
  }
  return "remove it";
}

}  // namespace

std::string OneOf(const std::vector<std::string>& values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i == kWordsToldMax) return absl::StrCat(text, ", ...");
    if (i > 0) absl::StrAppend(&text, i + 1 == values.size() ? " or " : ", ");
    absl::StrAppend(&text, values[i]);
  }
  return text.empty() ? "none (there is none)" : text;
}

std::string WrongInName(std::string_view name) {
  if (name.empty()) return "an empty name";
  if (name.size() > kNameBytesMax) return absl::StrCat("a name of ", name.size(), " bytes");
  if (!absl::ascii_isalnum(name.front())) return Quoted(name);
  for (const unsigned char c : name) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '_' && c != '-') {
      return Quoted(name);
    }
  }
  return "";
}

Fields::Fields(const YamlNode& node, std::string what,
               std::initializer_list<std::string_view> known, Problems& problems)
    : node_(node), what_(std::move(what)), problems_(problems) {
  std::vector<std::string> keys(known.begin(), known.end());
  if (node.kind != YamlNode::Kind::kMap) {
    problems_.Add({node.line, what_, node.Describe(), "a mapping",
                   absl::StrCat("give it its keys: ", OneOf(keys))});
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
    problems_.Add({key.line, what_, absl::StrCat("the unknown key ", key.Describe()), OneOf(keys),
                   RemedyForUnknownKey(key.scalar, keys)});
  }
}

int Fields::LineOf(std::string_view key) const {
  const YamlNode* value = node_.Find(key);
  return value == nullptr ? node_.line : value->line;
}

void Fields::Report(int line, std::string_view key, std::string found, std::string wanted,
                    std::string remedy) const {
  problems_.Add({line, absl::StrCat(what_, ": ", std::string(key)), std::move(found),
                 std::move(wanted), std::move(remedy)});
}

const YamlNode* Fields::Required(std::string_view key, std::string_view wanted) const {
  const YamlNode* value = node_.Find(key);
  if (value == nullptr && node_.kind == YamlNode::Kind::kMap) {
    Report(node_.line, key, "nothing", std::string(wanted),
           absl::StrCat("add \"", std::string(key), ": …\""));
  }
  return value;
}

std::optional<std::string> Fields::Text(std::string_view key, bool required) const {
  const YamlNode* value = required ? Required(key, "a value") : Optional(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != YamlNode::Kind::kScalar || value->scalar.empty()) {
    Report(value->line, key, value->Describe(), "a value", "write one behind the colon");
    return std::nullopt;
  }
  return value->scalar;
}

std::optional<std::string> Fields::Name(std::string_view key, bool required) const {
  std::optional<std::string> text = Text(key, required);
  if (!text.has_value()) return std::nullopt;
  if (std::string wrong = WrongInName(*text); !wrong.empty()) {
    Report(LineOf(key), key, wrong, "letters, digits, '.', '_' and '-', at most 253", "rename it");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> Fields::Word(std::string_view key, bool required,
                                        const std::vector<std::string>& values,
                                        const std::vector<NotBuilt>& not_built) const {
  std::optional<std::string> text = Text(key, required);
  if (!text.has_value()) return std::nullopt;
  if (std::find(values.begin(), values.end(), *text) != values.end()) return text;
  for (const NotBuilt& word : not_built) {
    if (*text != word.word) continue;
    Report(LineOf(key), key, node_.Find(key)->Describe(), OneOf(values),
           absl::StrCat("this version of Baton can't ", std::string(word.sentence)));
    return std::nullopt;
  }
  Report(LineOf(key), key, node_.Find(key)->Describe(), OneOf(values),
         absl::StrCat("write ", values.size() == 1 ? "that" : "one of them"));
  return std::nullopt;
}

bool Fields::Flag(std::string_view key) const {
  const std::optional<std::string> text = Word(key, false, {"true", "false"});
  return text == "true";
}

int Fields::Number(std::string_view key, int otherwise, int smallest, int largest) const {
  const YamlNode* value = Optional(key);
  if (value == nullptr) return otherwise;
  int number = 0;
  if (value->kind != YamlNode::Kind::kScalar || !absl::SimpleAtoi(value->scalar, &number) ||
      number < smallest || number > largest) {
    Report(value->line, key, value->Describe(),
           absl::StrCat("a whole number from ", smallest, " to ", largest), "correct it");
    return otherwise;
  }
  return number;
}

absl::Duration Fields::Time(std::string_view key, absl::Duration otherwise) const {
  const YamlNode* value = Optional(key);
  if (value == nullptr) return otherwise;
  absl::Duration time;
  if (value->kind != YamlNode::Kind::kScalar || !absl::ParseDuration(value->scalar, &time) ||
      time <= absl::ZeroDuration() || time > absl::Hours(7 * 24)) {
    Report(value->line, key, value->Describe(), "a time above 0 and up to 168h",
           "write a number and its unit: 500ms, 30s, 5m, 1h30m");
    return otherwise;
  }
  return time;
}

std::vector<const YamlNode*> Fields::List(std::string_view key, bool required) const {
  const YamlNode* value = required ? Required(key, "a list") : Optional(key);
  std::vector<const YamlNode*> found;
  if (value == nullptr) return found;
  if (value->kind != YamlNode::Kind::kSequence) {
    Report(value->line, key, value->Describe(), "a list", "begin each entry with \"- \"");
    return found;
  }
  for (const YamlNode& item : value->items) found.push_back(&item);
  return found;
}

std::vector<std::pair<std::string, const YamlNode*>> Fields::Named(std::string_view key,
                                                                   bool required) const {
  const YamlNode* value = required ? Required(key, "a mapping of names") : Optional(key);
  std::vector<std::pair<std::string, const YamlNode*>> found;
  if (value == nullptr) return found;
  if (value->kind != YamlNode::Kind::kMap) {
    Report(value->line, key, value->Describe(), "a mapping of names",
           "write a line \"name: {…}\" for each");
    return found;
  }
  for (const auto& [name, entry] : value->entries) {
    if (std::string wrong = WrongInName(name.scalar); !wrong.empty()) {
      Report(name.line, key, wrong, "letters, digits, '.', '_' and '-', at most 253", "rename it");
      continue;
    }
    found.emplace_back(name.scalar, &entry);
  }
  return found;
}

}  // namespace baton
