#include "agent/guard/log_file_name.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(LogFileNameTest, KnowsTheNamesOfLogFiles) {
  const absl::StatusOr<LogFileName> segment = ParseLogFileName("0000000A0000000100000002");
  ASSERT_TRUE(segment.ok());
  EXPECT_EQ(segment->kind, LogFileKind::kSegment);
  EXPECT_EQ(segment->timeline, 10u);
  EXPECT_EQ(*SegmentStart(*segment, 16 * kMiB), 0x102000000u);
  EXPECT_EQ(ParseLogFileName("00000002.history")->kind, LogFileKind::kHistory);
  EXPECT_EQ(ParseLogFileName("000000010000000000000003.partial")->kind,
            LogFileKind::kPartialSegment);
  EXPECT_EQ(ParseLogFileName("000000010000000000000003.00000028.backup")->kind,
            LogFileKind::kBackupLabel);
}

TEST(LogFileNameTest, RefusesEverythingElse) {
  for (const char* name :
       {"", ".", "..", "/etc/passwd", "../../000000010000000000000003", "00000001000000000000000",
        "0000000100000000000000030", "00000001000000000000000g", "0000000a0000000100000002",
        "000000010000000000000003.sum", "000000010000000000000003/x", ".baton-share",
        "00000002.history.tmp", "RECOVERYXLOG", "000000010000000000000003.backup",
        "000000010000000000000003.../../.backup"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseLogFileName(name).status())) << name;
  }
  EXPECT_FALSE(ParseLogFileName(std::string("00000002.history\0", 17)).ok());
}

TEST(LogFileNameTest, ASegmentsNameMustFitItsLength) {
  const LogFileName name = *ParseLogFileName("000000010000000000000100");
  EXPECT_EQ(*SegmentStart(name, kMiB), 0x10000000u);
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{4096}, kMiB - 1, kMiB + 1, 2048 * kMiB}) {
    EXPECT_TRUE(absl::IsDataLoss(SegmentStart(name, bytes).status())) << bytes;
  }
  EXPECT_TRUE(absl::IsDataLoss(SegmentStart(name, 16 * kMiB).status()));  // 0x100 × 16 MiB > 4 GiB
}

TEST(LogFileNameTest, ASealServesUpToItsPositionAndNoLaterTimeline) {
  const LogPosition seal{2, 3 * kMiB};
  const auto served = [&](const char* name) {
    return *IsServed(*ParseLogFileName(name), kMiB, seal);
  };
  EXPECT_TRUE(served("000000020000000000000002"));
  EXPECT_TRUE(served("000000020000000000000003"));  // its first byte is the sealed one
  EXPECT_FALSE(served("000000020000000000000004"));
  EXPECT_TRUE(served("000000010000000000000003"));
  EXPECT_FALSE(served("000000030000000000000001"));
  EXPECT_TRUE(served("00000002.history"));
  EXPECT_FALSE(served("00000003.history"));
  EXPECT_TRUE(*IsServed(*ParseLogFileName("000000030000000000000009"), kMiB, std::nullopt));
}

}  // namespace
}  // namespace baton
