// What was cut off by a reboot goes on, and a right that was taken away by mistake comes back.
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::HasSubstr;

// Brings `away` to where only Recover is missing, under the world's present epoch.
LogPosition Quiesce(World& world) {
  world.NextEpoch();
  EXPECT_TRUE(world.Do(world.home(), Fence{}).ok());
  const Outcome shipped = world.Do(world.home(), ShipTail{});
  EXPECT_TRUE(shipped.ok() && shipped.position.has_value()) << shipped.message;
  Lineage sealed = world.lineage();
  sealed.sealed = shipped.position;
  EXPECT_TRUE(world.Do(world.away(), CopyPendingLogs{{sealed}}).ok());
  return shipped.position.value_or(LogPosition{});
}

void ExpectServes(World& world, Site& site) {
  EXPECT_EQ(world.Observe(site).database()->state, DatabaseState::kPrimary);
  world.Sql(site, "INSERT INTO posts VALUES (-1)");
  world.Sql(site, "SELECT pg_switch_wal()");
  world.Eventually("its log is shipped", [&] {
    const Observation seen = world.Observe(site);
    return seen.database()->archiving && !seen.database()->last_archived.empty();
  });
}

TEST(ReturnTest, ARebootBeforeRecoverIsWaitedOutByWhoeverNeedsTheStandby) {
  World world;
  Site& away = world.away();
  const LogPosition final = Quiesce(world);
  world.Reboot(away, false);
  EXPECT_EQ(world.Observe(away).database()->state, DatabaseState::kDown);
  const Outcome applied = world.Do(away, ApplyPendingLogs{final});
  ASSERT_TRUE(applied.ok()) << applied.message;
  world.Reboot(away, false);
  const Lineage lineage = world.LineageOf(away);
  const Outcome recovered = world.Do(away, Recover{lineage});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(recovered.position->timeline, 2u);
}

TEST(ReturnTest, ARebootAfterThePromotionLetsRecoverStartItAgain) {
  World world;
  Site& away = world.away();
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{Quiesce(world)}).ok());
  const Lineage lineage = world.LineageOf(away);
  const Outcome first = world.Do(away, Recover{lineage});
  ASSERT_TRUE(first.ok()) << first.message;
  for (const bool remembers : {true, false}) {
    world.Reboot(away, remembers);
    EXPECT_FALSE(world.Look(away, Recover{lineage}).ok());
    EXPECT_EQ(world.Observe(away).database()->state, DatabaseState::kDown);
    const Outcome again = world.Do(away, Recover{lineage});
    ASSERT_TRUE(again.ok()) << again.message;
    EXPECT_EQ(again.position, first.position);
  }
  ExpectServes(world, away);
}

TEST(ReturnTest, APromotionThatWasCutOffNeverGoesOnInTheOldTimeline) {
  World world;
  Site& away = world.away();
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{Quiesce(world)}).ok());
  const Lineage lineage = world.LineageOf(away);
  // What is left when the host dies after the signal was removed and before the timeline began.
  absl::StatusOr<FenceRecord> record = away.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kOpen;
  record->write = lineage;
  record->fetch.clear();
  ASSERT_TRUE(away.fences->Write(*record).ok());
  world.Reboot(away, false);
  std::filesystem::remove(away.folder + "/data/standby.signal");
  const Outcome recovered = world.Do(away, Recover{lineage});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(recovered.position->timeline, 2u);
  ExpectServes(world, away);
}

// The same in one boot, where the supervisor restarts it before anybody asks.
TEST(ReturnTest, TheGateKeepsAStandbyThatLostItsSignalFromWriting) {
  World world;
  Site& away = world.away();
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{Quiesce(world)}).ok());
  const Lineage lineage = world.LineageOf(away);
  absl::StatusOr<FenceRecord> record = away.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kOpen;
  record->write = lineage;
  record->confirmed_boot = *away.fences->Boot();
  record->fetch.clear();
  ASSERT_TRUE(world.Do(away, Stop{}).ok());
  ASSERT_TRUE(away.fences->Write(*record).ok());
  std::filesystem::remove(away.folder + "/data/standby.signal");
  const Outcome started = world.Do(away, Start{});
  EXPECT_EQ(started.code, OutcomeCode::kRefused) << started.message;
  EXPECT_THAT(started.message, HasSubstr("standby.signal"));
  const Outcome recovered = world.Do(away, Recover{lineage});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(recovered.position->timeline, 2u);
}

TEST(ReturnTest, AStandbyThatSomeonePromotesPastItsFenceIsStopped) {
  World world;
  Site& away = world.away();
  const pid_t postmaster = away.Postmaster();
  world.Sql(away, "SELECT pg_promote(false)");
  world.Eventually("it is stopped", [&] {
    const Observation seen = world.Observe(away);
    return seen.database()->state == DatabaseState::kDown && seen.fence.proven;
  });
  EXPECT_NE(away.Postmaster(), postmaster);
  EXPECT_EQ(world.Observe(world.home()).database()->state, DatabaseState::kPrimary);
}

TEST(ReturnTest, APrimaryWhoseFenceFileWasDeletedGetsItsRightBack) {
  World world;
  Site& home = world.home();
  for (const bool by_hand_since : {false, true}) {
    std::filesystem::remove(home.config.fence_file);
    world.Eventually("it is stopped",
                     [&] { return world.Observe(home).database()->state == DatabaseState::kDown; });
    EXPECT_TRUE(world.Observe(home).database()->standby_signal);
    const Epoch epoch = world.NextEpoch();
    if (by_hand_since) world.Guard(home, "fence", {epoch.ToString()});
    const Outcome unfenced = world.Do(home, Unfence{world.LineageOf(home)});
    ASSERT_TRUE(unfenced.ok()) << unfenced.message;
    ExpectServes(world, home);
    world.Sql(home, "DELETE FROM posts");
  }
}

TEST(ReturnTest, APrimaryThatWasFencedByHandGetsItsRightBack) {
  World world;
  Site& home = world.home();
  world.Guard(home, "fence", {world.NextEpoch().ToString()});
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kDown);
  world.NextEpoch();
  const Outcome unfenced = world.Do(home, Unfence{world.LineageOf(home)});
  ASSERT_TRUE(unfenced.ok()) << unfenced.message;
  ExpectServes(world, home);
}

// A crash left it to be restarted, and a hand fenced it meanwhile: the moment its fence opens, its
// supervisor starts it.
TEST(ReturnTest, ASupervisorThatWaitsForTheFenceStartsItWritable) {
  World world;
  Site& home = world.home();
  for (int round = 0; round < 5; ++round) {
    world.Reboot(home);
    world.Guard(home, "fence", {world.NextEpoch().ToString()});
    EXPECT_TRUE(world.Observe(home).database()->standby_signal);
    const Outcome unfenced = world.Do(home, Unfence{world.LineageOf(home)});
    ASSERT_TRUE(unfenced.ok()) << unfenced.message;
  }
  ExpectServes(world, home);
}

TEST(ReturnTest, AClosedFenceThatWasNotSealedShipsAgainOnceFenced) {
  World world;
  Site& home = world.home();
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kClosed;  // as an agent writes it that found no file
  ASSERT_TRUE(home.fences->Write(*record).ok());
  EXPECT_EQ(world.Do(home, ShipTail{}).reason, "CLOSED_UNSHIPPED");
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  ASSERT_TRUE(world.TakeOver(home, world.away(), *shipped.position));
}

TEST(ReturnTest, WhoWasToldToFollowAndNeverStartedOnlyRecoversItsOwnLog) {
  World world;
  Site& home = world.home();
  Quiesce(world);
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->write.reset();
  record->fetch = world.lineages();
  ASSERT_TRUE(home.fences->Write(*record).ok());
  world.NextEpoch();
  const Outcome refused = world.Do(home, Unfence{world.LineageOf(home)});
  EXPECT_EQ(refused.reason, "IS_A_STANDBY") << refused.message;
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kDown);
  // Where that one is lost since, and its log with it, it goes on from what it has.
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Outcome own = world.Do(home, Recover{world.LineageOf(home), true});
  ASSERT_TRUE(own.ok()) << own.message;
  EXPECT_EQ(own.position->timeline, 2u);
  ExpectServes(world, home);
}

// Fenced, not cleanly stopped, its right in no file: the control file tells what it was.
TEST(ReturnTest, ACrashedPrimaryWhoseFenceFileWasDeletedGetsItsRightBack) {
  World world;
  Site& home = world.home();
  world.Reboot(home, false);
  std::filesystem::remove(home.config.fence_file);
  std::ofstream(home.folder + "/data/standby.signal").close();
  world.NextEpoch();
  // A base backup that was never started says "in production" as well.
  const std::string label = home.folder + "/data/backup_label";
  std::ofstream(label).close();
  const Outcome copy = world.Do(home, Unfence{world.LineageOf(home)});
  EXPECT_EQ(copy.reason, "IS_A_STANDBY") << copy.message;
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Outcome own = world.Do(home, Recover{world.LineageOf(home), true});
  EXPECT_EQ(own.reason, "NO_LOG_OF_ITS_OWN") << own.message;
  std::filesystem::remove(label);
  const Outcome recovered = world.Do(home, Recover{world.LineageOf(home), true});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(recovered.position->timeline, 2u);
  ExpectServes(world, home);
}

// A server that recovered decides how long its checkpointer sleeps before it is a primary again.
TEST(ReturnTest, LittleLogIsShippedSoonHoweverLateAPrimaryThatRecoveredIsLookedAt) {
  World world;
  Site& home = world.home();
  const pid_t before = home.Postmaster();
  ASSERT_EQ(kill(before, SIGKILL), 0);
  const auto endpoint = postgresql::EndpointOf(home.config);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  world.Eventually("it has recovered a while ago", [&] {
    auto connection =
        postgresql::PostgresqlConnection::Connect(*endpoint, absl::Seconds(5), nullptr);
    if (!connection.ok()) return false;
    const auto rows =
        connection->Query("SELECT clock_timestamp() - pg_postmaster_start_time() > interval '11 s'",
                          absl::Seconds(5));
    return rows.ok() && rows->True(0, 0) && home.Postmaster() != before;
  });
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kPrimary);
  world.Sql(home, "INSERT INTO posts VALUES (1)");
  world.Eventually("it was shipped and applied",
                   [&] { return world.Sql(world.away(), "SELECT count(*) FROM posts") == "1"; });
}

}  // namespace
}  // namespace baton::test
