#include "agent/chat/prosody_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

using ::testing::HasSubstr;

TEST(DatabaseAddressTest, TakesOneServer) {
  const auto address = ParseDatabaseAddress("127.0.0.1:5432/chat");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(*address, (DatabaseAddress{"127.0.0.1", 5432, "chat"}));
  const auto named = ParseDatabaseAddress("sql-1.example:65535/mgc");
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->host, "sql-1.example");
  const auto bracketed = ParseDatabaseAddress("[::1]:5432/chat");
  ASSERT_TRUE(bracketed.ok()) << bracketed.status();
  EXPECT_EQ(bracketed->host, "::1");
}

TEST(DatabaseAddressTest, RefusesListsAndWhateverLibpqWouldExpand) {
  for (const char* text : {"",
                           "host",
                           "host:5432",
                           "host/chat",
                           ":5432/chat",
                           "host:/chat",
                           "host:0/chat",
                           "host:65536/chat",
                           "host:5432/",
                           "a,b:5432/chat",
                           "a:1,b:2/chat",
                           "a:1/chat,b:2/chat",
                           "host:5432/host=a",
                           "host:5432/postgresql://a,b/chat",
                           "host:5432/chat?target=x",
                           "host:5432/ch at",
                           "/run/socket:5432/chat",
                           "::1:5432/chat",
                           "[]:5432/chat",
                           "host\n:5432/chat"}) {
    EXPECT_FALSE(ParseDatabaseAddress(text).ok()) << text;
  }
  EXPECT_THAT(std::string(ParseDatabaseAddress("a:1,b:2/chat").status().message()),
              HasSubstr("without the epoch"));
}

TEST(ProsodyConfigTest, ReadsEveryKey) {
  test::FakeHost host;
  const auto config = MakeProsodyConfig(host.config);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->host, HostId("chat1"));
  EXPECT_EQ(config->instances.size(), 2u);
  EXPECT_EQ(config->instances.at(HostId("sql2")).host, "127.0.0.2");
  EXPECT_EQ(config->canary_room, "canary@rooms.chat.example");
}

TEST(ProsodyConfigTest, NamesTheKeyThatIsMissing) {
  for (const char* key : {"address", "c2s_port", "domain", "muc_domain", "control_port",
                          "token_file", "database_file", "database_user", "database_password_file",
                          "canary_jid", "canary_password_file", "canary_room"}) {
    test::FakeHost host;
    host.config.engine.erase(key);
    const auto config = MakeProsodyConfig(host.config);
    ASSERT_EQ(config.status().code(), absl::StatusCode::kFailedPrecondition) << key;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(key));
  }
  test::FakeHost host;
  host.config.engine.erase("instance.sql1");
  host.config.engine.erase("instance.sql2");
  EXPECT_THAT(std::string(MakeProsodyConfig(host.config).status().message()),
              HasSubstr("prosody.instance.HOST"));
}

TEST(ProsodyConfigTest, RefusesValuesThatAreNotUnderstood) {
  const std::pair<const char*, const char*> wrong[] = {
      {"address", "chat.example"},    {"c2s_port", "0"},
      {"control_port", "http"},       {"domain", "a b"},
      {"muc_domain", "x'><y"},        {"instance.sql1", "a:1,b:2/chat"},
      {"canary_jid", "chat.example"}, {"canary_room", "room@"},
  };
  for (const auto& [key, value] : wrong) {
    test::FakeHost host;
    host.config.engine[key] = value;
    const auto config = MakeProsodyConfig(host.config);
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(key));
  }
}

TEST(SecretTest, IsTheFirstLine) {
  test::FakeHost host;
  host.Write("secret", "it's\r\nmore\n");
  const auto secret = ReadSecret(host.folder + "/secret");
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(*secret, "it's");
  host.Write("secret", "\nmore\n");
  EXPECT_EQ(ReadSecret(host.folder + "/secret").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadSecret(host.folder + "/none").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace baton::chat
