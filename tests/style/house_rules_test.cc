// The tree as it stands keeps the house rules.
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/style/rules.h"
#include "tests/style/source_tree.h"

namespace baton::style {
namespace {

const std::string kRoot = BATON_SOURCE_DIR;

using Rule = std::vector<Finding> (*)(const SourceFile&);

std::string Broken(Rule rule, const std::vector<std::string>& endings) {
  std::vector<Finding> all;
  for (const SourceFile& file : ReadTree(kRoot, endings)) {
    for (const Finding& finding : rule(file)) all.push_back(finding);
  }
  return Report(all);
}

TEST(HouseRulesTest, TheTreeWasFound) { EXPECT_GT(ReadTree(kRoot, {".h", ".cc"}).size(), 50u); }

TEST(HouseRulesTest, FilesIncludeOnlyWhatStandsBeforeThem) {
  EXPECT_EQ(Broken(CheckIncludes, {".h", ".cc"}), "");
}

TEST(HouseRulesTest, NothingBannedIsCalled) {
  EXPECT_EQ(Broken(CheckBannedCalls, {".h", ".cc"}), "");
}

TEST(HouseRulesTest, FunctionsAreShort) {
  EXPECT_EQ(Broken(CheckFunctionLength, {".h", ".cc"}), "");
}

TEST(HouseRulesTest, NoWorkIsLeftToNobody) {
  EXPECT_EQ(Broken(CheckLeftovers, {".h", ".cc", ".proto", ".py", ".sh", ".lua", ".txt", ".md"}),
            "");
}

TEST(HouseRulesTest, TheTopLevelIsFixed) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot)) {
    const std::string name = entry.path().filename().string();
    if (name.front() != '.') names.push_back(name);
  }
  EXPECT_EQ(Report(CheckTopLevel(names)), "");
}

}  // namespace
}  // namespace baton::style
