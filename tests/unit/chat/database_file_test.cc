#include "agent/chat/database_file.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const DatabaseAddress kAddress{"127.0.0.1", 5432, "chat"};

TEST(DatabaseFileTest, SaysEverythingOnce) {
  EXPECT_EQ(RenderDatabaseFile(HostId("sql1"), kAddress, "user", "secret"),
            "-- Written by PointAt; the next one replaces it. Read when the server starts.\n"
            "baton_instance = \"sql1\"\n"
            "sql = {\n"
            "  driver = \"PostgreSQL\",\n"
            "  host = \"127.0.0.1\",\n"
            "  port = 5432,\n"
            "  database = \"chat\",\n"
            "  username = \"user\",\n"
            "  password = \"secret\",\n"
            "}\n");
}

TEST(DatabaseFileTest, PasswordCannotLeaveItsString) {
  const std::string text =
      RenderDatabaseFile(HostId("sql1"), kAddress, "user", "a\"b\\c\nbaton_instance = \"x\"");
  EXPECT_THAT(text, HasSubstr("password = \"a\\034b\\092c\\010baton_instance = \\034x\\034\","));
  const auto instance = ParseInstance(text);
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(*instance, HostId("sql1"));
}

TEST(DatabaseFileTest, InstanceIsReadBack) {
  const auto instance = ParseInstance(RenderDatabaseFile(HostId("dr-sql1"), kAddress, "u", "p"));
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(*instance, HostId("dr-sql1"));
}

TEST(DatabaseFileTest, RefusesTextsThatNameNoInstanceOrTwo) {
  for (const char* text :
       {"", "sql = {}\n", "baton_instance = \"\"\n", "baton_instance = \"a",
        "baton_instance = \"a\" .. \"b\"\n", "baton_instance = \"a\"\nbaton_instance = \"a\"\n"}) {
    EXPECT_EQ(ParseInstance(text).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST(DatabaseFileTest, FileOfAnotherHandIsNotBelieved) {
  test::FakeHost host;
  const auto config = MakeProsodyConfig(host.config);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(ReadInstance(*config).status().code(), absl::StatusCode::kNotFound);
  const auto text = DatabaseFileFor(*config, HostId("sql2"));
  ASSERT_TRUE(text.ok()) << text.status();
  host.Write("database.lua", *text);
  const auto instance = ReadInstance(*config);
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_EQ(*instance, HostId("sql2"));
  host.Write("database.lua", *text + "sql.host = \"10.0.0.1,10.0.0.2\"\n");
  const absl::Status changed = ReadInstance(*config).status();
  EXPECT_EQ(changed.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(changed.message()), HasSubstr("PointAt again"));
  EXPECT_THAT(std::string(changed.message()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace baton::chat
