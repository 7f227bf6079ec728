#include "agent/database/server_view.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/database/postgresql_connection.h"

namespace baton::postgresql {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMegabyte = 1 << 20;

TEST(SettingsTest, AreSilentAboutSafeOnes) {
  EXPECT_THAT(JudgeSettings({{"fsync", "on", ""},
                             {"synchronous_commit", "remote_apply", ""},
                             {"archive_mode", "always", ""},
                             {"archive_command", "baton-guard archive-push r %p", ""},
                             {"wal_level", "logical", ""},
                             {"work_mem", "4MB", ""}}),
              IsEmpty());
}

TEST(SettingsTest, NameWhatIsUnsafeAndWhatIsWanted) {
  EXPECT_THAT(JudgeSettings({{"fsync", "off", ""}}),
              AllOf(HasSubstr("fsync"), HasSubstr("\"off\""), HasSubstr("wanted on")));
  EXPECT_THAT(JudgeSettings({{"archive_command", "", ""}}), HasSubstr("archive_command"));
  EXPECT_THAT(JudgeSettings({{"wal_level", "minimal", ""}}), HasSubstr("wal_level"));
  EXPECT_THAT(JudgeSettings({{"restart_after_crash", "on", ""}}), HasSubstr("past the gate"));
}

TEST(SettingsTest, NameWhomAWeakerCommitAppliesTo) {
  for (const char* value : {"off", "local", "remote_write"}) {
    EXPECT_THAT(JudgeSettings({{"synchronous_commit", value, "role chat"}}),
                AllOf(HasSubstr("role chat"), HasSubstr(value)));
  }
}

TEST(SettingsTest, ReportAllFindings) {
  EXPECT_THAT(JudgeSettings({{"fsync", "off", ""}, {"full_page_writes", "off", ""}}),
              AllOf(HasSubstr("fsync"), HasSubstr("full_page_writes")));
}

TEST(EndpointTest, RefusesNamesThatWouldHaveToBeLookedUp) {
  ResourceConfig config;
  config.resource = ResourceId("mgc");
  config.engine = {{"address", "db.example"},
                   {"port", "5432"},
                   {"user", "baton"},
                   {"password_file", "/p"},
                   {"database", "chat"}};
  EXPECT_TRUE(absl::IsInvalidArgument(EndpointOf(config).status()));
  config.engine["address"] = "127.0.0.1";
  EXPECT_TRUE(EndpointOf(config).ok());
  config.engine["address"] = "/run/postgresql";
  EXPECT_TRUE(EndpointOf(config).ok());
  config.engine.erase("user");
  EXPECT_FALSE(EndpointOf(config).ok());
}

TEST(ProcessTitleTest, IsEmptyForNoProcess) {
  EXPECT_THAT(ProcessTitle(0), IsEmpty());
  EXPECT_THAT(ProcessTitle(-1), IsEmpty());
}

}  // namespace
}  // namespace baton::postgresql
