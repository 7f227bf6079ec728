#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

#include "tests/style/rules.h"

namespace baton::style {
namespace {

constexpr std::array<std::string_view, 11> kTopLevel = {
    "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "CHANGELOG.md", "proto",
    "common",         "coordinator",       "agent",     "tests",   "deploy",
};
// Folders that building and developing leave behind; none of them is committed.
constexpr std::array<std::string_view, 3> kLeftBehind = {"build", "node_modules",
                                                         "compile_commands.json"};

}  // namespace

std::vector<Finding> CheckLeftovers(const SourceFile& file) {
  // Split, so that this file is not its own first finding.
  static const std::regex pattern(R"(\b(TO)"
                                  R"(DO(?!\([a-z][\w.-]*\))|FIX)"
                                  R"(ME|XX)"
                                  R"(X)\b)");
  std::vector<Finding> findings;
  int number = 0;
  for (const std::string& line : Lines(file.text)) {
    ++number;
    std::smatch match;
    if (!std::regex_search(line, match, pattern)) continue;
    findings.push_back(
        {file.path, number, match.str() + " names no owner; do it, or say who will"});
  }
  return findings;
}

std::vector<Finding> CheckTopLevel(const std::vector<std::string>& names) {
  std::vector<Finding> findings;
  for (const std::string& name : names) {
    const auto is_name = [&name](std::string_view known) { return known == name; };
    if (std::any_of(kTopLevel.begin(), kTopLevel.end(), is_name)) continue;
    if (std::any_of(kLeftBehind.begin(), kLeftBehind.end(), is_name)) continue;
    findings.push_back({name, 0, "does not belong at the top of the tree, which is fixed"});
  }
  return findings;
}

}  // namespace baton::style
