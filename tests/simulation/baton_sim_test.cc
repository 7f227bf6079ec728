// baton-sim as the program that people and CI run.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/os/process.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

RunResult Sim(const std::vector<std::string>& arguments) {
  RunOptions options;
  options.argv = {BATON_BIN_DIR "/baton-sim"};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.timeout = absl::Minutes(5);
  options.output_bytes_max = 16 << 20;
  const absl::StatusOr<RunResult> ended = Run(options);
  EXPECT_TRUE(ended.ok()) << ended.status();
  return ended.value_or(RunResult());
}

TEST(BatonSimTest, TellsTheStoryOfASeed) {
  const RunResult told = Sim({"--seed", "7"});
  EXPECT_EQ(told.exit_status, 0);
  EXPECT_THAT(told.output, HasSubstr("seed 7, "));
  EXPECT_THAT(told.output, ContainsRegex("Every rule holds: [0-9]+ plans succeeded, [0-9]+ "
                                         "messages acknowledged and none lost.\n$"));
  EXPECT_EQ(Sim({"--seed", "7"}).output, told.output);
}

TEST(BatonSimTest, WritesTheTraceOfASeed) {
  const std::string path = testing::TempDir() + "baton-sim-trace";
  EXPECT_EQ(Sim({"--seed", "7", "--trace", path}).exit_status, 0);
  std::ifstream file(path);
  std::stringstream trace;
  trace << file.rdbuf();
  EXPECT_THAT(trace.str(), AllOf(HasSubstr(" plan-admitted p1 adopt "), HasSubstr(" mended\n")));
  EXPECT_TRUE(std::filesystem::remove(path));
  const RunResult unwritten = Sim({"--seed", "7", "--trace", "/nowhere/at/all"});
  EXPECT_EQ(unwritten.exit_status, 2);
  EXPECT_THAT(unwritten.error, HasSubstr("cannot write /nowhere/at/all"));
}

TEST(BatonSimTest, CountsTheSeedsThatPass) {
  const RunResult counted = Sim({"--seeds", "1..20", "--jobs", "2"});
  EXPECT_EQ(counted.exit_status, 0);
  EXPECT_THAT(counted.output, AllOf(Not(HasSubstr("BROKEN")), EndsWith("\n20 passed, 0 failed\n")));
}

TEST(BatonSimTest, ShrinksTheFirstSeedThatFails) {
  const RunResult caught = Sim({"--seeds", "1..60", "--mutation", "supervisor-ignores-fence"});
  EXPECT_EQ(caught.exit_status, 1);
  EXPECT_THAT(caught.output, ContainsRegex("seed [0-9]+ breaks supervisor: "));
  EXPECT_THAT(caught.output,
              ContainsRegex("seed [0-9]+ fails; of its [0-9]+ faults [0-9]+ are enough:\n"));
  EXPECT_THAT(caught.output, HasSubstr("The build is broken on purpose: the supervisor does not "
                                       "look at the fence.\n"));
  EXPECT_THAT(caught.output, HasSubstr("\nBROKEN  "));
  EXPECT_THAT(caught.output, ContainsRegex("\n[0-9]+ passed, [1-9][0-9]* failed\n$"));
}

TEST(BatonSimTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(Sim({}).exit_status, 2);
  EXPECT_EQ(Sim({"--seeds", "9..1"}).exit_status, 2);
  EXPECT_EQ(Sim({"--seed", "1", "--mutation", "dances"}).exit_status, 2);
}

}  // namespace
}  // namespace baton
