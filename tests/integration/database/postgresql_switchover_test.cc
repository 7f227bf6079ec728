// Planned moves there and back, with somebody writing all the time.
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void ExpectNothingLost(World& world, Site& primary, const std::vector<int64_t>& acknowledged) {
  const std::set<int64_t> stored = world.Stored(primary);
  size_t lost = 0;
  for (const int64_t id : acknowledged) lost += stored.count(id) == 0;
  EXPECT_EQ(lost, 0u) << "of " << acknowledged.size() << " acknowledged";
}

void PrintTimings(World& world, absl::Duration gap) {
  absl::Duration sum;
  for (const Timing& timing : world.timings()) {
    std::printf("  %-28s %7.1f ms\n", timing.action.c_str(),
                absl::ToDoubleMilliseconds(timing.took));
    if (timing.action.find("StartStandby") == std::string::npos) sum += timing.took;
  }
  std::printf("  %-28s %7.1f ms; longest write gap %.1f ms\n", "until the backup is recovered",
              absl::ToDoubleMilliseconds(sum), absl::ToDoubleMilliseconds(gap));
}

TEST(SwitchoverTest, LosesNothingThereAndBackAndTheOldPrimaryFollowsWithoutRewind) {
  World world;
  Writer writer(world.home());
  world.on_recovered = [&writer](Site& primary) { writer.Follow(primary); };
  Site* from = &world.home();
  Site* to = &world.away();
  for (int move = 1; move <= 6; ++move) {
    const size_t before = writer.acknowledged();
    ASSERT_TRUE(world.Eventually("writes", [&] { return writer.acknowledged() > before + 200; }));
    writer.TakeLongestGap();
    ASSERT_TRUE(world.Switchover(*from, *to)) << "move " << move;
    std::swap(from, to);
    const size_t after = writer.acknowledged();
    ASSERT_TRUE(world.Eventually("writes", [&] { return writer.acknowledged() > after + 20; }));
    PrintTimings(world, writer.TakeLongestGap());
  }
  const std::vector<int64_t> acknowledged = writer.Stop();
  ExpectNothingLost(world, *from, acknowledged);
  const std::string stored = world.Sql(*from, "SELECT count(*) FROM posts");
  world.Eventually("the standby has everything",
                   [&] { return world.Sql(*to, "SELECT count(*) FROM posts") == stored; });
  const Observation primary = world.Observe(*from);
  const Observation standby = world.Observe(*to);
  EXPECT_EQ(primary.database()->state, DatabaseState::kPrimary);
  EXPECT_EQ(primary.database()->position.timeline, 7u);
  EXPECT_TRUE(primary.database()->archiving);
  EXPECT_THAT(primary.database()->problem, IsEmpty());
  EXPECT_EQ(standby.database()->state, DatabaseState::kStandby);
  EXPECT_EQ(standby.database()->position.timeline, 7u);
  EXPECT_TRUE(standby.fence.proven);
  EXPECT_THAT(standby.database()->problem, IsEmpty());
}

TEST(SwitchoverTest, DoesNotCopyBackWhatItWroteItself) {
  World world;
  const std::string first =
      world.Sql(world.home(), "SELECT pg_walfile_name(pg_create_restore_point('first'))");
  for (int segment = 0; segment < 3; ++segment) {
    world.Sql(world.home(), "SELECT pg_create_restore_point('next'), pg_switch_wal()");
  }
  ASSERT_TRUE(world.Switchover(world.home(), world.away()));
  ASSERT_TRUE(world.Switchover(world.away(), world.home()));
  const auto found = [&first](const std::string& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().filename() == first) return true;
    }
    return false;
  };
  EXPECT_TRUE(found(world.away().config.copy_destination)) << first;
  EXPECT_FALSE(found(world.home().config.copy_destination)) << first;
}

TEST(SwitchoverTest, RepeatedActionsGiveTheSameResult) {
  World world;
  Site& home = world.home();
  Site& away = world.away();
  const auto twice = [&world](Site& site, const Action& action) {
    const Outcome first = world.Do(site, action);
    const Outcome second = world.Do(site, action);
    EXPECT_TRUE(first.ok()) << first.message;
    EXPECT_TRUE(second.ok()) << second.message;
    EXPECT_EQ(first.position, second.position) << ActionName(action);
    const Outcome seen = world.Look(site, action);
    EXPECT_EQ(seen.ok(), !std::holds_alternative<CopyPendingLogs>(action)) << seen.message;
    return first;
  };
  EXPECT_TRUE(world.Do(home, CheckDatabase{InstanceRole::kPrimary, "", true, true}).ok());
  const Lineage old_lineage = world.lineage();
  world.NextEpoch();
  twice(home, EndConnections{});
  twice(home, Fence{});
  const Outcome shipped = twice(home, ShipTail{});
  ASSERT_TRUE(shipped.position.has_value());
  Lineage sealed = old_lineage;
  sealed.sealed = shipped.position;
  twice(away, CopyPendingLogs{{sealed}});
  twice(away, ApplyPendingLogs{*shipped.position});
  const Lineage lineage = world.LineageOf(away);
  const Outcome recovered = twice(away, Recover{lineage});
  EXPECT_EQ(recovered.position->timeline, 2u);
  EXPECT_GT(recovered.position->lsn, shipped.position->lsn);
  world.Do(home, StartStandby{{sealed, lineage}});
  EXPECT_TRUE(world.Do(home, StartStandby{{sealed, lineage}}).ok());
  world.Eventually("the old primary reaches the new timeline", [&] {
    const Observation seen = world.Observe(home);
    return seen.database()->state == DatabaseState::kStandby &&
           seen.database()->position.timeline == 2;
  });
  EXPECT_TRUE(world.Look(home, StartStandby{{sealed, lineage}}).ok());
}

TEST(SwitchoverTest, AFenceBeforeTheTailIsUndoneInPlace) {
  World world;
  Site& home = world.home();
  world.NextEpoch();
  ASSERT_TRUE(world.Do(home, Fence{}).ok());
  EXPECT_FALSE(world.Look(home, Unfence{world.lineage()}).ok());
  const Observation fenced = world.Observe(home);
  EXPECT_EQ(fenced.database()->state, DatabaseState::kDown);
  EXPECT_TRUE(fenced.database()->clean_shutdown);
  EXPECT_TRUE(fenced.database()->standby_signal);
  EXPECT_TRUE(fenced.fence.proven);
  world.NextEpoch();
  const Lineage lineage = world.LineageOf(home);
  const Outcome unfenced = world.Do(home, Unfence{lineage});
  ASSERT_TRUE(unfenced.ok()) << unfenced.message;
  const Outcome again = world.Do(home, Unfence{lineage});
  EXPECT_TRUE(again.ok()) << again.message;
  EXPECT_EQ(world.Observe(home).database()->state, DatabaseState::kPrimary);
  world.Sql(home, "INSERT INTO posts VALUES (-1)");
}

TEST(SwitchoverTest, EndsTheSessionsOfOthers) {
  World world;
  Writer writer(world.home());
  world.Eventually("writes", [&] { return writer.acknowledged() > 10; });
  EXPECT_EQ(world.Observe(world.home()).database()->client_sessions, 1u);
  const Outcome ended = world.Do(world.home(), EndConnections{});
  EXPECT_TRUE(ended.ok()) << ended.message;
  EXPECT_THAT(ended.message, HasSubstr("ended 1 sessions"));
}

}  // namespace
}  // namespace baton::test
