#include "agent/database/wal_files.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/database/log_end.h"

namespace baton::postgresql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kMegabyte = 1 << 20;

// A data directory with an empty pg_wal.
class WalFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "walXXXXXX";
    data_ = mkdtemp(pattern.data());
    std::filesystem::create_directories(data_ + "/pg_wal/archive_status");
  }
  void TearDown() override { std::filesystem::remove_all(data_); }

  void Mark(const std::string& name) { std::ofstream(data_ + "/pg_wal/archive_status/" + name); }
  void PutSegment(const std::string& name, uint64_t page_address) {
    std::ofstream file(data_ + "/pg_wal/" + name, std::ios::binary);
    const std::string front(8, 'x');
    file.write(front.data(), 8);
    file.write(reinterpret_cast<const char*>(&page_address), sizeof(page_address));
  }
  WalFolder Wal() const { return WalFolder(data_, kMegabyte); }

  std::string data_;
};

TEST(WalSegmentTest, NamesAndNumbersAgree) {
  for (const uint64_t bytes : {kMegabyte, 16 * kMegabyte, 1024 * kMegabyte}) {
    for (const uint64_t number : {uint64_t{0}, uint64_t{3}, uint64_t{5000}}) {
      const WalSegment segment{7, number};
      EXPECT_EQ(ParseWalSegmentName(WalSegmentName(segment, bytes), bytes), segment);
    }
  }
  EXPECT_EQ(WalSegmentName({1, 4096}, kMegabyte), "000000010000000100000000");
  EXPECT_EQ(WalSegmentOf({2, 0x3000060}, 16 * kMegabyte), (WalSegment{2, 3}));
}

TEST(WalSegmentTest, RefusesOtherNames) {
  for (const char* name :
       {"", "00000002.history", "000000010000000000000001.partial", "00000001000000000000000g",
        "000000010000000000000abc", "000000010000000000001000"}) {
    EXPECT_EQ(ParseWalSegmentName(name, kMegabyte), std::nullopt) << name;
  }
}

TEST(StartupTitleTest, TellsWaitingFromRecovering) {
  const auto waiting =
      ParseStartupTitle("postgres: main: startup waiting for 000000010000000000000005");
  ASSERT_TRUE(waiting.has_value());
  EXPECT_TRUE(waiting->waiting);
  EXPECT_EQ(waiting->segment, "000000010000000000000005");
  const auto recovering =
      ParseStartupTitle("postgres: startup recovering 000000020000000000000006");
  ASSERT_TRUE(recovering.has_value());
  EXPECT_FALSE(recovering->waiting);
  EXPECT_EQ(ParseStartupTitle("postgres: startup "), std::nullopt);
  EXPECT_EQ(ParseStartupTitle("postgres: startup waiting for 00000002.history"), std::nullopt);
}

TEST(TimelineTest, BeginsWhereTheLastLineOfItsHistorySays) {
  const auto start = ParseTimelineStart(
      "1\t0/3000148\tno recovery target specified\n\n# note\n2\t0/50000A0\tno recovery target "
      "specified\n",
      3);
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_EQ(start->ToString(), "3:0/50000A0");
  EXPECT_FALSE(ParseTimelineStart("", 2).ok());
  EXPECT_FALSE(ParseTimelineStart("1 nonsense", 2).ok());
}

TEST_F(WalFolderTest, ListsPendingFilesAsTheArchiverShipsThem) {
  Mark("000000020000000000000004.ready");
  Mark("000000010000000000000003.ready");
  Mark("00000002.history.ready");
  Mark("000000010000000000000002.done");
  const auto ready = Wal().Ready();
  ASSERT_TRUE(ready.ok()) << ready.status();
  EXPECT_THAT(*ready, ElementsAre("00000002.history", "000000010000000000000003",
                                  "000000020000000000000004"));
}

TEST_F(WalFolderTest, MarksShippedFilesDone) {
  Mark("000000010000000000000003.ready");
  EXPECT_TRUE(Wal().IsReady("000000010000000000000003"));
  ASSERT_TRUE(Wal().MarkDone("000000010000000000000003").ok());
  EXPECT_TRUE(Wal().IsDone("000000010000000000000003"));
  EXPECT_FALSE(Wal().IsReady("000000010000000000000003"));
  EXPECT_TRUE(absl::IsNotFound(Wal().MarkDone("000000010000000000000003")));
}

TEST_F(WalFolderTest, TellsLogFromRecycledFiles) {
  PutSegment("000000010000000000000003", 3 * kMegabyte);
  PutSegment("000000010000000000000004", 4 * kMegabyte);
  PutSegment("000000010000000000000005", 1 * kMegabyte);  // recycled: holds its former life
  PutSegment("000000020000000000000004", 4 * kMegabyte);
  Mark("000000010000000000000003.done");
  const auto segments = Wal().NotDone(1);
  ASSERT_TRUE(segments.ok()) << segments.status();
  EXPECT_THAT(*segments, ElementsAre(WalSegment{1, 4}));
  EXPECT_FALSE(*Wal().Holds({1, 5}));
  EXPECT_FALSE(*Wal().Holds({1, 6}));
}

TEST_F(WalFolderTest, WhatCannotBeReadIsNotTakenForEmpty) {
  PutSegment("000000010000000000000003", 3 * kMegabyte);
  // A folder opens, and gives an error when it is read.
  std::filesystem::create_directory(data_ + "/pg_wal/000000010000000000000004");
  EXPECT_FALSE(Wal().Holds({1, 4}).ok());
  EXPECT_FALSE(Wal().NotDone(1).ok());
  ControlData control;
  control.segment_bytes = kMegabyte;
  EXPECT_FALSE(FindLogEnd(data_, control).ok());
}

TEST_F(WalFolderTest, SaysThatAFolderIsMissing) {
  std::filesystem::remove_all(data_ + "/pg_wal");
  EXPECT_FALSE(Wal().Ready().ok());
  EXPECT_FALSE(Wal().NotDone(1).ok());
  EXPECT_TRUE(absl::IsNotFound(Wal().TimelineStart(2).status()));
}

}  // namespace
}  // namespace baton::postgresql
