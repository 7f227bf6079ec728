#include "agent/chat/control_client.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

using ::testing::HasSubstr;

constexpr char kWhole[] =
    "accepting=yes\nusers=2\nsessions=3\nauthenticated=3\nrooms=1\noccupants=3\n"
    "instance=sql1\ndatabase_host=127.0.0.1\ndatabase_port=5432\ndatabase_connected=yes\n";

TEST(ChatStatusTest, ReadsWhatTheServerSays) {
  const auto status = ParseChatStatus(kWhole);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->accepting);
  EXPECT_EQ(status->users, 2u);
  EXPECT_EQ(status->sessions, 3u);
  EXPECT_EQ(status->rooms, 1u);
  EXPECT_EQ(status->instance, "sql1");
  EXPECT_TRUE(status->database_connected);
}

TEST(ChatStatusTest, PassesOverWhatANewerServerAdds) {
  EXPECT_TRUE(ParseChatStatus(std::string("motto=a=b\n") + kWhole).ok());
  EXPECT_TRUE(ParseChatStatus(absl::StrReplaceAll(kWhole, {{"instance=sql1", "instance="}})).ok());
}

TEST(ChatStatusTest, NamesWhatIsMissingOrNotUnderstood) {
  const std::pair<const char*, const char*> changes[] = {{"accepting=yes", "accepting=maybe"},
                                                         {"users=2", "users=-2"},
                                                         {"sessions=3", "sessions="},
                                                         {"rooms=1\n", ""},
                                                         {"instance=sql1\n", ""}};
  for (const auto& [from, to] : changes) {
    const auto status = ParseChatStatus(absl::StrReplaceAll(kWhole, {{from, to}}));
    EXPECT_EQ(status.status().code(), absl::StatusCode::kDataLoss) << to;
    const std::string key = std::string(from).substr(0, std::string(from).find('='));
    EXPECT_THAT(std::string(status.status().message()), HasSubstr(key));
  }
  EXPECT_FALSE(ParseChatStatus("").ok());
  EXPECT_FALSE(ParseChatStatus("\n=\n==\n").ok());
}

TEST(ControlClientTest, NobodyListeningIsUnavailable) {
  test::FakeHost host;
  const auto server = host.Server();
  EXPECT_EQ(server.control().Status(absl::Seconds(5)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ControlClientTest, MissingSecretIsNamed) {
  test::FakeHost host;
  const ControlClient client(1, host.folder + "/none");
  const absl::Status status = client.Drain(absl::Seconds(5)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/none"));
}

}  // namespace
}  // namespace baton::chat
