#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/integration/coordinator/world.h"

namespace baton::testing {
namespace {

using Hosts = std::vector<std::string>;

TEST(SwitchoverTest, MovesThePoolThereAndBack) {
  World world;
  world.Adopt();
  EXPECT_EQ(world.Writers(), Hosts{"hq-sql1"});
  EXPECT_EQ(world.ServingChat(), Hosts{"hq-chat1"});
  for (const auto& [site, writer, chat] :
       {std::tuple("dr", "dr-sql1", "dr-chat1"), std::tuple("hq", "hq-sql1", "hq-chat1")}) {
    const v1::PoolStatus before = world.AwaitReady();
    ASSERT_TRUE(before.switchover_ready()) << before.DebugString();
    const auto plan = world.Create(v1::PLAN_KIND_SWITCHOVER, absl::StrCat("to-", site));
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_TRUE(plan->has_plan()) << plan->DebugString();
    const v1::Plan ended = world.AwaitRest(plan->plan().name());
    EXPECT_EQ(ended.state(), v1::PLAN_STATE_SUCCEEDED) << ended.DebugString();
    EXPECT_EQ(world.Writers(), Hosts{writer});
    EXPECT_EQ(world.ServingChat(), Hosts{chat});
    const v1::PoolStatus after = world.AwaitReady();
    EXPECT_EQ(after.serving_site(), site);
    for (const v1::MemberStatus& member : after.members()) {
      EXPECT_EQ(member.drift(), "") << member.DebugString();
    }
  }
  EXPECT_EQ(world.ActedTwice(), Hosts{});
}

TEST(SwitchoverTest, WaitsVisiblyPastTheRecoveryAndGoesOnWhenResumed) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready());
  world.agent("dr-chat1").Answer("Activate", RefusedOutcome("PORT", "is in use"));
  const auto plan = world.Create(v1::PLAN_KIND_SWITCHOVER, "move");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const v1::Plan waiting = world.AwaitRest(plan->plan().name());
  ASSERT_EQ(waiting.state(), v1::PLAN_STATE_WAITING) << waiting.DebugString();
  EXPECT_NE(waiting.waiting_for().find("is in use"), std::string::npos) << waiting.waiting_for();
  EXPECT_EQ(world.ServingChat(), Hosts{});
  world.coordinator.Stop();
  ASSERT_TRUE(world.coordinator.Start().ok());
  EXPECT_EQ(world.Get(plan->plan().name())->state(), v1::PLAN_STATE_WAITING);
  world.AwaitConnected();
  world.agent("dr-chat1").AnswerNormally("Activate");
  ASSERT_TRUE(world.Resume("resume-1").ok());
  EXPECT_TRUE(world.Resume("resume-1").ok()) << "the same request again";
  EXPECT_EQ(world.AwaitRest(plan->plan().name()).state(), v1::PLAN_STATE_SUCCEEDED);
  EXPECT_EQ(world.Writers(), Hosts{"dr-sql1"});
}

TEST(SwitchoverTest, GivesTheRightBackWhenItFailsAfterTheTail) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready());
  world.agent("dr-sql1").Answer("CopyPendingLogs", RefusedOutcome("GAP", "a file is missing"));
  const auto plan = world.Create(v1::PLAN_KIND_SWITCHOVER, "move");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const v1::Plan ended = world.AwaitRest(plan->plan().name());
  EXPECT_EQ(ended.state(), v1::PLAN_STATE_UNDONE) << ended.DebugString();
  EXPECT_EQ(world.Writers(), Hosts{"hq-sql1"});
  EXPECT_EQ(world.ServingChat(), Hosts{"hq-chat1"});
  world.agent("dr-sql1").AnswerNormally("CopyPendingLogs");
  EXPECT_TRUE(world.AwaitReady().switchover_ready());
}

TEST(SwitchoverTest, GoesBackWhenItFailsBeforeTheFence) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready());
  world.agent("hq-chat1").Answer("Drain", RefusedOutcome("STUCK", "sessions do not end"));
  const auto plan = world.Create(v1::PLAN_KIND_SWITCHOVER, "move");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const v1::Plan ended = world.AwaitRest(plan->plan().name());
  EXPECT_EQ(ended.state(), v1::PLAN_STATE_UNDONE) << ended.DebugString();
  EXPECT_EQ(world.Writers(), Hosts{"hq-sql1"});
  EXPECT_EQ(world.ServingChat(), Hosts{"hq-chat1"});
}

// The coordinator is cut off when each record in turn has become known, and opened again on the
// same journal: every move still ends, and nothing is done twice.
TEST(SwitchoverTest, EndsWhereverTheCoordinatorIsCutOff) {
  World world;
  world.Adopt();
  uint64_t records = 0;
  for (int move = 0; move == 0 || move <= static_cast<int>(records); ++move) {
    SCOPED_TRACE(absl::StrCat("cut after record ", move, " of ", records));
    ASSERT_TRUE(world.AwaitReady().switchover_ready());
    const std::string writer = world.Writers().front();
    const uint64_t first = world.Events(0).back().sequence() + 1;
    const auto plan = world.Create(v1::PLAN_KIND_SWITCHOVER, absl::StrCat("move-", move));
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_TRUE(plan->has_plan()) << plan->DebugString();
    if (move > 0) {
      ASSERT_TRUE(world.WatchUntil(first, first + move - 1));
      world.coordinator.Stop();
      const absl::Status again = world.coordinator.Start();
      ASSERT_TRUE(again.ok()) << again;
    }
    const v1::Plan ended = world.AwaitRest(plan->plan().name());
    ASSERT_EQ(ended.state(), v1::PLAN_STATE_SUCCEEDED) << ended.DebugString();
    if (move == 0) records = world.Events(0).back().sequence() + 1 - first;
    ASSERT_EQ(world.Writers().size(), 1u);
    ASSERT_NE(world.Writers().front(), writer);
    ASSERT_EQ(world.ServingChat().size(), 1u);
  }
  EXPECT_GT(records, 30u);
  EXPECT_EQ(world.ActedTwice(), Hosts{});
}

}  // namespace
}  // namespace baton::testing
