// Verbs that make plans or move one on.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "coordinator/cli/commands.h"
#include "tests/unit/cli/fake_console.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SwitchoverTest : public ::testing::Test {
 protected:
  SwitchoverTest()
      : client_({{"fake:1", coordinator_.Channel()}}, terminal_.terminal(), absl::Seconds(30), 1) {
    options_.verb = Verb::kSwitchover;
    options_.pool = "chat.example.com";
    options_.reason = "patching hq";
    options_.requested_by = "alice@ops1";
    options_.request_id = "r1";
    v1::CreatePlanResponse answer;
    *answer.mutable_plan() = SamplePlan();
    coordinator_.SetCreateAnswer(answer);
    coordinator_.SetPlan(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
    coordinator_.SetPools(SamplePools());
  }

  ExitCode Do() { return RunVerb(options_, client_, terminal_.terminal()); }

  FakeTerminal terminal_;
  FakeCoordinator coordinator_;
  Client client_;
  Options options_;
};

TEST_F(SwitchoverTest, AsksNothingOnAPipe) {
  options_.expected_primary = "hq-sql1";
  EXPECT_EQ(Do(), ExitCode::kDone);
  ASSERT_EQ(coordinator_.create_requests().size(), 1u);
  const v1::CreatePlanRequest request = coordinator_.create_requests()[0];
  EXPECT_EQ(request.pool(), "chat.example.com");
  EXPECT_EQ(request.kind(), v1::PLAN_KIND_SWITCHOVER);
  EXPECT_EQ(request.reason(), "patching hq");
  EXPECT_EQ(request.expected_primary(), "hq-sql1");
  EXPECT_EQ(request.requested_by(), "alice@ops1");
  EXPECT_EQ(request.request_id(), "r1");
  EXPECT_FALSE(request.validate_only());
  EXPECT_THAT(terminal_.console.questions(), IsEmpty());
  EXPECT_THAT(terminal_.console.out(), HasSubstr("succeeded in 0.24 s"));
}

TEST_F(SwitchoverTest, ShowsTheStepsAndAsksOnATerminal) {
  terminal_.console.set_interactive(true);
  terminal_.console.Answer(true);
  EXPECT_EQ(Do(), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.questions(), ElementsAre("Go on?"));
  EXPECT_THAT(terminal_.console.err(), HasSubstr("Ship the tail of mgc on hq-sql1"));
  ASSERT_EQ(coordinator_.create_requests().size(), 2u);
  EXPECT_TRUE(coordinator_.create_requests()[0].validate_only());
  EXPECT_FALSE(coordinator_.create_requests()[1].validate_only());
}

TEST_F(SwitchoverTest, DoesNothingWhenTheAnswerIsNo) {
  terminal_.console.set_interactive(true);
  terminal_.console.Answer(false);
  EXPECT_EQ(Do(), ExitCode::kDeclined);
  ASSERT_EQ(coordinator_.create_requests().size(), 1u);
  EXPECT_TRUE(coordinator_.create_requests()[0].validate_only());
}

TEST_F(SwitchoverTest, YesSkipsTheQuestion) {
  terminal_.console.set_interactive(true);
  options_.yes = true;
  EXPECT_EQ(Do(), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.questions(), IsEmpty());
}

TEST_F(SwitchoverTest, DryRunIsTheAgentsAnswer) {
  options_.dry_run = true;
  options_.reason = "";
  EXPECT_EQ(Do(), ExitCode::kDone);
  ASSERT_EQ(coordinator_.create_requests().size(), 1u);
  EXPECT_TRUE(coordinator_.create_requests()[0].validate_only());
  EXPECT_EQ(coordinator_.create_requests()[0].request_id(), "");
  EXPECT_THAT(terminal_.console.out(), HasSubstr("nothing stands against it"));
}

TEST_F(SwitchoverTest, DryRunThatWouldBeRefusedHasItsExitCode) {
  options_.dry_run = true;
  v1::CreatePlanResponse answer;
  *answer.add_refusals() = SampleRefusal();
  coordinator_.SetCreateAnswer(answer);
  EXPECT_EQ(Do(), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.out(),
              HasSubstr("LAG_OVER_LIMIT: dr-sql1/mgc\n    found:  41 s\n"
                        "    wanted: at most 30 s\n    next:   look at the share"));
}

TEST_F(SwitchoverTest, RefusalsAreToldAndNothingIsFollowed) {
  v1::CreatePlanResponse answer;
  *answer.add_refusals() = SampleRefusal();
  coordinator_.SetCreateAnswer(answer);
  EXPECT_EQ(Do(), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("refused, nothing was done:\n  LAG_OVER_LIMIT"));
  EXPECT_THAT(coordinator_.watch_requests(), IsEmpty());
}

TEST_F(SwitchoverTest, NoWaitPrintsTheId) {
  options_.no_wait = true;
  EXPECT_EQ(Do(), ExitCode::kDone);
  EXPECT_EQ(terminal_.console.out(), "7f3a91\n");
}

TEST_F(SwitchoverTest, ALostAnswerIsNotTakenForANo) {
  coordinator_.FailNext(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, ""));
  EXPECT_EQ(Do(), ExitCode::kUnreachable);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("whether the plan was made is not known; before "
                                                 "you ask again: baton status chat.example.com"));
}

TEST_F(SwitchoverTest, AdoptIsAPlanToo) {
  options_.verb = Verb::kAdopt;
  EXPECT_EQ(Do(), ExitCode::kDone);
  EXPECT_EQ(coordinator_.create_requests()[0].kind(), v1::PLAN_KIND_ADOPT);
}

TEST_F(SwitchoverTest, ADeadChatHostIsLeftOutOnSomeonesWord) {
  options_.lost_hosts = {"hq-chat1"};
  EXPECT_EQ(Do(), ExitCode::kDone);
  const v1::CreatePlanRequest request = coordinator_.create_requests()[0];
  EXPECT_THAT(request.lost_hosts(), ElementsAre("hq-chat1"));
  EXPECT_FALSE(request.has_allow_loss());
  EXPECT_FALSE(request.has_discard_orphans());
}

TEST_F(SwitchoverTest, PlanShowAndHistoryPrintWhatIsThere) {
  options_.verb = Verb::kPlanShow;
  options_.plan = "7f3a91";
  EXPECT_EQ(Do(), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("asked for by alice@ops1"));
  options_.verb = Verb::kHistory;
  v1::ListPlansResponse plans;
  *plans.add_plans() = SamplePlan();
  *plans.add_plans() = EndedPlan(v1::PLAN_STATE_UNDONE);
  coordinator_.SetPlans(plans);
  options_.output = Output::kJson;
  EXPECT_EQ(Do(), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("PLAN_STATE_UNDONE"));
}

}  // namespace
}  // namespace baton
