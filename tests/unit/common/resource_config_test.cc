#include "common/protocol/resource_config.h"

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kDatabase[] = R"(# a database
resource = mgc
pool = chat.example.com
host = home-sql1
kind = database
engine = postgresql
command = /usr/bin/postgres  -D /data -c config_file=/etc/pg.conf
data_directory = /data
run_directory = /run/baton
fence_file = /var/lib/baton/fence
share = home
share.home = /mnt/home
share.dr = /mnt/dr
copy_destination = /copied

stop_timeout = 45s
postgresql.port = 5432
)";

std::string MessageOf(const std::string& text) {
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(text, "mgc.conf");
  EXPECT_TRUE(absl::IsInvalidArgument(config.status())) << text;
  return std::string(config.status().message());
}

std::string With(const std::string& old_line, const std::string& new_line) {
  std::string text = kDatabase;
  EXPECT_EQ(absl::StrReplaceAll({{old_line, new_line}}, &text), 1) << old_line;
  return text;
}

TEST(ResourceConfigTest, ReadsADatabase) {
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(kDatabase, "mgc.conf");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->resource, ResourceId("mgc"));
  EXPECT_EQ(config->kind, ResourceKind::kDatabase);
  EXPECT_EQ(config->manager, ServiceManagerKind::kDirect);
  EXPECT_THAT(config->command,
              ElementsAre("/usr/bin/postgres", "-D", "/data", "-c", "config_file=/etc/pg.conf"));
  EXPECT_EQ(config->shares.at(ShareId("dr")), "/mnt/dr");
  EXPECT_EQ(config->boot_id_file, "/proc/sys/kernel/random/boot_id");
  EXPECT_EQ(config->stop_timeout, absl::Seconds(45));
  EXPECT_EQ(config->share_timeout, absl::Seconds(10));
  EXPECT_EQ(*config->Engine("port"), "5432");
}

TEST(ResourceConfigTest, ReadsTheSampleFile) {
  std::ifstream file(BATON_SOURCE_DIR "/deploy/config/resource.conf");
  std::stringstream text;
  text << file.rdbuf();
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(text.str(), "resource.conf");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->engine_name, "postgresql");
}

TEST(ResourceConfigTest, NamesAMissingEngineKey) {
  const absl::StatusOr<ResourceConfig> config = ParseResourceConfig(kDatabase, "mgc.conf");
  ASSERT_TRUE(config.ok());
  const absl::StatusOr<std::string> user = config->Engine("user");
  EXPECT_TRUE(absl::IsFailedPrecondition(user.status()));
  EXPECT_THAT(std::string(user.status().message()),
              AllOf(HasSubstr("mgc"), HasSubstr("postgresql.user")));
}

TEST(ResourceConfigTest, ErrorsNameFileLineFoundAndWanted) {
  EXPECT_THAT(MessageOf(With("kind = database", "kind = databse")),
              AllOf(HasSubstr("mgc.conf:5"), HasSubstr("databse"), HasSubstr("database or chat")));
  EXPECT_THAT(MessageOf(With("stop_timeout = 45s", "stop_timeout = 45")),
              AllOf(HasSubstr("mgc.conf:16"), HasSubstr("\"45\""), HasSubstr("unit")));
  EXPECT_THAT(MessageOf(With("postgresql.port = 5432", "postgresql.port = 70000")),
              AllOf(HasSubstr("mgc.conf:17"), HasSubstr("70000"), HasSubstr("65535")));
}

TEST(ResourceConfigTest, RefusesUnknownDoubledAndForeignKeys) {
  EXPECT_THAT(MessageOf(absl::StrCat(kDatabase, "colour = red\n")),
              AllOf(HasSubstr("mgc.conf:18"), HasSubstr("colour")));
  EXPECT_THAT(MessageOf(absl::StrCat(kDatabase, "postgresql.colour = red\n")),
              HasSubstr("postgresql.colour"));
  EXPECT_THAT(MessageOf(absl::StrCat(kDatabase, "host = other\n")),
              AllOf(HasSubstr("mgc.conf:18"), HasSubstr("wanted it once")));
  EXPECT_THAT(MessageOf(absl::StrCat(kDatabase, "prosody.c2s_port = 5222\n")),
              AllOf(HasSubstr("mgc.conf:18"), HasSubstr("postgresql")));
}

TEST(ResourceConfigTest, RefusesRelativePaths) {
  for (const char* line : {"data_directory = /data", "run_directory = /run/baton",
                           "share.dr = /mnt/dr", "copy_destination = /copied"}) {
    const std::string relative = absl::StrReplaceAll(line, {{"= /", "= "}});
    EXPECT_THAT(MessageOf(With(line, relative)), HasSubstr("an absolute path")) << line;
  }
  EXPECT_THAT(MessageOf(With("command = /usr/bin/postgres", "command = postgres")),
              HasSubstr("an absolute path"));
}

TEST(ResourceConfigTest, RefusesNamesThatAreNoNames) {
  for (const char* name : {"..", "../x", "a/b", ".hidden", "a b"}) {
    EXPECT_THAT(MessageOf(With("resource = mgc", absl::StrCat("resource = ", name))),
                HasSubstr("mgc.conf:2"))
        << name;
    EXPECT_THAT(MessageOf(absl::StrCat(kDatabase, "share.", name, " = /mnt/x\n")),
                HasSubstr("mgc.conf:18"))
        << name;
  }
}

TEST(ResourceConfigTest, NamesWhatIsMissing) {
  EXPECT_THAT(MessageOf(""), AllOf(HasSubstr("resource"), HasSubstr("fence_file")));
  EXPECT_THAT(MessageOf(With("copy_destination = /copied\n", "")), HasSubstr("copy_destination"));
  EXPECT_THAT(MessageOf(With("share.home = /mnt/home\n", "")), HasSubstr("share.home"));
}

TEST(ResourceConfigTest, RefusesLinesWithoutAValue) {
  for (const char* line : {"just words", "key =", "= value", "="}) {
    EXPECT_THAT(MessageOf(absl::StrCat(kDatabase, line, "\n")), HasSubstr("mgc.conf:18")) << line;
  }
}

TEST(ResourceConfigTest, RefusesHugeAndBinaryInput) {
  EXPECT_THAT(MessageOf(std::string(10 << 20, 'x')), HasSubstr("bytes"));
  EXPECT_THAT(MessageOf(std::string("\0\1\2\xff", 4)), HasSubstr("mgc.conf:1"));
}

}  // namespace
}  // namespace baton
