// Verbs for a plan that has not ended.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cli/sample_failover.h"
#include "tests/unit/cli/sample_messages.h"
#include "tests/unit/cli/verb_world.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OperateVerbsTest : public VerbWorld {
 protected:
  OperateVerbsTest() {
    options_.target = "7f3a91";
    coordinator_.SetPools(SamplePools());
    coordinator_.SetPlan(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  }

  v1::Plan Waiting() {
    v1::Plan plan = SamplePlanWith(3);
    plan.set_state(v1::PLAN_STATE_WAITING);
    AddWaitingOptions(plan);
    return plan;
  }
};

TEST_F(OperateVerbsTest, ResumeTellsPoolsFromPlans) {
  for (const std::string target : {"chat.example.com", "7f3a91", "pools/a/plans/b"}) {
    options_.target = target;
    EXPECT_EQ(Do(Verb::kResume), ExitCode::kDone) << target;
  }
  const auto requests = coordinator_.resume_requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].pool(), "chat.example.com");
  EXPECT_EQ(requests[0].name(), "");
  EXPECT_EQ(requests[1].name(), "7f3a91");
  EXPECT_EQ(requests[2].name(), "pools/a/plans/b");
  EXPECT_EQ(requests[2].reason(), "why not");
}

TEST_F(OperateVerbsTest, EachIsItsOwnCall) {
  options_.target = "chat.example.com";
  EXPECT_EQ(Do(Verb::kPause), ExitCode::kDone);
  options_.target = "7f3a91";
  EXPECT_EQ(Do(Verb::kRetry), ExitCode::kDone);
  options_.step = 4;
  EXPECT_EQ(Do(Verb::kRetry), ExitCode::kDone);
  EXPECT_EQ(Do(Verb::kSkip), ExitCode::kDone);
  const auto seen = coordinator_.operate_requests();
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].call, "PausePlan");
  EXPECT_EQ(seen[0].request.pool(), "chat.example.com");
  EXPECT_EQ(seen[0].request.name(), "");
  EXPECT_EQ(seen[0].request.reason(), "why not");
  EXPECT_EQ(seen[0].request.request_id(), "r1");
  EXPECT_EQ(seen[0].request.requested_by(), "alice@ops1");
  EXPECT_EQ(seen[1].call, "RetryStep");
  EXPECT_FALSE(seen[1].request.has_step());
  EXPECT_EQ(seen[2].request.step(), 3u);
  EXPECT_EQ(seen[3].call, "SkipStep");
  EXPECT_EQ(seen[3].request.step(), 3u);
}

TEST_F(OperateVerbsTest, TheyFollowUnlessToldNotTo) {
  EXPECT_EQ(Do(Verb::kRetry), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("succeeded in 0.24 s"));
  coordinator_.SetPlan(Waiting());
  EXPECT_EQ(Do(Verb::kRetry), ExitCode::kWaiting);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("What you can do now\n"));
  options_.no_wait = true;
  EXPECT_EQ(Do(Verb::kRetry), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), ::testing::EndsWith("\n7f3a91\n"));
}

TEST_F(OperateVerbsTest, APauseEndsWellOncePausedAndStill) {
  v1::Plan plan = Waiting();
  plan.set_paused(true);
  coordinator_.SetPlan(plan);
  EXPECT_EQ(Do(Verb::kPause), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("paused by an operator"));
  // To every other verb it waits.
  EXPECT_EQ(Do(Verb::kRetry), ExitCode::kWaiting);
}

TEST_F(OperateVerbsTest, RefusalsHaveTheirExitCode) {
  coordinator_.FailNext(
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "step 4: safety stands on it"));
  options_.target = "pools/chat.example.com/plans/7f3a91";
  options_.step = 4;
  EXPECT_EQ(Do(Verb::kSkip), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("step 4: safety stands on it"));
}

TEST_F(OperateVerbsTest, AbortSaysFirstWhatItWillDoAndAsks) {
  terminal_.console.set_interactive(true);
  coordinator_.SetPlan(Waiting());
  EXPECT_EQ(Do(Verb::kAbort), ExitCode::kDeclined);
  EXPECT_THAT(terminal_.console.questions(), ElementsAre("Abort it?"));
  EXPECT_THAT(terminal_.console.err(),
              HasSubstr("abort of the switchover of chat.example.com, hq -> dr, epoch 1.3 -> 1.4, "
                        "plan 7f3a91:\n  it is taken back; chat is served at hq again\n"));
  EXPECT_THAT(coordinator_.operate_requests(), IsEmpty());
  terminal_.console.Answer(true);
  EXPECT_EQ(Do(Verb::kAbort), ExitCode::kWaiting);
  ASSERT_EQ(coordinator_.operate_requests().size(), 1u);
  EXPECT_EQ(coordinator_.operate_requests()[0].call, "AbortPlan");
}

TEST_F(OperateVerbsTest, AbortOfAPoolIsOfThePlanThatWasShown) {
  v1::ListPoolsResponse pools = SamplePools();
  *pools.mutable_pools(0)->mutable_plan() = Waiting();
  coordinator_.SetPools(pools);
  options_.target = "chat.example.com";
  options_.yes = true;
  coordinator_.SetPlan(EndedPlan(v1::PLAN_STATE_UNDONE));
  EXPECT_EQ(Do(Verb::kAbort), ExitCode::kUndone);
  ASSERT_EQ(coordinator_.operate_requests().size(), 1u);
  EXPECT_EQ(coordinator_.operate_requests()[0].request.name(),
            "pools/chat.example.com/plans/7f3a91");
}

TEST_F(OperateVerbsTest, AbortOfAPoolWithoutAPlanIsRefused) {
  options_.target = "chat.example.com";
  EXPECT_EQ(Do(Verb::kAbort), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.err(),
              HasSubstr("pool chat.example.com: found no plan that runs or waits"));
  EXPECT_THAT(coordinator_.operate_requests(), IsEmpty());
}

}  // namespace
}  // namespace baton
