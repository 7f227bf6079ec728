#include "coordinator/planner/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/planner/story.h"

namespace baton::testing {
namespace {

AnnouncedLoss LossOf(const std::vector<std::string>& changes) {
  Story story;
  story.Run("pool");
  story.Run("database mgc hq-sql1 dr-sql1");
  story.Run("chat hq-chat1 active");
  story.Run("adopted 1.1 hq-sql1 hq-chat1");
  story.Run("healthy");
  for (const std::string& change : changes) story.Run(change);
  story.Run("losses");
  const std::vector<AnnouncedLoss> losses =
      LossesNow(story.seen(), *story.seen().topology->FindPool(PoolId("pool")));
  return losses.empty() ? AnnouncedLoss() : losses.front();
}

TEST(LossesTest, WhatWasShippedInTimeLosesOnlyTheTimeSinceTheLastReport) {
  const AnnouncedLoss loss =
      LossOf({"see hq-sql1/mgc position=1:0/5000100 age=4s",
              "see dr-sql1/mgc position=1:0/5000000 lag_bytes=4096 committed=1h"});
  EXPECT_EQ(loss.window, absl::Seconds(4));
  EXPECT_EQ(loss.report_age, absl::Seconds(4));
  EXPECT_EQ(loss.bytes, 0);
  EXPECT_EQ(loss.kept.lsn, 0x5001000);
}

TEST(LossesTest, WhatIsMissingLosesAllAfterTheLastCommitThatIsThere) {
  const AnnouncedLoss loss = LossOf({"see hq-sql1/mgc position=1:0/5000100 age=4s",
                                     "see dr-sql1/mgc position=1:0/5000000 committed=9s"});
  EXPECT_EQ(loss.window, absl::Seconds(9));
  EXPECT_EQ(loss.bytes, 0x100);
}

TEST(LossesTest, TheWindowIsMeasuredOnTheWritersOwnClock) {
  const std::vector<std::string> seen = {"see hq-sql1/mgc position=1:0/5000100 age=4s",
                                         "see dr-sql1/mgc position=1:0/5000000 committed=9s"};
  const auto with = [&seen](const std::string& clock) {
    std::vector<std::string> lines = seen;
    lines.push_back(clock);
    return LossOf(lines);
  };
  EXPECT_EQ(with("clock hq-sql1 1h").window, absl::Hours(1) + absl::Seconds(9));
  EXPECT_EQ(with("clock hq-sql1 -5s").window, absl::Seconds(4));
  EXPECT_EQ(with("clock dr-sql1 -5s").window, absl::Seconds(9));
  const AnnouncedLoss back = with("clock hq-sql1 -10s");
  EXPECT_EQ(back.window, absl::InfiniteDuration());
  EXPECT_THAT(Describe(back),
              ::testing::HasSubstr("clock has not come to that commit, at 2023-11-14T22:13:1"));
  const AnnouncedLoss unknown = with("clock hq-sql1 unknown");
  EXPECT_EQ(unknown.window, absl::InfiniteDuration());
  EXPECT_THAT(Describe(unknown), ::testing::HasSubstr("its writer never told its clock"));
}

// The clock that dated it had been set back, and nobody here saw that.
TEST(LossesTest, ACommitIsAtLeastAsOldAsWhatWasHeardOfIt) {
  Story story;
  for (const char* line :
       {"pool", "database mgc hq-sql1 dr-sql1", "chat hq-chat1 active",
        "adopted 1.1 hq-sql1 hq-chat1", "healthy", "see hq-sql1/mgc position=1:0/5000100 age=4s",
        "see dr-sql1/mgc position=1:0/5000000 committed=1s", "losses"}) {
    story.Run(line);
  }
  Snapshot seen = story.seen();
  SeenResource& backup = seen.resources.at({HostId("dr-sql1"), ResourceId("mgc")});
  backup.commit_heard = seen.since_boot - absl::Seconds(30);
  const auto window = [&seen] {
    return LossesNow(seen, *seen.topology->FindPool(PoolId("pool"))).front().window;
  };
  EXPECT_EQ(window(), absl::Seconds(30));
  const SeenResource same = Heard(backup.observation, seen.since_boot, &backup);
  EXPECT_EQ(same.commit_heard, backup.commit_heard);
  Observation newer = backup.observation;
  std::get<DatabaseObservation>(newer.detail).last_commit += absl::Milliseconds(1);
  EXPECT_EQ(Heard(newer, seen.since_boot, &backup).commit_heard, seen.since_boot);
  seen.resources.erase({HostId("dr-sql1"), ResourceId("mgc")});
  EXPECT_EQ(window(), absl::InfiniteDuration());
}

TEST(LossesTest, ACommitOfAnotherWriterDatesNothing) {
  const std::vector<std::string> seen = {"see hq-sql1/mgc position=3:0/5000100 age=4s",
                                         "see dr-sql1/mgc position=3:0/5000000 committed=9s"};
  std::vector<std::string> after = seen;
  after.push_back("right mgc fork=3:0/4000000");
  EXPECT_EQ(LossOf(after).window, absl::Seconds(9));
  std::vector<std::string> before = seen;
  before.push_back("right mgc fork=3:0/5000000");
  EXPECT_EQ(LossOf(before).window, absl::InfiniteDuration());
}

TEST(LossesTest, NothingIsSaidOnlyWhereItIsKnown) {
  const AnnouncedLoss loss = LossOf({"see hq-sql1/mgc position=1:0/5000000 age=0s",
                                     "see dr-sql1/mgc position=1:0/5000000 committed=9s"});
  EXPECT_EQ(loss.window, absl::ZeroDuration());
  EXPECT_FALSE(loss.nothing);
  EXPECT_THAT(Describe(loss), ::testing::Not(::testing::HasSubstr("nothing")));
}

TEST(LossesTest, NothingBehindAGapIsKept) {
  const AnnouncedLoss loss =
      LossOf({"see hq-sql1/mgc position=1:0/5000100 age=4s",
              "see dr-sql1/mgc position=1:0/5000000 lag_bytes=4096 committed=9s "
              "gap=000000010000000000000005"});
  EXPECT_EQ(loss.kept.lsn, 0x5000000);
  EXPECT_EQ(loss.window, absl::Seconds(9));
}

TEST(LossesTest, PositionsOfTwoTimelinesTellNothing) {
  const AnnouncedLoss loss = LossOf({"see hq-sql1/mgc position=2:0/4000000 age=4s",
                                     "see dr-sql1/mgc position=1:0/5000000 committed=9s"});
  EXPECT_EQ(loss.window, absl::Seconds(9));
  EXPECT_EQ(loss.bytes, 0);
}

TEST(LossesTest, OfAWriterThatWasNeverSeenNothingIsKnown) {
  const AnnouncedLoss loss =
      LossOf({"unseen hq-sql1/mgc", "see dr-sql1/mgc position=1:0/5000000 committed=9s"});
  EXPECT_EQ(loss.window, absl::InfiniteDuration());
  EXPECT_EQ(loss.report_age, absl::InfiniteDuration());
  EXPECT_TRUE(loss.lost_end.none());
}

TEST(LossesTest, AWriterThatWentDownIsTakenAtTheEndOfItsLog) {
  const AnnouncedLoss loss =
      LossOf({"see hq-sql1/mgc state=down clean=no position=1:0/5000028 log_end=1:0/5200000 age=4s",
              "see dr-sql1/mgc position=1:0/5100000 committed=9s"});
  EXPECT_EQ(loss.lost_end.lsn, 0x5200000);
  EXPECT_EQ(loss.window, absl::Seconds(9));
}

TEST(LossesTest, AnUnprotectedDatabaseHasNoBoundToTell) {
  EXPECT_TRUE(LossOf({"right mgc followers="}).database.empty());
}

TEST(LossesTest, TellsPeopleWhatIsLostAndHowItIsKnown) {
  AnnouncedLoss loss;
  loss.database = DatabaseId("mgc");
  loss.kept = {1, 0x5000000};
  loss.last_commit = absl::FromUnixSeconds(1700000000);
  EXPECT_EQ(Describe(loss),
            "mgc: everything after the last commit that the backup will have, of "
            "2023-11-14T22:13:20+00:00 (position 1:0/5000000); how much that is is not known: its "
            "writer was never seen");
  loss.window = absl::ZeroDuration();
  loss.nothing = true;
  EXPECT_EQ(Describe(loss), "mgc: nothing, all of its log up to 1:0/5000000 is kept");
}

}  // namespace
}  // namespace baton::testing
