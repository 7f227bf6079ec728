#include "agent/database/control_data.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::postgresql {
namespace {

using ::testing::HasSubstr;

constexpr char kText[] =
    "pg_control version number:            1300\n"
    "Database system identifier:           7711611930838087871\n"
    "Database cluster state:               shut down\n"
    "Latest checkpoint location:           1/611AA8\n"
    "Latest checkpoint's REDO location:    1/611AA8\n"
    "Latest checkpoint's REDO WAL file:    000000030000000100000006\n"
    "Latest checkpoint's TimeLineID:       3\n"
    "Minimum recovery ending location:     0/0\n"
    "Min recovery ending loc's timeline:   0\n"
    "Bytes per WAL segment:                1048576\n";

TEST(ControlDataTest, ReadsTheFieldsThatDecideAboutAMove) {
  const absl::StatusOr<ControlData> data = ParseControlData(kText);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->system_id, "7711611930838087871");
  EXPECT_EQ(data->checkpoint.ToString(), "3:1/611AA8");
  EXPECT_EQ(data->redo_file, "000000030000000100000006");
  EXPECT_EQ(data->segment_bytes, 1u << 20);
  EXPECT_TRUE(data->minimum_recovery.none());
  EXPECT_TRUE(data->stopped_as_primary());
  EXPECT_FALSE(data->stopped_as_standby());
  EXPECT_EQ(data->timeline(), 3u);
}

TEST(ControlDataTest, TellsAStoppedStandbyFromAStoppedPrimary) {
  const absl::StatusOr<ControlData> data =
      ParseControlData(absl::StrReplaceAll(kText, {{"shut down\n", "shut down in recovery\n"}}));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_FALSE(data->stopped_as_primary());
  EXPECT_TRUE(data->stopped_as_standby());
  EXPECT_FALSE(data->wrote_last());
}

TEST(ControlDataTest, TellsACrashedPrimaryFromACrashedStandby) {
  const auto wrote_last = [](const std::string& state) {
    const absl::StatusOr<ControlData> data =
        ParseControlData(absl::StrReplaceAll(kText, {{"shut down\n", absl::StrCat(state, "\n")}}));
    return data.ok() && data->wrote_last();
  };
  EXPECT_TRUE(wrote_last("shut down"));
  EXPECT_TRUE(wrote_last("in production"));
  EXPECT_TRUE(wrote_last("in crash recovery"));
  EXPECT_TRUE(wrote_last("shutting down"));
  EXPECT_FALSE(wrote_last("in archive recovery"));
}

TEST(ControlDataTest, KnowsTheTimelineOfAPromotionBeforeItsFirstCheckpoint) {
  const absl::StatusOr<ControlData> data = ParseControlData(
      absl::StrReplaceAll(kText, {{"ending location:     0/0", "ending location:     1/700000"},
                                  {"loc's timeline:   0", "loc's timeline:   4"}}));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->timeline(), 4u);
}

TEST(ControlDataTest, NamesAMissingField) {
  const absl::StatusOr<ControlData> data =
      ParseControlData(absl::StrReplaceAll(kText, {{"Database cluster state", "Something else"}}));
  EXPECT_TRUE(absl::IsDataLoss(data.status()));
  EXPECT_THAT(std::string(data.status().message()), HasSubstr("Database cluster state"));
}

TEST(ControlDataTest, RefusesASegmentSizeThatCannotBe) {
  EXPECT_TRUE(absl::IsDataLoss(
      ParseControlData(absl::StrReplaceAll(kText, {{"1048576", "1048577"}})).status()));
  EXPECT_TRUE(absl::IsDataLoss(
      ParseControlData(absl::StrReplaceAll(kText, {{"1048576", "none"}})).status()));
}

TEST(ControlDataTest, SaysWhyAClusterCannotBeRead) {
  const absl::StatusOr<ControlData> data =
      ReadControlData("/usr/lib/postgresql/15/bin", "/nonexistent", absl::Seconds(5));
  EXPECT_FALSE(data.ok());
  EXPECT_THAT(std::string(data.status().message()), HasSubstr("/nonexistent"));
}

TEST(ControlDataTest, ItsProgramIsEnteredBeforeItActsOrNotStartedAtAll) {
  const absl::StatusOr<ControlData> data = ReadControlData(
      "/usr/lib/postgresql/15/bin", "/nonexistent", absl::Seconds(5), [](const ProcessId& child) {
        EXPECT_TRUE(IsAlive(child));
        return absl::ResourceExhaustedError("the ledger is full");
      });
  EXPECT_THAT(std::string(data.status().message()), HasSubstr("the ledger is full"));
}

}  // namespace
}  // namespace baton::postgresql
