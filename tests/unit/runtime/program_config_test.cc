#include "common/runtime/program_config.h"

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProgramConfigTest : public testing::Test {
 protected:
  ProgramConfigTest() {
    config_.Text("listen", &listen_, /*required=*/true);
    config_.Path("journal", &journal_);
    config_.List("coordinator", &coordinators_);
    config_.Duration("report_interval", &interval_);
    config_.Flag("quiet", &quiet_);
  }
  ~ProgramConfigTest() override { std::remove(file_.c_str()); }

  absl::Status ReadText(const std::string& text) {
    std::ofstream(file_) << text;
    return config_.Read(file_);
  }

  std::string file_ = testing::TempDir() + "program_config_test.conf";
  ProgramConfig config_{"sample.conf"};
  std::string listen_;
  std::string journal_ = "/default";
  std::vector<std::string> coordinators_;
  absl::Duration interval_ = absl::Seconds(1);
  bool quiet_ = false;
};

TEST_F(ProgramConfigTest, FillsInWhatTheFileGivesAndKeepsDefaults) {
  ASSERT_TRUE(ReadText("# comment\n\nlisten = 127.0.0.1:1\ncoordinator = a:1 b:2\n"
                       "report_interval = 250ms\nquiet = true\n")
                  .ok());
  EXPECT_EQ(listen_, "127.0.0.1:1");
  EXPECT_EQ(journal_, "/default");
  EXPECT_THAT(coordinators_, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(interval_, absl::Milliseconds(250));
  EXPECT_TRUE(quiet_);
}

TEST_F(ProgramConfigTest, NamesFileLineFoundAndWanted) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"listen = x\nfoo = 1\n", ":2: found unknown key \"foo\", wanted one that sample.conf shows"},
      {"listen = x\nlisten = y\n", ":2: found \"listen\" again"},
      {"listen\n", ":1: found \"listen\", wanted key = value"},
      {"journal = rel\n", ":1: \"journal\": found \"rel\", wanted an absolute path"},
      {"report_interval = -1s\n", "wanted a duration"},
      {"quiet = yes\n", "wanted true or false"},
      {"quiet = true\n", "found no \"listen\""},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = ReadText(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_THAT(std::string(status.message()), HasSubstr(file_));
  }
}

TEST_F(ProgramConfigTest, AnAbsentFileIsNotFound) {
  EXPECT_EQ(config_.Read("/nonexistent/x.conf").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace baton
