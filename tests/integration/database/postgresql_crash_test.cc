// What a crash, a freeze or a backlog leaves, and how the actions deal with it.
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <signal.h>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/os/monotonic.h"
#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::HasSubstr;

void ExpectAllThere(World& world, Site& primary, const std::vector<int64_t>& acknowledged) {
  const std::string stored = world.Sql(primary, "SELECT count(*) FROM posts");
  EXPECT_GE(std::stoul(stored), acknowledged.size());
  if (acknowledged.empty()) return;
  const std::string last =
      "SELECT count(*) FROM posts WHERE id = " + std::to_string(acknowledged.back());
  EXPECT_EQ(world.Sql(primary, last.c_str()), "1");
}

TEST(CrashTest, APrimaryKilledUnderItsFenceIsShippedToItsEndAndFollows) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  Writer writer(home);
  world.Eventually("writes", [&] { return writer.acknowledged() > 300; });
  // The fence first, as a hand would write it: the supervisor must not restart the server
  // read-write.
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  kill(home.supervisor, SIGSTOP);
  ASSERT_EQ(kill(home.Postmaster(), SIGKILL), 0);
  record->phase = FencePhase::kClosing;
  ASSERT_TRUE(home.fences->Write(*record).ok());
  kill(home.supervisor, SIGCONT);
  const std::vector<int64_t> acknowledged = writer.Stop();

  // Power that fails before standby.signal is there leaves this, and it is no finished Fence.
  world.Eventually("nothing runs",
                   [&] { return home.fences->ProveNothingRuns(absl::ZeroDuration()).ok(); });
  kill(home.supervisor, SIGSTOP);
  std::filesystem::remove(home.folder + "/data/standby.signal");
  EXPECT_THAT(world.Look(home, Fence{}).message, HasSubstr("standby.signal"));
  kill(home.supervisor, SIGCONT);
  world.NextEpoch();
  const Outcome fenced = world.Do(home, Fence{});
  ASSERT_TRUE(fenced.ok()) << fenced.message;
  EXPECT_FALSE(fenced.position.has_value());
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  ASSERT_TRUE(shipped.position.has_value());
  EXPECT_EQ(world.Do(home, ShipTail{}).position, shipped.position);
  ASSERT_TRUE(world.TakeOver(home, away, *shipped.position));
  ExpectAllThere(world, away, acknowledged);
  world.Sql(away, "INSERT INTO posts VALUES (-1)");
  world.Sql(away, "SELECT pg_switch_wal()");
  world.Eventually("the crashed primary follows", [&] {
    return world.Sql(home, "SELECT count(*) FROM posts WHERE id = -1") == "1";
  });
}

TEST(CrashTest, ABacklogIsShippedInOrderBeforeTheTail) {
  World world;
  Site& home = world.home();
  // Nothing is shipped for a while: the archiver's program cannot be run.
  std::ofstream(home.folder + "/etc/extra.conf") << "archive_command = 'false'\n";
  world.Sql(home, "SELECT pg_reload_conf()");
  Writer writer(home);
  for (int segment = 0; segment < 5; ++segment) {
    const size_t before = writer.acknowledged();
    world.Eventually("writes", [&] { return writer.acknowledged() > before + 20; });
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  world.Eventually("the archiver fails", [&] {
    const Observation seen = world.Observe(home);
    return seen.database()->ready_files >= 5 && !seen.database()->archiving;
  });
  const Outcome checked =
      world.Do(home, CheckDatabase{InstanceRole::kPrimary, world.system_id(), true, true});
  EXPECT_EQ(checked.code, OutcomeCode::kFailed);
  EXPECT_EQ(checked.reason, "ARCHIVER_FAILS") << checked.message;
  world.NextEpoch();
  const Outcome fenced = world.Do(home, Fence{});
  ASSERT_TRUE(fenced.ok()) << fenced.message;
  const std::vector<int64_t> acknowledged = writer.Stop();
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  EXPECT_GE(shipped.bytes, 5u << 20);
  EXPECT_EQ(world.Observe(home).database()->ready_files, 0u);
  ASSERT_TRUE(world.TakeOver(home, world.away(), *shipped.position));
  ExpectAllThere(world, world.away(), acknowledged);
}

// A power cut takes what was not synced: here the archiver's marks and the control file's last
// checkpoint. Recovery then removes log that is nowhere else, unless that was shipped before.
TEST(CrashTest, LogWhoseMarksWereLostIsShippedBeforeRecoveryRemovesIt) {
  World world;
  Site& home = world.home();
  const std::string data = home.config.data_directory;
  std::ofstream(home.folder + "/etc/extra.conf")
      << "archive_command = 'false'\nmin_wal_size = 2MB\nwal_recycle = off\n";
  world.Sql(home, "SELECT pg_reload_conf()");
  std::filesystem::copy_file(data + "/global/pg_control", home.folder + "/older_control");
  Writer writer(home);
  for (int segment = 0; segment < 4; ++segment) {
    const size_t before = writer.acknowledged();
    world.Eventually("writes", [&] { return writer.acknowledged() > before + 20; });
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  world.Sql(home, "CHECKPOINT");
  const size_t before = writer.acknowledged();
  world.Eventually("writes", [&] { return writer.acknowledged() > before + 20; });
  kill(home.supervisor, SIGSTOP);
  ASSERT_EQ(kill(home.Postmaster(), SIGKILL), 0);
  const std::vector<int64_t> acknowledged = writer.Stop();
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kClosing;
  ASSERT_TRUE(home.fences->Write(*record).ok());
  world.Eventually("nothing runs",
                   [&] { return home.fences->ProveNothingRuns(absl::ZeroDuration()).ok(); });
  std::filesystem::copy_file(home.folder + "/older_control", data + "/global/pg_control",
                             std::filesystem::copy_options::overwrite_existing);
  for (const auto& mark : std::filesystem::directory_iterator(data + "/pg_wal/archive_status")) {
    if (mark.path().extension() == ".ready") std::filesystem::remove(mark.path());
  }
  std::filesystem::remove(home.folder + "/etc/extra.conf");
  kill(home.supervisor, SIGCONT);
  world.NextEpoch();
  const Outcome fenced = world.Do(home, Fence{});
  ASSERT_TRUE(fenced.ok()) << fenced.message;
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  ASSERT_TRUE(world.TakeOver(home, world.away(), *shipped.position));
  ExpectAllThere(world, world.away(), acknowledged);
}

// The marks of files that a standby restored say nothing of what a writer puts in a file of that
// name.
TEST(CrashTest, ATailThatIsMarkedAsShippedIsShippedAllTheSame) {
  World world;
  Site& home = world.home();
  world.Sql(home, "INSERT INTO posts VALUES (7)");
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const std::string wal = home.config.data_directory + "/pg_wal";
  for (const auto& file : std::filesystem::directory_iterator(wal)) {
    if (!file.is_regular_file()) continue;
    std::ofstream(wal + "/archive_status/" + file.path().filename().string() + ".done").close();
  }
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  ASSERT_TRUE(world.TakeOver(home, world.away(), *shipped.position));
  EXPECT_EQ(world.Stored(world.away()), std::set<int64_t>{7});
}

// PostgreSQL's own way, a new start in place, asks no gate: in the middle of a promotion it would
// go on in the timeline that was followed.
TEST(CrashTest, AServerThatLostAProcessIsStartedAgainThroughTheGate) {
  World world;
  Site& home = world.home();
  const pid_t before = home.Postmaster();
  const std::string writer =
      world.Sql(home, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'");
  ASSERT_EQ(kill(std::stoi(writer), SIGKILL), 0);
  world.Eventually("another server serves", [&] {
    return home.Postmaster() != before &&
           world.Observe(home).database()->state == DatabaseState::kPrimary;
  });
}

// As it would be left by a promotion in which the server began anew in place.
TEST(CrashTest, LogThatGoesOnUnderTheOldNamesIsNeverOpened) {
  World world;
  Site& away = world.away();
  world.NextEpoch();
  ASSERT_TRUE(world.Do(world.home(), Fence{}).ok());
  const Outcome shipped = world.Do(world.home(), ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  world.Seal(*shipped.position);
  ASSERT_TRUE(world.Do(away, CopyPendingLogs{world.lineages()}).ok());
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{*shipped.position}).ok());
  ASSERT_TRUE(world.Do(away, Stop{}).ok());
  absl::StatusOr<FenceRecord> record = away.fences->Read();
  ASSERT_TRUE(record.ok());
  const std::vector<Lineage> followed = world.lineages();
  record->phase = FencePhase::kUnconfirmed;
  record->fence_epoch = world.epoch();
  record->fetch = followed;
  record->write = world.BeginLineage(away);
  ASSERT_TRUE(away.fences->Write(*record).ok());
  std::filesystem::remove(away.config.data_directory + "/standby.signal");
  PgCtl(away, {"start", "-w", "-l", away.folder + "/past_the_gate.log", "-o",
               "-c config_file=" + away.folder + "/etc/postgresql.conf"});
  const Outcome recovered = world.Do(away, Recover{world.lineage()});
  PgCtl(away, {"stop", "-w", "-m", "fast"});
  EXPECT_EQ(recovered.reason, "SAME_TIMELINE") << recovered.message;
  EXPECT_EQ(away.fences->Read()->phase, FencePhase::kUnconfirmed);
}

TEST(CrashTest, AServerLeftRunningByAnEarlierShipTailIsStoppedByTheNext) {
  World world;
  Site& home = world.home();
  kill(home.supervisor, SIGSTOP);
  ASSERT_EQ(kill(home.Postmaster(), SIGKILL), 0);
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kClosing;
  ASSERT_TRUE(home.fences->Write(*record).ok());
  kill(home.supervisor, SIGCONT);
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  const Outcome started = world.Do(home, Start{});
  ASSERT_TRUE(started.ok()) << started.message;
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kStandby);
  const Outcome shipped = world.Do(home, ShipTail{});
  ASSERT_TRUE(shipped.ok()) << shipped.message;
  ASSERT_TRUE(world.TakeOver(home, world.away(), *shipped.position));
}

TEST(CrashTest, AFrozenArchiverIsNamedBeforeAnythingIsStopped) {
  World world;
  Site& home = world.home();
  const pid_t archiver = std::stoi(
      world.Sql(home, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'archiver'"));
  ASSERT_EQ(kill(archiver, SIGSTOP), 0);
  const Outcome checked =
      world.Do(home, CheckDatabase{InstanceRole::kPrimary, world.system_id(), true, true});
  EXPECT_EQ(kill(archiver, SIGCONT), 0);
  EXPECT_EQ(checked.code, OutcomeCode::kFailed);
  EXPECT_EQ(checked.reason, "ARCHIVER_STUCK") << checked.message;
  const Outcome again =
      world.Do(home, CheckDatabase{InstanceRole::kPrimary, world.system_id(), true, true});
  EXPECT_TRUE(again.ok()) << again.message;
}

TEST(CrashTest, AServerThatHangsIsUnknownAndLooksStayBounded) {
  World world;
  Site& home = world.home();
  const pid_t postmaster = home.Postmaster();
  ASSERT_EQ(kill(postmaster, SIGSTOP), 0);
  const Observation hung = world.Observe(home);
  EXPECT_EQ(kill(postmaster, SIGCONT), 0);
  EXPECT_EQ(hung.database()->state, DatabaseState::kUnknown);
  EXPECT_THAT(hung.database()->problem, HasSubstr("no answer"));
  EXPECT_FALSE(hung.fence.proven);
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kPrimary);
}

TEST(CrashTest, ASupervisorThatHangsHidesNothingOfItsServer) {
  World world;
  Site& home = world.home();
  ASSERT_EQ(kill(home.supervisor, SIGSTOP), 0);
  for (int look = 0; look < 3; ++look) {
    const Observation seen = world.Observe(home);
    EXPECT_EQ(seen.database()->state, DatabaseState::kPrimary);
    EXPECT_FALSE(seen.service_managed);
  }
  EXPECT_EQ(kill(home.supervisor, SIGCONT), 0);
  world.Eventually("it answers again", [&] { return world.Observe(home).service_managed; });
}

TEST(CrashTest, AStopThatTakesTooLongFailsWithTheFenceInPlace) {
  World world;
  Site& home = world.home();
  const pid_t postmaster = home.Postmaster();
  ASSERT_EQ(kill(postmaster, SIGSTOP), 0);
  world.NextEpoch();
  const Outcome fenced = world.Do(home, Fence{}, absl::Seconds(3));
  EXPECT_EQ(fenced.code, OutcomeCode::kFailed);
  EXPECT_THAT(fenced.message, HasSubstr("the fence says closing"));
  EXPECT_FALSE(world.Look(home, Fence{}).ok());
  EXPECT_EQ(kill(postmaster, SIGCONT), 0);
  const Outcome again = world.Do(home, Fence{});
  EXPECT_TRUE(again.ok()) << again.message;
}

TEST(CrashTest, CancelEndsAWaitAndSaysWhatWasDone) {
  World world;
  Command command;
  command.id = CommandId("apply");
  command.epoch = world.epoch();
  command.timeout = absl::Minutes(5);
  command.action = ApplyPendingLogs{LogPosition{1, uint64_t{1} << 40}};
  std::promise<void> begun;
  std::promise<Outcome> promise;
  std::once_flag once;
  world.away().runner->Start(
      command, [&](const Progress&) { std::call_once(once, [&] { begun.set_value(); }); },
      [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  begun.get_future().wait();
  world.away().runner->Cancel(CommandId("another"));
  world.away().runner->Cancel(CommandId("apply"));
  const Outcome outcome = promise.get_future().get();
  EXPECT_EQ(outcome.code, OutcomeCode::kCancelled);
  EXPECT_THAT(outcome.message, HasSubstr("done: nothing"));
}

}  // namespace
}  // namespace baton::test
