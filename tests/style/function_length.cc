#include <cctype>
#include <regex>
#include <string_view>

#include "tests/style/rules.h"

namespace baton::style {
namespace {

enum class Scope { kOuter, kFunction, kOther };  // kOuter: functions may be defined in it

// What opens with a brace in an outer scope, from the text before it since the last statement.
Scope Classify(std::string_view head) {
  static const std::regex outer(
      R"(^\s*(template\b.*)?(inline\s+)?(namespace|class|struct|union|extern)\b)");
  static const std::regex enumeration(R"(\benum\b)");
  int depth = 0;
  bool assigns = false;
  bool parameters = false;
  for (size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '(') ++depth;
    if (c == ')') --depth;
    parameters |= c == ')';
    const bool names_operator = head.substr(0, i).find("operator") != std::string_view::npos;
    if (c == '=' && depth == 0 && !names_operator) assigns = true;
  }
  const std::string text(head);
  if (assigns || std::regex_search(text, enumeration)) return Scope::kOther;
  if (parameters) return Scope::kFunction;
  if (std::regex_search(text, outer)) return Scope::kOuter;
  return Scope::kOther;
}

class Scanner {
 public:
  explicit Scanner(const SourceFile& file) : file_(file), code_(BareCode(file.text)) {}

  std::vector<Finding> Run() {
    for (const char c : code_) Take(c);
    return std::move(findings_);
  }

 private:
  struct Open {
    Scope scope;
    int line;
    std::string head;
  };

  void Take(char c) {
    if (c == '\n') {
      ++line_;
      directive_ = false;
    }
    if (c == '#') directive_ = true;
    if (directive_) return;
    if (c == '{') {
      const bool inside = !open_.empty() && open_.back().scope != Scope::kOuter;
      open_.push_back(
          {inside ? Scope::kOther : Classify(head_), head_line_ ? head_line_ : line_, head_});
    } else if (c == '}' && !open_.empty()) {
      Close(open_.back());
      open_.pop_back();
    } else if (c != ';') {
      if (head_.empty() && !std::isspace(static_cast<unsigned char>(c))) head_line_ = line_;
      if (!head_.empty() || head_line_ == line_) head_ += c == '\n' ? ' ' : c;
      return;
    }
    head_.clear();
    head_line_ = 0;
  }

  void Close(const Open& open) {
    const int length = line_ - open.line + 1;
    if (open.scope != Scope::kFunction || length <= kFunctionLinesMax) return;
    findings_.push_back({file_.path, open.line,
                         "a function of " + std::to_string(length) + " lines (" +
                             open.head.substr(0, 60) + "); at most " +
                             std::to_string(kFunctionLinesMax) + " are wanted"});
  }

  const SourceFile& file_;
  const std::string code_;
  int line_ = 1;
  bool directive_ = false;
  std::string head_;
  int head_line_ = 0;
  std::vector<Open> open_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckFunctionLength(const SourceFile& file) { return Scanner(file).Run(); }

}  // namespace baton::style
