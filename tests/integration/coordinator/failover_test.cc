// The home site is gone, comes back, and is fenced before anything else; the coordinator is cut off
// at every record of it.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/integration/coordinator/world.h"

namespace baton::testing {
namespace {

using Hosts = std::vector<std::string>;

// A failover of the home site that has just died, which must succeed.
v1::Plan FailOver(World& world, const std::function<void()>& meanwhile = {}) {
  const auto plan = world.FailOver("failover-1");
  EXPECT_TRUE(plan.ok()) << plan.status();
  if (!plan.ok()) return {};
  EXPECT_TRUE(plan->has_plan()) << plan->DebugString();
  if (meanwhile != nullptr) meanwhile();
  const v1::Plan ended = world.AwaitRest(plan->plan().name());
  EXPECT_EQ(ended.state(), v1::PLAN_STATE_SUCCEEDED) << ended.DebugString();
  return ended;
}

// The host comes back; waits until nothing is due to it any more.
void Return(World& world, const std::string& host) {
  EXPECT_TRUE(world.Member(host).has_fence_due());
  world.agent(host).Return();
  world.Await([&] {
    const v1::MemberStatus member = world.Member(host);
    return member.agent_connected() && !member.has_fence_due();
  });
  EXPECT_FALSE(world.Member(host).has_fence_due());
  const Hosts heard = world.agent(host).heard();
  ASSERT_GE(heard.size(), 2u);
  EXPECT_EQ(heard[0], "welcome");
  EXPECT_EQ(heard[1], "revoke") << "before anything else";
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "confirm"), 0);
}

TEST(FailoverTest, GoesOnAtTheOtherSiteAndFencesTheDeadOneOnItsReturn) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready());
  EXPECT_TRUE(world.Pool()->protected_()) << world.Pool()->protection();
  EXPECT_EQ(world.Pool()->losses_size(), 1);
  world.KillHome();
  const v1::Plan ended = FailOver(world);
  ASSERT_EQ(ended.losses_size(), 1);
  EXPECT_EQ(ended.options_size(), 0) << "it has ended";
  EXPECT_EQ(world.Writers(), Hosts{"dr-sql1"});
  EXPECT_EQ(world.ServingChat(), Hosts{"dr-chat1"});
  EXPECT_FALSE(world.Pool()->protected_());
  EXPECT_NE(world.Pool()->protection().find("baton protect"), std::string::npos)
      << world.Pool()->protection();
  Return(world, "hq-sql1");
  const v1::MemberStatus returned = world.Member("hq-sql1");
  EXPECT_EQ(returned.assigned(), "returned, fenced") << returned.DebugString();
  EXPECT_EQ(returned.orphan_bytes(), 4096u);
  Return(world, "hq-chat1");
  EXPECT_EQ(world.Writers(), Hosts{"dr-sql1"});
  EXPECT_EQ(world.ServingChat(), Hosts{"dr-chat1"});
  int fenced = 0;
  for (const v1::Event& event : world.Events(0)) fenced += event.kind() == "RETURN_FENCED";
  EXPECT_EQ(fenced, 2);
  EXPECT_EQ(world.ActedTwice(), Hosts{});
}

TEST(FailoverTest, ReturnIsFencedEvenWhenTheCoordinatorForgotNothingButWasAway) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready());
  world.KillHome();
  FailOver(world);
  world.coordinator.Stop();
  ASSERT_TRUE(world.coordinator.Start().ok());
  Return(world, "hq-sql1");
  world.coordinator.Stop();
  ASSERT_TRUE(world.coordinator.Start().ok());
  world.Await([&] { return world.Member("hq-sql1").agent_connected(); });
  EXPECT_FALSE(world.Member("hq-sql1").has_fence_due());
  EXPECT_TRUE(world.Member("hq-chat1").has_fence_due());
}

TEST(FailoverTest, EndsWhereverTheCoordinatorIsCutOff) {
  uint64_t records = 1;
  for (uint64_t cut = 0; cut <= records; ++cut) {
    SCOPED_TRACE(absl::StrCat("cut after record ", cut, " of ", records));
    World world;
    world.Adopt();
    ASSERT_TRUE(world.AwaitReady().switchover_ready());
    world.KillHome();
    const uint64_t first = world.Events(0).back().sequence() + 1;
    FailOver(world, [&] {
      if (cut == 0) return;
      EXPECT_TRUE(world.WatchUntil(first, first + cut - 1));
      world.coordinator.Stop();
      EXPECT_TRUE(world.coordinator.Start().ok());
    });
    if (cut == 0) records = world.Events(0).back().sequence() + 1 - first;
    ASSERT_EQ(world.Writers(), Hosts{"dr-sql1"});
    Return(world, "hq-sql1");
    ASSERT_EQ(world.ActedTwice(), Hosts{});
    if (HasFailure()) return;
  }
  EXPECT_GT(records, 15u);
}

}  // namespace
}  // namespace baton::testing
