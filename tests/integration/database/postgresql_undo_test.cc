// Recover of an instance that wrote before, in its own log: the undo of a switchover, after the
// tail and before.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::HasSubstr;

std::vector<int64_t> WriteSome(World& world, Site& primary, size_t count) {
  Writer writer(primary);
  world.Eventually("writes", [&] { return writer.acknowledged() > count; });
  return writer.Stop();
}

void ExpectAllThere(World& world, Site& site, const std::vector<int64_t>& acknowledged) {
  EXPECT_EQ(world.Sql(site, "SELECT count(*) FROM posts"), std::to_string(acknowledged.size()));
}

// Gives the right back under a new epoch, as an undo does. Its position.
LogPosition GiveBack(World& world, Site& site) {
  const Outcome fenced = world.Do(site, Fence{});
  EXPECT_TRUE(fenced.ok()) << fenced.message;
  const Outcome recovered = world.Do(site, Recover{world.BeginLineage(site), true});
  EXPECT_TRUE(recovered.ok()) << recovered.message;
  return recovered.position.value_or(LogPosition{});
}

// The backup follows from the fork on, and shipping goes on.
void ExpectFollows(World& world, Site& backup, Site& primary, const LogPosition& fork) {
  const Outcome follows = world.Do(backup, StartStandby{world.lineages()});
  ASSERT_TRUE(follows.ok()) << follows.message;
  const Outcome applied = world.Do(backup, ApplyPendingLogs{fork});
  ASSERT_TRUE(applied.ok()) << applied.message;
  for (int segment = 1; segment <= 3; ++segment) {
    world.Sql(primary, absl::StrCat("INSERT INTO posts VALUES (", -segment, ")").c_str());
    world.Sql(primary, "SELECT pg_switch_wal()");
  }
  const std::string all = world.Sql(primary, "SELECT count(*) FROM posts");
  world.Eventually("the backup has everything",
                   [&] { return world.Sql(backup, "SELECT count(*) FROM posts") == all; });
}

void PrintTimings(World& world) {
  for (const Timing& timing : world.timings()) {
    std::printf("  %-28s %7.1f ms\n", timing.action.c_str(),
                absl::ToDoubleMilliseconds(timing.took));
  }
}

TEST(UndoTest, AfterTheTailWasShippedTheOldPrimaryGoesOnInANewTimeline) {
  World world;
  Site& home = world.home();
  const std::vector<int64_t> acknowledged = WriteSome(world, home, 300);
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  world.Seal(*shipped.position);
  ASSERT_TRUE(world.Do(world.away(), CopyPendingLogs{world.lineages()}).ok());
  ASSERT_TRUE(world.Do(world.away(), ApplyPendingLogs{*shipped.position}).ok());
  world.NextEpoch();
  world.timings().clear();
  const LogPosition fork = GiveBack(world, home);
  PrintTimings(world);
  EXPECT_EQ(fork.timeline, 2u);
  EXPECT_GT(fork.lsn, shipped.position->lsn);
  const Outcome again = world.Do(home, Recover{world.lineage(), true});
  EXPECT_TRUE(again.ok()) << again.message;
  EXPECT_EQ(again.position, fork);
  EXPECT_TRUE(world.Look(home, Recover{world.lineage(), true}).ok());
  ExpectAllThere(world, home, acknowledged);
  ExpectFollows(world, world.away(), home, fork);
  // And the move that was undone can be made.
  ASSERT_TRUE(world.Switchover(home, world.away()));
}

TEST(UndoTest, BeforeTheTailWasShippedNothingOfItIsMissingAtTheBackup) {
  World world;
  Site& home = world.home();
  std::ofstream(home.folder + "/etc/extra.conf") << "archive_command = 'false'\n";
  world.Sql(home, "SELECT pg_reload_conf()");
  std::vector<int64_t> acknowledged;
  for (int segment = 0; segment < 3; ++segment) {
    Writer writer(home);
    world.Eventually("writes", [&] { return writer.acknowledged() > 30; });
    acknowledged = writer.Stop();
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  const std::string stored = world.Sql(home, "SELECT count(*) FROM posts");
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  std::filesystem::remove(home.folder + "/etc/extra.conf");
  world.NextEpoch();
  const LogPosition fork = GiveBack(world, home);
  EXPECT_EQ(fork.timeline, 2u);
  EXPECT_EQ(world.Sql(home, "SELECT count(*) FROM posts"), stored);
  ExpectFollows(world, world.away(), home, fork);
}

TEST(UndoTest, AShareThatIsGoneHoldsNobodyUpAndIsCaughtUpWithLater) {
  World world;
  Site& home = world.home();
  const std::vector<int64_t> acknowledged = WriteSome(world, home, 200);
  const std::string marker = home.share_path() + "/.baton-share";
  std::filesystem::rename(marker, marker + ".away");
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  EXPECT_FALSE(world.Do(home, ShipTail{}).ok());
  world.NextEpoch();
  const LogPosition fork = GiveBack(world, home);
  ExpectAllThere(world, home, acknowledged);
  std::filesystem::rename(marker + ".away", marker);
  ExpectFollows(world, world.away(), home, fork);
}

TEST(UndoTest, ACrashWithUnshippedLogIsRecoveredInItsOwnLog) {
  World world;
  Site& home = world.home();
  const std::vector<int64_t> acknowledged = WriteSome(world, home, 300);
  kill(home.supervisor, SIGSTOP);
  ASSERT_EQ(kill(home.Postmaster(), SIGKILL), 0);
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kClosing;
  ASSERT_TRUE(home.fences->Write(*record).ok());
  kill(home.supervisor, SIGCONT);
  world.NextEpoch();
  const LogPosition fork = GiveBack(world, home);
  EXPECT_EQ(fork.timeline, 2u);
  ExpectAllThere(world, home, acknowledged);
  ExpectFollows(world, world.away(), home, fork);
}

// Everything of the host is killed after each step that takes effect; the next try must bring it to
// its end, on another timeline than the one that was shipped.
TEST(UndoTest, EndsWellFromWhereverItWasCutOff) {
  World world;
  Site& home = world.home();
  const std::vector<int64_t> acknowledged = WriteSome(world, home, 200);
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  world.Seal(*shipped.position);
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Lineage write = world.BeginLineage(home);

  // The signal alone.
  ASSERT_TRUE(home.fences->PlaceStandbySignal().ok());
  world.Reboot(home);
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kDown);
  // The fence file, under which its supervisor may start it: as a standby, and nothing else.
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kUnconfirmed;
  record->write = write;
  record->confirmed_boot = *home.fences->Boot();
  ASSERT_TRUE(home.fences->Write(*record).ok());
  world.Reboot(home);
  ASSERT_TRUE(world.Do(home, Start{}).ok());
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kStandby);
  world.Reboot(home);
  // A promotion cut off when it had removed the signal and not begun its timeline.
  world.KillAll(home);
  std::filesystem::remove(home.folder + "/data/standby.signal");
  world.StartSupervisor(&home);
  EXPECT_FALSE(world.Do(home, Start{}).ok());

  const Outcome recovered = world.Do(home, Recover{write, true});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(recovered.position->timeline, 2u);
  // Promoted, and cut off before its fence was opened.
  record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kUnconfirmed;
  ASSERT_TRUE(home.fences->Write(*record).ok());
  world.Reboot(home);
  const Outcome again = world.Do(home, Recover{write, true});
  ASSERT_TRUE(again.ok()) << again.message;
  EXPECT_GE(again.position->timeline, 2u);
  // Open, and rebooted.
  world.Reboot(home);
  const Outcome last = world.Do(home, Recover{write, true});
  ASSERT_TRUE(last.ok()) << last.message;
  ExpectAllThere(world, home, acknowledged);
  ExpectFollows(world, world.away(), home, *last.position);
}

TEST(UndoTest, OnlyAFencedInstanceThatWroteTakesItsRightBack) {
  World world;
  world.NextEpoch();
  const Outcome running = world.Do(world.home(), Recover{world.LineageOf(world.home()), true});
  EXPECT_EQ(running.reason, "NOT_IN_RECOVERY") << running.message;
  const Outcome standby = world.Do(world.away(), Recover{world.LineageOf(world.away()), true});
  EXPECT_EQ(standby.reason, "NO_LOG_OF_ITS_OWN") << standby.message;
  Lineage foreign = world.LineageOf(world.home());
  foreign.system_id = "1";
  ASSERT_TRUE(world.Do(world.home(), Fence{}).ok());
  EXPECT_EQ(world.Do(world.home(), Recover{foreign, true}).reason, "WRONG_SYSTEM_ID");
  EXPECT_EQ(world.Check(world.home(), Recover{foreign, true}).reason, "WRONG_SYSTEM_ID");
  EXPECT_TRUE(world.Check(world.home(), Recover{world.LineageOf(world.home()), true}).ok());
}

}  // namespace
}  // namespace baton::test
