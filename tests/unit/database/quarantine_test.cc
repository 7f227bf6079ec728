#include "agent/database/quarantine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::postgresql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Manifest SomeManifest() {
  Manifest manifest;
  manifest.system_id = "7300000000000000001";
  manifest.entry.name = "1.2";
  manifest.entry.fork = {2, 0x5000000};
  manifest.entry.end = {1, 0x5004000};
  manifest.entry.disk_bytes = 41'000'000;
  manifest.entry.moved = absl::FromUnixSeconds(1'700'000'000);
  return manifest;
}

TEST(QuarantineTest, AManifestIsReadAsItWasWritten) {
  Manifest manifest = SomeManifest();
  manifest.entry.commits = 12;
  manifest.entry.first_commit = manifest.entry.moved - absl::Minutes(2);
  manifest.entry.last_commit = manifest.entry.moved - absl::Minutes(1);
  const auto read = ParseManifest(FormatManifest(manifest));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->entry, manifest.entry);
  EXPECT_EQ(read->system_id, manifest.system_id);
}

TEST(QuarantineTest, ANumberOfCommitsThatIsNotKnownIsNotZero) {
  Manifest manifest = SomeManifest();
  EXPECT_THAT(FormatManifest(manifest), Not(HasSubstr("commits")));
  EXPECT_EQ(ParseManifest(FormatManifest(manifest))->entry.commits, std::nullopt);
  manifest.entry.commits = 0;
  EXPECT_EQ(ParseManifest(FormatManifest(manifest))->entry.commits, 0u);
}

}  // namespace
}  // namespace baton::postgresql
