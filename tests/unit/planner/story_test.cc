// The planner's stories. BATON_REWRITE_GOLDEN=1 writes what the planner says now into the files;
// the difference is then for a reviewer to judge.
#include "tests/unit/planner/story.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

namespace baton::testing {
namespace {

const std::filesystem::path kStories =
    std::filesystem::path(BATON_SOURCE_DIR) / "coordinator/planner/testdata";

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kStories)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path().stem().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The story with what it prints now: lines that begin with "| " are output and are made anew.
std::string Retell(const std::string& text) {
  Story story;
  std::string told;
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("|", 0) == 0) continue;
    told += line + "\n";
    std::istringstream printed(story.Run(line));
    std::string each;
    while (std::getline(printed, each)) told += "| " + each + "\n";
  }
  return told;
}

class StoryTest : public ::testing::TestWithParam<std::string> {};

TEST_P(StoryTest, IsToldAsWritten) {
  const std::filesystem::path path = kStories / (GetParam() + ".txt");
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  const std::string told = Retell(written.str());
  if (std::getenv("BATON_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << told;
    return;
  }
  EXPECT_EQ(told.find("BROKEN"), std::string::npos) << told;
  EXPECT_EQ(told, written.str()) << "to accept: BATON_REWRITE_GOLDEN=1 and review the difference";
}

INSTANTIATE_TEST_SUITE_P(All, StoryTest, ::testing::ValuesIn(Files()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace baton::testing
