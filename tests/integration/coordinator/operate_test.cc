// What operators do with a plan, over real streams: pause, resume, retry, skip, abort.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/integration/coordinator/world.h"

namespace baton::testing {
namespace {

using Hosts = std::vector<std::string>;

class OperateTest : public ::testing::Test {
 protected:
  OperateTest() {
    world_.Adopt();
    EXPECT_TRUE(world_.AwaitReady().switchover_ready());
  }
  // The name of a switchover that was begun.
  std::string Move(const std::string& request_id = "move") {
    const auto plan = world_.Create(v1::PLAN_KIND_SWITCHOVER, request_id);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? plan->plan().name() : "";
  }
  void AwaitRunning(const std::string& plan, const std::string& action) {
    world_.Await([&] {
      const auto now = world_.Get(plan);
      if (!now.ok()) return false;
      for (const v1::Step& step : now->steps()) {
        if (step.state() == v1::STEP_STATE_RUNNING && !step.progress().empty() &&
            step.title().find(action) != std::string::npos) {
          return true;
        }
      }
      return false;
    });
  }

  World world_;
};

TEST_F(OperateTest, AbortCancelsWhatRunsAndGivesTheRightBack) {
  world_.agent("dr-sql1").Hold("ApplyPendingLogs");
  const std::string plan = Move();
  AwaitRunning(plan, "Apply");
  const auto aborted = world_.Operate("abort", "a1");
  ASSERT_TRUE(aborted.ok()) << aborted.status();
  EXPECT_TRUE(world_.Operate("abort", "a1").ok()) << "the same request";
  world_.agent("dr-sql1").AnswerNormally("ApplyPendingLogs");
  const v1::Plan ended = world_.AwaitRest(plan);
  EXPECT_EQ(ended.state(), v1::PLAN_STATE_UNDONE) << ended.DebugString();
  EXPECT_NE(ended.end_text().find("aborted by tester: a test"), std::string::npos);
  bool cancelled = false;
  for (const v1::Step& step : ended.steps()) {
    cancelled |= step.outcome().code() == v1::OUTCOME_CODE_CANCELLED;
  }
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(world_.Writers(), Hosts{"hq-sql1"});
  EXPECT_EQ(world_.ServingChat(), Hosts{"hq-chat1"});
  EXPECT_TRUE(world_.AwaitReady().switchover_ready());
  EXPECT_EQ(world_.ActedTwice(), Hosts{});
}

TEST_F(OperateTest, PausedPlanBeginsNothingUntilItIsResumed) {
  world_.agent("hq-chat1").Hold("Drain");
  const std::string plan = Move();
  AwaitRunning(plan, "Drain");
  const auto paused = world_.Operate("pause", "p1");
  ASSERT_TRUE(paused.ok()) << paused.status();
  EXPECT_TRUE(paused->paused());
  EXPECT_EQ(paused->state(), v1::PLAN_STATE_WAITING);
  EXPECT_EQ(world_.Operate("pause", "p2").status().code(), absl::StatusCode::kFailedPrecondition);
  world_.coordinator.Stop();
  ASSERT_TRUE(world_.coordinator.Start().ok());
  world_.AwaitConnected();
  const v1::Plan still = world_.Get(plan).value();
  EXPECT_TRUE(still.paused());
  bool resume = false;
  for (const v1::PlanOption& option : still.options()) {
    if (option.verb() == "resume") resume = option.allowed();
  }
  EXPECT_TRUE(resume);
  EXPECT_EQ(world_.Writers(), Hosts{"hq-sql1"});
  world_.agent("hq-chat1").AnswerNormally("Drain");
  ASSERT_TRUE(world_.Operate("abort", "a1").ok()) << "its drain is cancelled";
  EXPECT_EQ(world_.AwaitRest(plan).state(), v1::PLAN_STATE_UNDONE);
  EXPECT_EQ(world_.ServingChat(), Hosts{"hq-chat1"});
}

TEST_F(OperateTest, ResumedPlanGoesOnToItsEnd) {
  world_.agent("dr-sql1").Hold("CheckDatabase");
  const std::string plan = Move();
  AwaitRunning(plan, "dr-sql1");
  ASSERT_TRUE(world_.Operate("pause", "p1").ok());
  // The one that is held is lost with the agent's memory of it, and tried anew.
  world_.agent("dr-sql1").AnswerNormally("CheckDatabase");
  world_.agent("dr-sql1").Forget();
  world_.coordinator.Stop();
  ASSERT_TRUE(world_.coordinator.Start().ok());
  world_.AwaitConnected();
  ASSERT_TRUE(world_.Resume("r1").ok());
  ASSERT_TRUE(world_.Resume("r1").ok()) << "the same request";
  const v1::Plan ended = world_.AwaitRest(plan);
  EXPECT_EQ(ended.state(), v1::PLAN_STATE_SUCCEEDED) << ended.DebugString();
  EXPECT_EQ(world_.Writers(), Hosts{"dr-sql1"});
}

TEST_F(OperateTest, SkipsWhatSafetyDoesNotStandOnAndRefusesTheRest) {
  world_.agent("dr-chat1").Answer("Canary", RefusedOutcome("NO_ROOM", "no such room"));
  const std::string plan = Move();
  const v1::Plan waiting = world_.AwaitRest(plan);
  ASSERT_EQ(waiting.state(), v1::PLAN_STATE_WAITING) << waiting.DebugString();
  std::optional<uint32_t> canary, recover;
  for (const v1::Step& step : waiting.steps()) {
    if (step.action().has_canary()) canary = step.index();
    if (step.action().has_recover() && !step.undo()) recover = step.index();
  }
  ASSERT_TRUE(canary.has_value() && recover.has_value());
  const auto refused = world_.Operate("skip", "s1", recover);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(world_.Operate("retry", "r1", canary).ok());
  world_.Await([&] { return world_.Get(plan)->steps(*canary).attempt() > 1; });
  EXPECT_EQ(world_.AwaitRest(plan).state(), v1::PLAN_STATE_WAITING);
  const auto skipped = world_.Operate("skip", "s2");
  ASSERT_TRUE(skipped.ok()) << skipped.status();
  const v1::Plan ended = world_.AwaitRest(plan);
  EXPECT_EQ(ended.state(), v1::PLAN_STATE_SUCCEEDED) << ended.DebugString();
  EXPECT_EQ(ended.steps(*canary).state(), v1::STEP_STATE_SKIPPED);
}

// After the abort the coordinator is cut off when each record in turn has become known.
TEST_F(OperateTest, AbortEndsWhereverTheCoordinatorIsCutOff) {
  uint64_t records = 1;
  for (uint64_t cut = 0; cut <= records; ++cut) {
    SCOPED_TRACE(absl::StrCat("cut after record ", cut, " of ", records));
    ASSERT_TRUE(world_.AwaitReady().switchover_ready());
    world_.agent("dr-sql1").Hold("ApplyPendingLogs");
    const std::string plan = Move(absl::StrCat("move-", cut));
    AwaitRunning(plan, "Apply");
    const uint64_t first = world_.Events(0).back().sequence() + 1;
    world_.agent("dr-sql1").AnswerNormally("ApplyPendingLogs");
    ASSERT_TRUE(world_.Operate("abort", absl::StrCat("abort-", cut)).ok());
    if (cut > 0) {
      ASSERT_TRUE(world_.WatchUntil(first, first + cut - 1));
      world_.coordinator.Stop();
      ASSERT_TRUE(world_.coordinator.Start().ok());
    }
    const v1::Plan ended = world_.AwaitRest(plan);
    ASSERT_EQ(ended.state(), v1::PLAN_STATE_UNDONE) << ended.DebugString();
    if (cut == 0) records = world_.Events(0).back().sequence() + 1 - first;
    ASSERT_EQ(world_.Writers(), Hosts{"hq-sql1"});
    ASSERT_EQ(world_.ServingChat(), Hosts{"hq-chat1"});
  }
  EXPECT_GT(records, 10u);
  EXPECT_EQ(world_.ActedTwice(), Hosts{});
}

}  // namespace
}  // namespace baton::testing
