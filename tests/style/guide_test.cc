// The operator's guide names every rule by which the planner refuses, and no other.
#include <regex>
#include <set>
#include <string>

#include "gtest/gtest.h"

#include "tests/style/source_tree.h"

namespace baton::style {
namespace {

const std::string kRoot = BATON_SOURCE_DIR;

// What the first group of `pattern` matches in `text`, each once.
std::set<std::string> Found(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), wanted), end; at != end; ++at) {
    names.insert((*at)[1]);
  }
  return names;
}

// Rules are the only words of the planner that are written like this.
std::set<std::string> RulesOfThePlanner() {
  std::set<std::string> rules;
  for (const SourceFile& file : ReadTree(kRoot, {".h", ".cc"})) {
    if (Under(file.path, "coordinator/planner")) {
      rules.merge(Found(file.text, "\"([A-Z_]+)\""));
    }
  }
  return rules;
}

// Of the tables that say what a refusal means: the names in their first column.
std::set<std::string> RulesOfTheGuide() {
  std::set<std::string> rules;
  for (const SourceFile& file : ReadTree(kRoot, {".md"})) {
    if (file.path != "deploy/GUIDE.md") continue;
    bool here = false;
    for (const std::string& line : Lines(file.text)) {
      if (line.starts_with("## ")) here = line == "## What a refusal means";
      if (!here || !line.starts_with("| `")) continue;
      rules.merge(Found(line.substr(0, line.find('|', 1)), "`([A-Z_]+)`"));
    }
  }
  return rules;
}

std::string Without(const std::set<std::string>& all, const std::set<std::string>& some) {
  std::string left;
  for (const std::string& name : all) {
    if (!some.contains(name)) left += name + " ";
  }
  return left;
}

TEST(GuideTest, RulesAreFoundInBothPlaces) {
  EXPECT_GT(RulesOfThePlanner().size(), 40u);
  EXPECT_GT(RulesOfTheGuide().size(), 40u);
}

TEST(GuideTest, SaysOfEveryRuleWhatToDo) {
  EXPECT_EQ(Without(RulesOfThePlanner(), RulesOfTheGuide()), "");
}

TEST(GuideTest, SpeaksOfNoRuleThatDoesNotExist) {
  EXPECT_EQ(Without(RulesOfTheGuide(), RulesOfThePlanner()), "");
}

}  // namespace
}  // namespace baton::style
