// What makes a database protected again: settings, quarantine, seeding.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/supervisor_state.h"
#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// The home site dies with log that nobody else has; the other one goes on. The fork.
LogPosition LoseHome(World& world) {
  Site& home = world.home();
  Site& away = world.away();
  std::ofstream(home.folder + "/etc/extra.conf") << "archive_command = 'false'\n";
  world.Sql(home, "SELECT pg_reload_conf()");
  for (int id = 1; id <= 7; ++id) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", id, ")").c_str());
  }
  world.KillAll(home);
  std::filesystem::remove(home.folder + "/etc/extra.conf");
  world.NextEpoch();
  const Outcome stopped = world.Do(away, StopLogShipping{world.lineages(), false});
  EXPECT_TRUE(stopped.ok()) << stopped.message;
  world.Seal(*stopped.position);
  EXPECT_TRUE(world.Do(away, ApplyPendingLogs{*stopped.position, true}).ok());
  const Outcome recovered = world.Do(away, Recover{world.BeginLineage(away)});
  EXPECT_TRUE(recovered.ok()) << recovered.message;
  world.Sql(away, "INSERT INTO posts VALUES (100)");
  // It comes back, and is fenced before anything else.
  absl::StatusOr<FenceRecord> record = home.fences->Read();
  record->phase = FencePhase::kClosing;
  record->fence_epoch = world.epoch();
  EXPECT_TRUE(home.fences->Write(*record).ok());
  EXPECT_TRUE(home.fences->PlaceStandbySignal().ok());
  world.StartSupervisor(&home);
  return recovered.position.value_or(LogPosition{});
}

TEST(ProtectTest, OrphansAreKeptAndTheOldPrimaryIsSeededAndFollows) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  const LogPosition fork = LoseHome(world);
  const Observation returned = world.Observe(home);
  EXPECT_EQ(returned.database()->state, DatabaseState::kDown);
  EXPECT_GT(returned.database()->log_end.lsn, fork.lsn);

  Quarantine quarantine{world.system_id(), fork, "first", std::nullopt};
  Quarantine foreign = quarantine;
  foreign.system_id = "1";
  EXPECT_EQ(world.Do(home, foreign).reason, "WRONG_SYSTEM_ID");
  EXPECT_EQ(world.Do(away, quarantine).reason, "NOT_FENCED");
  EXPECT_EQ(world.Do(home, Seed{away.config.host, world.system_id()}).reason, "HOLDS_THE_RIGHT");
  const Outcome kept = world.Do(home, quarantine);
  ASSERT_TRUE(kept.ok()) << kept.message;
  EXPECT_GT(kept.bytes, 0u);
  EXPECT_TRUE(world.Do(home, quarantine).ok());
  const Observation empty = world.Observe(home);
  EXPECT_EQ(empty.database()->state, DatabaseState::kEmpty);
  EXPECT_TRUE(empty.fence.proven);
  EXPECT_TRUE(empty.fence.write_epoch.none());
  ASSERT_THAT(empty.database()->quarantine, SizeIs(1));
  EXPECT_EQ(empty.database()->quarantine[0].name, "first");
  EXPECT_EQ(empty.database()->quarantine[0].fork, fork);
  EXPECT_GE(empty.database()->quarantine[0].commits, 7u);  // and what proved it writable
  EXPECT_GT(empty.database()->quarantine[0].disk_bytes, 1u << 20);
  EXPECT_TRUE(world.Check(home, Fence{}).ok()) << "it would be fenced without data as well";

  EXPECT_EQ(world.Do(home, Seed{away.config.host, "1"}).reason, "WRONG_SYSTEM_ID");
  EXPECT_TRUE(world.Check(home, Seed{away.config.host, world.system_id()}).ok());
  const Outcome seeded = world.Do(home, Seed{away.config.host, world.system_id()});
  ASSERT_TRUE(seeded.ok()) << seeded.message;
  EXPECT_FALSE(home.children.empty());
  EXPECT_TRUE(world.Do(home, Seed{away.config.host, world.system_id()}).ok());
  EXPECT_TRUE(world.Look(home, Seed{away.config.host, world.system_id()}).ok());
  ASSERT_TRUE(world.Do(home, StartStandby{world.lineages()}).ok());
  EXPECT_EQ(world.Do(home, Seed{away.config.host, world.system_id()}).reason, "STILL_RUNS");
  world.Sql(away, "INSERT INTO posts VALUES (101)");
  const LogPosition now = world.Observe(away).database()->position;
  const Outcome applied = world.Do(home, ApplyPendingLogs{{now.timeline, now.lsn - 1}});
  EXPECT_TRUE(applied.ok()) << applied.message;
  world.Eventually("it shows", [&] {
    return world.Observe(home).database()->last_commit != absl::InfinitePast();
  });
  ASSERT_TRUE(world.Switchover(away, home));
  EXPECT_EQ(world.Sql(home, "SELECT string_agg(id::text, ',' ORDER BY id) FROM posts"), "100,101");

  EXPECT_TRUE(world.Do(home, RemoveQuarantine{"first"}).ok());
  EXPECT_TRUE(world.Do(home, RemoveQuarantine{"first"}).ok());
  EXPECT_THAT(world.Observe(home).database()->quarantine, SizeIs(0));
  for (const Timing& timing : world.timings()) {
    std::printf("  %-28s %7.1f ms\n", timing.action.c_str(),
                absl::ToDoubleMilliseconds(timing.took));
  }
}

TEST(ProtectTest, OrphansGoOnlyUpToTheBytesThatSomeoneNamed) {
  World world;
  const LogPosition fork = LoseHome(world);
  const Outcome kept = world.Do(world.home(), Quarantine{world.system_id(), fork, "a", 1});
  ASSERT_TRUE(kept.ok()) << kept.message;
  EXPECT_THAT(world.Observe(world.home()).database()->quarantine, SizeIs(1));
  std::filesystem::rename(world.home().folder + "/quarantine/a/data",
                          world.home().folder + "/data");
  const Outcome gone = world.Do(world.home(), Quarantine{world.system_id(), fork, "b", kept.bytes});
  ASSERT_TRUE(gone.ok()) << gone.message;
  const Observation seen = world.Observe(world.home());
  EXPECT_EQ(seen.database()->state, DatabaseState::kEmpty);
  EXPECT_THAT(seen.database()->quarantine, SizeIs(0));
}

TEST(ProtectTest, ASeedThatWasCutOffIsNeverStartedAndBeginsAnew) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  const LogPosition fork = LoseHome(world);
  ASSERT_TRUE(world.Do(home, Quarantine{world.system_id(), fork, "a", std::nullopt}).ok());
  std::ofstream(home.folder + "/data.baton-incomplete").flush();
  std::filesystem::create_directories(home.folder + "/data/base");
  std::ofstream(home.folder + "/data/PG_VERSION") << "15\n";
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kEmpty);
  EXPECT_FALSE(world.Do(home, Start{}).ok());
  const Outcome seeded = world.Do(home, Seed{away.config.host, world.system_id()});
  ASSERT_TRUE(seeded.ok()) << seeded.message;
  EXPECT_TRUE(world.Do(home, StartStandby{world.lineages()}).ok());
}

TEST(ProtectTest, ACancelledSeedLeavesNothingThatStarts) {
  World world;
  Site& home = world.home();
  const LogPosition fork = LoseHome(world);
  ASSERT_TRUE(world.Do(home, Quarantine{world.system_id(), fork, "a", std::nullopt}).ok());
  Command command;
  command.id = CommandId("seed");
  command.epoch = world.epoch();
  command.timeout = absl::Minutes(1);
  command.action = Seed{world.away().config.host, world.system_id()};
  std::promise<Outcome> promise;
  home.runner->Start(command, nullptr, [&](Outcome o) { promise.set_value(std::move(o)); });
  world.Eventually("it copies", [&] { return !home.children.empty(); });
  home.runner->Cancel(command.id);
  const Outcome outcome = promise.get_future().get();
  EXPECT_EQ(outcome.code, OutcomeCode::kCancelled) << outcome.message;
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kEmpty);
  EXPECT_FALSE(world.Do(home, Start{}).ok());
  EXPECT_TRUE(world.Do(home, command.action).ok());
}

TEST(ProtectTest, SettingsAreWrittenReadAndWaitForARestartWhereTheyMust) {
  World world;
  Site& home = world.home();
  const std::string file = home.config.engine.at("settings_file");
  EXPECT_FALSE(world.Look(home, ConfigureLogShipping{}).ok());
  EXPECT_TRUE(world.Check(home, ConfigureLogShipping{}).ok());
  const Outcome first = world.Do(home, ConfigureLogShipping{true});
  ASSERT_TRUE(first.ok()) << first.message;
  EXPECT_TRUE(world.Look(home, ConfigureLogShipping{}).ok());
  EXPECT_EQ(world.Sql(home, "SELECT sourcefile FROM pg_settings WHERE name = 'restore_command'"),
            file);
  EXPECT_TRUE(world.Do(home, ConfigureLogShipping{}).ok());
  ASSERT_TRUE(world.Switchover(home, world.away()));

  const std::string marker = home.share_path() + "/.baton-share";
  std::filesystem::remove(marker);
  EXPECT_THAT(world.Do(home, ConfigureLogShipping{true}).message, HasSubstr("an empty folder or"));
  std::filesystem::remove_all(home.share_path());
  std::filesystem::create_directories(home.share_path());
  const Outcome unmounted = world.Do(home, ConfigureLogShipping{true});
  EXPECT_THAT(unmounted.message, HasSubstr("is mounted; mount it and ask again"));
  EXPECT_FALSE(std::filesystem::exists(marker));
  std::ofstream(marker) << home.config.share.value() << "\n";
  EXPECT_TRUE(world.Do(home, ConfigureLogShipping{true}).ok());
  std::ofstream(home.folder + "/etc/extra.conf") << "restore_command = 'false'\n";
  EXPECT_EQ(world.Do(home, ConfigureLogShipping{}, absl::Seconds(20)).reason, "OVERRIDDEN");
}

TEST(ProtectTest, AQuarantineFolderThatLiesInTheDataIsRefusedBeforeAnythingIsRemoved) {
  World world;
  Site& home = world.home();
  const LogPosition fork = LoseHome(world);
  std::filesystem::create_directories(home.folder + "/data/kept/earlier/data");
  std::filesystem::create_directory_symlink(home.folder + "/data/kept",
                                            home.folder + "/quarantine");
  const Outcome refused =
      world.Do(home, Quarantine{world.system_id(), fork, "a", uint64_t{1} << 40});
  EXPECT_EQ(refused.reason, "NESTED") << refused.message;
  EXPECT_TRUE(std::filesystem::exists(home.folder + "/data/kept/earlier/data"));
  EXPECT_TRUE(std::filesystem::exists(home.folder + "/data/PG_VERSION"));
}

TEST(ProtectTest, DataThatIsReachedByALinkIsCopiedAndItsPlaceStays) {
  World world;
  Site& home = world.home();
  const LogPosition fork = LoseHome(world);
  std::filesystem::create_directory(home.folder + "/disk");
  std::filesystem::rename(home.folder + "/data", home.folder + "/disk/data");
  std::filesystem::create_directory_symlink(home.folder + "/disk/data", home.folder + "/data");
  const Outcome kept = world.Do(home, Quarantine{world.system_id(), fork, "a", std::nullopt});
  ASSERT_TRUE(kept.ok()) << kept.message;
  const std::string data = home.folder + "/quarantine/a/data";
  EXPECT_FALSE(std::filesystem::is_symlink(data));
  EXPECT_TRUE(std::filesystem::exists(data + "/global/pg_control"));
  EXPECT_TRUE(std::filesystem::is_symlink(home.folder + "/data"));
  EXPECT_TRUE(std::filesystem::is_empty(home.folder + "/disk/data"));
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kEmpty);
  const Outcome seeded = world.Do(home, Seed{world.away().config.host, world.system_id()});
  ASSERT_TRUE(seeded.ok()) << seeded.message;
  EXPECT_TRUE(std::filesystem::exists(home.folder + "/disk/data/PG_VERSION"));
}

// One that is down because it crashed is started again by its supervisor, every now and then.
TEST(ProtectTest, NothingStartsTheServerWhileItsDataIsMovedAside) {
  World world;
  Site& away = world.away();
  std::ofstream(away.folder + "/etc/extra.conf") << "no_such_setting = 1\n";
  ASSERT_EQ(kill(away.Postmaster(), SIGKILL), 0);
  world.Eventually("it is down", [&] {
    const Observation seen = world.Observe(away);
    return seen.database()->state == DatabaseState::kDown && seen.fence.proven;
  });
  const std::string state = away.config.run_directory + "/mgc.state";
  EXPECT_TRUE(LoadSupervisorState(state)->desired_up);
  world.NextEpoch();
  Outcome kept;
  world.Eventually("no start is under way", [&] {
    kept = world.Do(away, Quarantine{world.system_id(), {2, 1}, "a", std::nullopt});
    return kept.reason != "STILL_RUNS";
  });
  ASSERT_TRUE(kept.ok()) << kept.message;
  EXPECT_FALSE(LoadSupervisorState(state)->desired_up);
}

TEST(ProtectTest, OnlyWhatWasKeptAsideIsRemovedFromAQuarantineFolder) {
  World world;
  Site& home = world.home();
  std::filesystem::create_directories(home.folder + "/quarantine/else/data");
  const Outcome refused = world.Do(home, RemoveQuarantine{"else"});
  EXPECT_EQ(refused.reason, "NOT_IN_QUARANTINE") << refused.message;
  EXPECT_TRUE(std::filesystem::exists(home.folder + "/quarantine/else/data"));
  EXPECT_EQ(world.Do(home, RemoveQuarantine{".."}).reason, "BAD_NAME");
}

}  // namespace
}  // namespace baton::test
