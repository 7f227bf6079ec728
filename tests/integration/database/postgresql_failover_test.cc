// A backup that is brought online without its primary: what is served, what is sealed off, what is
// salvaged.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What of `acknowledged` is missing; nothing that is there may come after it.
size_t Lost(World& world, Site& site, const std::vector<int64_t>& acknowledged) {
  const std::set<int64_t> stored = world.Stored(site);
  size_t lost = 0;
  for (const int64_t id : acknowledged) {
    if (stored.count(id) == 0) {
      ++lost;
    } else {
      EXPECT_EQ(lost, 0u) << id << " is there, though an earlier one is lost";
    }
  }
  return lost;
}

struct Options {
  bool without_share = false;
  std::string salvage;
};

// The site is lost once all that it had written is on the share.
void LoseOnceShipped(World& world, Site& site) {
  world.Eventually("it was shipped",
                   [&] { return world.Observe(site).database()->ready_files == 0; });
  world.KillAll(site);
  world.NextEpoch();
}

// F1 and F2. The seal; none: a step failed, which failed the test.
std::optional<LogPosition> SealAndCopy(World& world, Site& to, bool without_share = false) {
  const Outcome stopped = world.Do(to, StopLogShipping{world.lineages(), without_share});
  EXPECT_TRUE(stopped.ok()) << stopped.message;
  if (!stopped.ok()) return std::nullopt;
  world.Seal(*stopped.position);
  const Outcome copied = world.Do(to, CopyPendingLogs{world.lineages()});
  EXPECT_TRUE(copied.ok()) << copied.message;
  return copied.ok() ? stopped.position : std::nullopt;
}

// The database's part of a failover. False: a step failed, which failed the test.
bool FailOver(World& world, Site& to, const Options& options) {
  world.timings().clear();
  if (!options.salvage.empty()) {
    const Outcome salvaged = world.Do(to, SalvageLogs{world.lineage(), options.salvage});
    EXPECT_TRUE(salvaged.ok()) << salvaged.message;
  }
  const std::optional<LogPosition> seal = SealAndCopy(world, to, options.without_share);
  if (!seal.has_value()) return false;
  const Outcome applied = world.Do(to, ApplyPendingLogs{*seal, true});
  EXPECT_TRUE(applied.ok()) << applied.message;
  const Outcome recovered = world.Do(to, Recover{world.BeginLineage(to)});
  EXPECT_TRUE(recovered.ok()) << recovered.message;
  absl::Duration sum;
  for (const Timing& timing : world.timings()) {
    std::printf("  %-28s %7.1f ms\n", timing.action.c_str(),
                absl::ToDoubleMilliseconds(timing.took));
    sum += timing.took;
  }
  std::printf("  %-28s %7.1f ms; sealed at %s\n", "until it takes writes",
              absl::ToDoubleMilliseconds(sum), seal->ToString().c_str());
  return applied.ok() && recovered.ok();
}

std::string SegmentAt(World& world, Site& site) {
  return world.Sql(site, "SELECT pg_walfile_name(pg_create_restore_point('here'))");
}

TEST(FailoverTest, WhatTheShareHasIsKeptAfterAKillOfThePrimary) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  Writer writer(home);
  world.Eventually("writes", [&] { return writer.acknowledged() > 500; });
  world.KillAll(home);
  const std::vector<int64_t> acknowledged = writer.Stop();
  world.NextEpoch();
  ASSERT_TRUE(FailOver(world, away, {}));
  const size_t lost = Lost(world, away, acknowledged);
  std::printf("  lost %zu of %zu\n", lost, acknowledged.size());
  world.Sql(away, "INSERT INTO posts VALUES (-1)");
  EXPECT_TRUE(world.Look(away, Recover{world.lineage()}).ok());
}

TEST(FailoverTest, SalvageFromTheDeadPrimarysDirectoryLosesNothing) {
  for (int round = 0; round < 3; ++round) {
    World world;
    Site& home = world.home();
    Site& away = world.away();
    const Outcome alive = world.Do(away, SalvageLogs{world.lineage(), home.config.data_directory});
    EXPECT_EQ(alive.reason, "STILL_ALIVE") << alive.message;
    Writer writer(home);
    world.Eventually("writes", [&] { return writer.acknowledged() > 300u + 200u * round; });
    world.KillAll(home);
    const std::vector<int64_t> acknowledged = writer.Stop();
    world.NextEpoch();
    Lineage foreign = world.lineage();
    foreign.system_id = "1";
    EXPECT_EQ(world.Do(away, SalvageLogs{foreign, home.config.data_directory}).reason,
              "WRONG_SYSTEM_ID");
    EXPECT_EQ(world.Do(away, SalvageLogs{world.lineage(), "/nowhere"}).reason, "UNREADABLE");
    EXPECT_TRUE(world.Check(away, SalvageLogs{world.lineage(), home.config.data_directory}).ok());
    ASSERT_TRUE(FailOver(world, away, {false, home.config.data_directory}));
    EXPECT_EQ(Lost(world, away, acknowledged), 0u) << "of " << acknowledged.size();
  }
}

// A copy of the data directory from before: its last file has less in it than the shipped one.
TEST(FailoverTest, SalvageFromAnOlderCopyTakesNothingFromWhatWasShipped) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  world.Sql(away, "SELECT pg_wal_replay_pause()");
  world.Sql(home, "SELECT pg_switch_wal()");
  world.Sql(home, "INSERT INTO posts VALUES (1)");
  const std::string copy = home.folder + "/copy-of-data";
  for (const char* part : {"/global", "/pg_wal"}) {
    std::filesystem::create_directories(copy + part);
    for (const auto& entry :
         std::filesystem::directory_iterator(home.config.data_directory + part)) {
      if (entry.is_regular_file()) {
        std::filesystem::copy_file(entry.path(),
                                   copy + part + "/" + entry.path().filename().string());
      }
    }
  }
  std::filesystem::copy_file(home.config.data_directory + "/PG_VERSION", copy + "/PG_VERSION");
  for (int id = 2; id <= 3; ++id) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", id, ")").c_str());
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  LoseOnceShipped(world, home);
  const Outcome salvaged = world.Do(away, SalvageLogs{world.lineage(), copy});
  EXPECT_TRUE(salvaged.ok()) << salvaged.message;
  world.Sql(away, "SELECT pg_wal_replay_resume()");
  ASSERT_TRUE(FailOver(world, away, {}));
  EXPECT_EQ(world.Sql(away, "SELECT count(*) FROM posts"), "3");
}

TEST(FailoverTest, AShareThatIsGoneCountsOnlyWithSomeonesWord) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  Writer writer(home);
  world.Eventually("writes", [&] { return writer.acknowledged() > 300; });
  std::filesystem::remove(home.share_path() + "/.baton-share");
  world.KillAll(home);
  const std::vector<int64_t> acknowledged = writer.Stop();
  world.Eventually("the share is missed",
                   [&] { return !world.Observe(away).database()->share_problem.empty(); });
  world.NextEpoch();
  const Outcome refused = world.Do(away, StopLogShipping{world.lineages(), false});
  EXPECT_EQ(refused.reason, "SHARE_UNREADABLE") << refused.message;
  EXPECT_TRUE(world.Do(away, CheckDatabase{InstanceRole::kBackup, world.system_id()}).ok());
  ASSERT_TRUE(FailOver(world, away, {true, ""}));
  Lost(world, away, acknowledged);
}

TEST(FailoverTest, WhatALatePushBringsIsNotServedPastTheSeal) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  world.Sql(home, "INSERT INTO posts VALUES (1)");
  world.Sql(home, "SELECT pg_switch_wal()");
  world.Eventually("it was applied", [&] {
    return world.Sql(away, "SELECT count(*) FROM posts WHERE id = 1") == "1";
  });
  world.NextEpoch();
  const Outcome stopped = world.Do(away, StopLogShipping{world.lineages(), false});
  ASSERT_TRUE(stopped.ok()) << stopped.message;
  EXPECT_TRUE(world.Look(away, StopLogShipping{world.lineages(), false}).ok());
  // The other site lives and goes on.
  for (int segment = 2; segment <= 4; ++segment) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", segment, ")").c_str());
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  world.Eventually("it was shipped",
                   [&] { return world.Observe(home).database()->ready_files == 0; });
  const Outcome again = world.Do(away, StopLogShipping{world.lineages(), false});
  EXPECT_EQ(again.position, stopped.position);
  ASSERT_TRUE(FailOver(world, away, {}));
  const std::set<int64_t> stored = world.Stored(away);
  EXPECT_EQ(stored.count(1), 1u);
  EXPECT_EQ(stored.count(4), 0u);
}

TEST(FailoverTest, AGapIsNamedAndTheLogSealedBeforeIt) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  // What is shipped lies out of the backup's sight for a while.
  const std::string share = home.share_path();
  const std::string marker = share + "/.baton-share";
  world.Sql(home, "INSERT INTO posts VALUES (1)");
  world.Sql(home, "SELECT pg_switch_wal()");
  world.Eventually("it was applied", [&] {
    return world.Sql(away, "SELECT count(*) FROM posts WHERE id = 1") == "1";
  });
  ASSERT_EQ(kill(away.supervisor, SIGSTOP), 0);
  ASSERT_EQ(kill(away.Postmaster(), SIGINT), 0);
  world.Eventually("the backup is down", [&] {
    return away.fences->ProveNothingRuns(absl::ZeroDuration()).ok() ||
           world.Observe(away).database()->state == DatabaseState::kDown;
  });
  std::string missing;
  for (int segment = 2; segment <= 4; ++segment) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", segment, ")").c_str());
    if (segment == 3) missing = SegmentAt(world, home);
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  world.Eventually("it was shipped",
                   [&] { return world.Observe(home).database()->ready_files == 0; });
  world.KillAll(home);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(share)) {
    if (entry.path().filename() == missing) std::filesystem::remove(entry.path());
  }
  ASSERT_EQ(kill(away.supervisor, SIGCONT), 0);
  world.Eventually("the backup follows again", [&] {
    const Observation seen = world.Observe(away);
    return seen.database()->state == DatabaseState::kStandby;
  });
  // Had more been announced, nothing would be sealed.
  const Outcome less =
      world.Do(away, StopLogShipping{world.lineages(), false, {1, uint64_t{1} << 40}});
  EXPECT_EQ(less.reason, "KEEPS_LESS") << less.message;
  EXPECT_NE(less.message.find(missing), std::string::npos) << less.message;
  const absl::StatusOr<FenceRecord> fence = away.fences->Read();
  ASSERT_TRUE(fence.ok());
  EXPECT_FALSE(fence->fetch.back().sealed.has_value());
  world.Eventually("the gap is seen",
                   [&] { return world.Observe(away).database()->gap == missing; });
  world.NextEpoch();
  const Outcome stopped = world.Do(away, StopLogShipping{world.lineages(), false});
  ASSERT_TRUE(stopped.ok()) << stopped.message;
  EXPECT_THAT(stopped.message, HasSubstr(missing));
  world.Seal(*stopped.position);
  ASSERT_TRUE(FailOver(world, away, {}));
  const std::set<int64_t> stored = world.Stored(away);
  EXPECT_EQ(stored.count(2), 1u);
  EXPECT_EQ(stored.count(3), 0u);
}

// What the standby cannot fetch, though it is there, is no end of the log.
TEST(FailoverTest, AFileThatCannotBeFetchedIsNotTakenForTheEndOfTheLog) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  world.Sql(away, "SELECT pg_wal_replay_pause()");
  std::string damaged;
  for (int segment = 1; segment <= 3; ++segment) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", segment, ")").c_str());
    if (segment == 2) damaged = SegmentAt(world, home);
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  LoseOnceShipped(world, home);
  const std::optional<LogPosition> seal = SealAndCopy(world, away);
  ASSERT_TRUE(seal.has_value());
  std::string copy;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(away.config.copy_destination)) {
    if (entry.path().filename() == damaged) copy = entry.path().string();
  }
  ASSERT_FALSE(copy.empty());
  std::filesystem::copy_file(copy, away.folder + "/good");
  std::fstream(copy, std::ios::in | std::ios::out | std::ios::binary).seekp(4096) << "damaged";
  world.Sql(away, "SELECT pg_wal_replay_resume()");
  const ApplyPendingLogs apply{*seal, true};
  const Outcome early = world.Do(away, apply, absl::Seconds(4));
  EXPECT_EQ(early.reason, "DEADLINE_EXCEEDED") << early.message;
  EXPECT_THAT(early.message, HasSubstr("waiting for " + damaged));
  std::filesystem::copy_file(away.folder + "/good", copy,
                             std::filesystem::copy_options::overwrite_existing);
  const Outcome applied = world.Do(away, apply);
  ASSERT_TRUE(applied.ok()) << applied.message;
  EXPECT_EQ(world.Sql(away, "SELECT count(*) FROM posts"), "3");
}

// Its Recover wrote its fence file and nothing else; then it is fenced.
void BeginToRecoverAndGiveUp(World& world, Site& site) {
  absl::StatusOr<FenceRecord> record = site.fences->Read();
  ASSERT_TRUE(record.ok());
  record->phase = FencePhase::kUnconfirmed;
  record->write = world.LineageOf(site);
  ASSERT_TRUE(site.fences->Write(*record).ok());
  world.NextEpoch();
  const Outcome fenced = world.Do(site, Fence{});
  ASSERT_TRUE(fenced.ok()) << fenced.message;
}

// Of a stopped instance: restored files and its own. What it replays again, it must fetch again.
void EmptyItsLog(const Site& site) {
  for (const auto& entry :
       std::filesystem::directory_iterator(site.config.data_directory + "/pg_wal")) {
    if (entry.is_regular_file()) std::filesystem::remove(entry.path());
  }
}

// A move was given up when its Recover had written its fence file and nothing else. Whatever is
// left of the restored files in its own pg_wal, all that was sealed is there when it is promoted.
TEST(FailoverTest, GivenTheRightAndNeverOpenItStillHasAllThatWasSealed) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  world.Sql(away, "CHECKPOINT");
  for (int segment = 1; segment <= 4; ++segment) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", segment, ")").c_str());
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  LoseOnceShipped(world, home);
  const std::optional<LogPosition> seal = SealAndCopy(world, away);
  ASSERT_TRUE(seal.has_value());
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{*seal, true}).ok());
  BeginToRecoverAndGiveUp(world, away);
  EmptyItsLog(away);
  const Outcome recovered = world.Do(away, Recover{world.BeginLineage(away), true});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(world.Sql(away, "SELECT count(*) FROM posts"), "4");
  const absl::StatusOr<FenceRecord> record = away.fences->Read();
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->phase, FencePhase::kOpen);
  EXPECT_TRUE(record->fetch.empty());
}

// The primary was adopted anew on its way: no position seals what it had shipped before that.
// Whoever was given the right and begins its replay anew from there finds it all the same.
TEST(FailoverTest, GivenTheRightItStillHasWhatWasShippedBeforeAnAdoption) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  world.Sql(away, "CHECKPOINT");
  const auto write = [&](int from, int to) {
    for (int post = from; post <= to; ++post) {
      world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", post, ")").c_str());
      world.Sql(home, "SELECT pg_switch_wal()");
    }
    world.Eventually("it was shipped",
                     [&] { return world.Observe(home).database()->ready_files == 0; });
  };
  write(1, 2);
  world.NextEpoch();
  world.BeginLineage(home);
  ASSERT_TRUE(world.Do(away, StartStandby{world.lineages()}).ok());
  const Outcome adopted = world.Do(home, Unfence{world.lineage()});
  ASSERT_TRUE(adopted.ok()) << adopted.message;
  write(3, 4);
  LoseOnceShipped(world, home);
  const std::optional<LogPosition> seal = SealAndCopy(world, away);
  ASSERT_TRUE(seal.has_value());
  ASSERT_FALSE(world.lineages().front().sealed.has_value());
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{*seal, true}).ok());
  BeginToRecoverAndGiveUp(world, away);
  EmptyItsLog(away);
  // Without the copies of that part it says what is missing where; with them it goes on.
  const std::string copies = away.config.copy_destination;
  std::filesystem::rename(copies, copies + ".aside");
  const Recover recover{world.BeginLineage(away), true};
  const Outcome lacking = world.Do(away, recover, absl::Seconds(3));
  EXPECT_FALSE(lacking.ok());
  EXPECT_THAT(lacking.message,
              AllOf(HasSubstr(copies), HasSubstr("baton resume"), HasSubstr("baton abort")));
  std::filesystem::rename(copies + ".aside", copies);
  const Outcome recovered = world.Do(away, recover);
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(world.Sql(away, "SELECT count(*) FROM posts"), "4");
}

// What was applied was in memory alone when the server died, and its fence file, which lists what
// it follows, is lost with the ledger. The command knows what it is to have before it is promoted.
TEST(FailoverTest, WithoutItsFenceFileItReplaysWhatTheCommandNames) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  world.Sql(away, "CHECKPOINT");
  for (int post = 1; post <= 3; ++post) {
    world.Sql(home, absl::StrCat("INSERT INTO posts VALUES (", post, ")").c_str());
    world.Sql(home, "SELECT pg_switch_wal()");
  }
  LoseOnceShipped(world, home);
  const std::optional<LogPosition> seal = SealAndCopy(world, away);
  ASSERT_TRUE(seal.has_value());
  const std::vector<Lineage> applied = world.lineages();
  ASSERT_TRUE(world.Do(away, ApplyPendingLogs{*seal, true}).ok());
  ASSERT_TRUE(world.Do(away, Stop{}).ok());
  EmptyItsLog(away);
  absl::StatusOr<FenceRecord> record = away.fences->Read();
  ASSERT_TRUE(record.ok());
  record->fetch.clear();
  ASSERT_TRUE(away.fences->Write(*record).ok());
  const Outcome recovered = world.Do(away, Recover{world.BeginLineage(away), false, applied});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(world.Sql(away, "SELECT count(*) FROM posts"), "3");
}

}  // namespace
}  // namespace baton::test
