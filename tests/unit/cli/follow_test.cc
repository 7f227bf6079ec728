#include "coordinator/cli/follow.h"

#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cli/fake_console.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kName[] = "pools/chat.example.com/plans/7f3a91";

class FollowTest : public ::testing::Test {
 protected:
  FollowTest()
      : client_({{"fake:1", coordinator_.Channel()}}, terminal_.terminal(), absl::Seconds(30), 1) {}

  // Follows on a thread of its own until the plan is out of sight.
  void Start() {
    thread_ = std::thread(
        [this] { code_ = FollowToEnd(kName, options_, client_, terminal_.terminal()); });
  }
  ExitCode End() {
    thread_.join();
    return code_;
  }
  void Advance(const v1::Plan& plan) {
    coordinator_.SetPlan(plan);
    v1::Event event;
    event.set_sequence(++sequence_);
    coordinator_.AddEvent(event);
  }

  FakeTerminal terminal_;
  FakeCoordinator coordinator_;
  Client client_;
  Options options_;
  uint64_t sequence_ = 0;
  std::thread thread_;
  ExitCode code_ = ExitCode::kUsage;
};

TEST_F(FollowTest, TellsEachStepOnceOnAPipe) {
  coordinator_.SetPlan(SamplePlan());
  Start();
  ASSERT_TRUE(coordinator_.WaitForStreams(1));
  Advance(SamplePlanWith(2));
  ASSERT_TRUE(terminal_.console.WaitForOutput("Raise the epoch"));
  Advance(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  EXPECT_EQ(End(), ExitCode::kDone);
  EXPECT_EQ(terminal_.console.out(),
            "switchover of chat.example.com, hq -> dr, epoch 1.3 -> 1.4, plan 7f3a91\n"
            "    1  Check mgc on hq-sql1             done       0.04 s\n"
            "    2  Raise the epoch                  done       0.04 s\n"
            "    3  Drain hq-chat1                   done       0.04 s\n"
            "    4  Ship the tail of mgc on hq-sql1  done       0.04 s\n"
            "    5  Recover mgc on dr-sql1           done       0.04 s\n"
            "    6  Post and read back on dr-chat1   done       0.04 s\n"
            "succeeded in 0.24 s; from drain to activation 0.12 s\n"
            "  #  STEP THAT USERS WAITED FOR       STANDS FOR  BEGAN AFTER  TOOK\n"
            "  3  Drain hq-chat1                   B1          0.00 s       0.04 s\n"
            "  4  Ship the tail of mgc on hq-sql1  F2          0.04 s       0.04 s\n"
            "  5  Recover mgc on dr-sql1           F4          0.08 s       0.04 s\n");
  EXPECT_EQ(terminal_.console.err(), "");
}

TEST_F(FollowTest, RedrawsOnATerminal) {
  terminal_.console.set_interactive(true);
  coordinator_.SetPlan(SamplePlan());
  Start();
  ASSERT_TRUE(coordinator_.WaitForStreams(1));
  Advance(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  EXPECT_EQ(End(), ExitCode::kDone);
  // Seven lines: the title and six steps; the undo step has no place yet.
  EXPECT_THAT(terminal_.console.out(), HasSubstr("\x1b[7A\r"));
}

TEST_F(FollowTest, PrintsOneDocumentAsJson) {
  options_.output = Output::kJson;
  coordinator_.SetPlan(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  Start();
  EXPECT_EQ(End(), ExitCode::kDone);
  EXPECT_EQ(terminal_.console.out().substr(0, 2), "{\n");
  EXPECT_THAT(terminal_.console.out(), HasSubstr("\"state\": \"PLAN_STATE_SUCCEEDED\""));
}

TEST_F(FollowTest, EveryEndHasItsExitCode) {
  const std::pair<v1::PlanState, ExitCode> ends[] = {
      {v1::PLAN_STATE_SUCCEEDED, ExitCode::kDone},
      {v1::PLAN_STATE_UNDONE, ExitCode::kUndone},
      {v1::PLAN_STATE_FAILED, ExitCode::kFailed},
      {v1::PLAN_STATE_WAITING, ExitCode::kWaiting},
  };
  for (const auto& [state, code] : ends) {
    coordinator_.SetPlan(EndedPlan(state));
    Start();
    EXPECT_EQ(End(), code) << v1::PlanState_Name(state);
  }
}

TEST_F(FollowTest, SaysWhatAWaitingPlanWaitsForAndHowToGoOn) {
  v1::Plan plan = SamplePlanWith(2);
  plan.set_state(v1::PLAN_STATE_WAITING);
  plan.set_waiting_for("agent hq-chat1 is not connected");
  coordinator_.SetPlan(plan);
  Start();
  EXPECT_EQ(End(), ExitCode::kWaiting);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("agent hq-chat1 is not connected"));
  EXPECT_THAT(terminal_.console.out(), HasSubstr("baton resume 7f3a91 --reason"));
}

TEST_F(FollowTest, APausedPlanIsWatchedUntilWhatRunsHasEnded) {
  v1::Plan plan = SamplePlanWith(3);
  plan.set_state(v1::PLAN_STATE_WAITING);
  plan.set_paused(true);
  plan.mutable_steps(3)->set_state(v1::STEP_STATE_RUNNING);
  coordinator_.SetPlan(plan);
  Start();
  ASSERT_TRUE(coordinator_.WaitForStreams(1));
  plan.mutable_steps(3)->set_state(v1::STEP_STATE_SUCCEEDED);
  Advance(plan);
  EXPECT_EQ(End(), ExitCode::kWaiting);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("Ship the tail of mgc on hq-sql1  done"));
  EXPECT_THAT(terminal_.console.out(), HasSubstr("paused by an operator"));
}

TEST_F(FollowTest, CtrlCEndsTheWatchingNotThePlan) {
  coordinator_.SetPlan(SamplePlan());
  Start();
  ASSERT_TRUE(coordinator_.WaitForStreams(1));
  EXPECT_TRUE(terminal_.interrupt.Trigger());
  EXPECT_EQ(End(), ExitCode::kStillRunning);
  EXPECT_THAT(
      terminal_.console.err(),
      HasSubstr(
          "the plan is running and goes on without being watched; look again with: baton plan show "
          "7f3a91 --watch"));
}

TEST_F(FollowTest, GoesOnFromWhereItWasWhenTheCoordinatorComesBack) {
  coordinator_.SetPlan(SamplePlan());
  Start();
  ASSERT_TRUE(coordinator_.WaitForStreams(1));
  Advance(SamplePlanWith(1));
  ASSERT_TRUE(terminal_.console.WaitForOutput("Check mgc"));
  coordinator_.FailNext(grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting"), 6);
  coordinator_.EndStreams(grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting"));
  ASSERT_TRUE(terminal_.console.WaitForNote("lost the coordinator at fake:1"));
  ASSERT_TRUE(coordinator_.WaitForStreams(2));
  Advance(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  EXPECT_EQ(End(), ExitCode::kDone);
  EXPECT_EQ(coordinator_.watch_requests()[0].from_sequence(), 0u);
  EXPECT_EQ(coordinator_.watch_requests()[1].from_sequence(), 2u);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("the coordinator at fake:1 is back"));
  const std::string out = terminal_.console.out();
  EXPECT_EQ(out.find("Check mgc"), out.rfind("Check mgc"));
}

TEST_F(FollowTest, BeginsAnewWhenTheJournalEndsBeforeWhatWasSeen) {
  coordinator_.SetPlan(SamplePlan());
  Start();
  ASSERT_TRUE(coordinator_.WaitForStreams(1));
  Advance(SamplePlanWith(1));
  ASSERT_TRUE(terminal_.console.WaitForOutput("Check mgc"));
  coordinator_.EndStreams(grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "in the future"));
  ASSERT_TRUE(coordinator_.WaitForStreams(2));
  EXPECT_EQ(coordinator_.watch_requests()[1].from_sequence(), 0u);
  coordinator_.SetPlan(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  v1::Event event;
  event.set_sequence(1);
  coordinator_.AddEvent(event);
  EXPECT_EQ(End(), ExitCode::kDone);
}

TEST_F(FollowTest, StopsAtWhatWillNotPass) {
  coordinator_.FailNext(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such plan"));
  Start();
  EXPECT_EQ(End(), ExitCode::kUsage);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("no such plan"));
  EXPECT_THAT(terminal_.console.out(), Not(HasSubstr("succeeded")));
}

}  // namespace
}  // namespace baton
