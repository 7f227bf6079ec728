// Pages about plans.
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/rpc/protocol_proto.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/plan_view.h"
#include "tests/unit/cli/golden.h"
#include "tests/unit/cli/sample_failover.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using FormatPlanTest = GoldenTest;

TEST_F(FormatPlanTest, PlanUnderWay) {
  v1::Plan plan = SamplePlanWith(3);
  plan.mutable_steps(3)->set_state(v1::STEP_STATE_RUNNING);
  plan.mutable_steps(3)->set_attempt(2);
  plan.mutable_steps(3)->set_progress("2 of 5 files");
  *plan.mutable_steps(3)->mutable_start_time() = ToProto(SampleNow() + absl::Milliseconds(120));
  ExpectGolden("plan_running.txt", FormatPlan(plan));
}

TEST_F(FormatPlanTest, PlanThatWaitsSaysWhyAndWhatToType) {
  v1::Plan plan = SamplePlanWith(3);
  plan.set_state(v1::PLAN_STATE_WAITING);
  plan.set_waiting_for("share dr-logs is not mounted on dr-sql1");
  plan.mutable_steps(3)->set_state(v1::STEP_STATE_FAILED);
  plan.mutable_steps(3)->mutable_outcome()->set_message(
      "share dr-logs: found no marker, wanted .baton-share; mount it");
  ExpectGolden("plan_waiting.txt", FormatPlan(plan));
}

TEST_F(FormatPlanTest, PlanThatSucceededTellsTheWindow) {
  ExpectGolden("plan_succeeded.txt", FormatPlan(EndedPlan(v1::PLAN_STATE_SUCCEEDED)));
}

TEST_F(FormatPlanTest, PlanThatWasUndoneShowsTheWayBack) {
  v1::Plan plan = EndedPlan(v1::PLAN_STATE_UNDONE);
  plan.mutable_steps(6)->set_state(v1::STEP_STATE_SUCCEEDED);
  ExpectGolden("plan_undone.txt", FormatPlan(plan));
}

TEST_F(FormatPlanTest, DryRunThatWouldGo) {
  v1::CreatePlanResponse answer;
  *answer.mutable_plan() = SamplePlan();
  ExpectGolden("dry_run_fine.txt", FormatDryRun(answer, "chat.example.com"));
}

TEST_F(FormatPlanTest, DryRunThatWouldBeRefused) {
  v1::CreatePlanResponse answer;
  *answer.add_refusals() = SampleRefusal();
  ExpectGolden("dry_run_refused.txt", FormatDryRun(answer, "chat.example.com"));
}

TEST_F(FormatPlanTest, RunningPlanTellsWhatCanBeDone) {
  v1::Plan plan = SamplePlanWith(3);
  AddRunningOptions(plan);
  ExpectGolden("plan_options_running.txt", FormatPlan(plan));
}

TEST_F(FormatPlanTest, WaitingPlanTellsWhatCanBeDone) {
  v1::Plan plan = SamplePlanWith(3);
  plan.set_state(v1::PLAN_STATE_WAITING);
  plan.set_waiting_for("step 4 failed: share dr-logs is not mounted on dr-sql1");
  plan.mutable_steps(3)->set_state(v1::STEP_STATE_FAILED);
  AddWaitingOptions(plan);
  ExpectGolden("plan_options_waiting.txt", FormatPlan(plan));
  EXPECT_THAT(PlanVerdict(plan, false), HasSubstr("What you can do now\n"));
}

TEST_F(FormatPlanTest, PausedPlanSaysSo) {
  v1::Plan plan = SamplePlanWith(3);
  plan.set_state(v1::PLAN_STATE_WAITING);
  plan.set_paused(true);
  EXPECT_THAT(PlanVerdict(plan, true), HasSubstr("paused by an operator\n"));
  plan.set_state(v1::PLAN_STATE_UNDOING);
  EXPECT_THAT(PlanVerdict(plan, true), HasSubstr("paused by an operator\n"));
  plan.set_waiting_for("paused by alice@ops1: lunch; to go on: baton resume chat.example.com");
  EXPECT_EQ(PlanVerdict(plan, true).find("paused by alice@ops1: lunch; to go on"), 0u);
}

TEST_F(FormatPlanTest, PlansThatEndedSayHow) {
  v1::Plan plan = EndedPlan(v1::PLAN_STATE_FAILED);
  plan.set_end_text("aborted after dr-sql1 began to write; nothing follows it: baton protect");
  ExpectGolden("verdict_failed.txt", PlanVerdict(plan, true) + PlanVerdict(plan, false));
  plan.set_state(v1::PLAN_STATE_UNDONE);
  plan.set_end_text("chat is served where it was: aborted by alice@ops1");
  ExpectGolden("verdict_undone.txt", PlanVerdict(plan, false));
  ExpectGolden("verdict_succeeded.txt", PlanVerdict(EndedPlan(v1::PLAN_STATE_SUCCEEDED), false));
}

TEST_F(FormatPlanTest, FailoverBeforeItBeginsStatesWhatItCosts) {
  v1::Plan plan = FailoverPlan();
  *plan.add_losses() = UnboundedLoss();
  ExpectGolden("failover_draft.txt", FormatDraft(plan));
  plan.clear_losses();
  EXPECT_THAT(FormatDraft(plan), HasSubstr("announced loss: none\n"));
}

TEST_F(FormatPlanTest, SuccessThatAnAbortMetTooLateSaysThatItChangedNothing) {
  v1::Plan plan = EndedPlan(v1::PLAN_STATE_SUCCEEDED);
  plan.set_end_text("every step succeeded");
  EXPECT_THAT(PlanVerdict(plan, true), Not(HasSubstr("every step")));
  const std::string late = "every step succeeded, and aborting changed nothing: aborted by ann: no";
  plan.set_end_text(late);
  EXPECT_THAT(PlanVerdict(plan, true), HasSubstr(late));
}

TEST_F(FormatPlanTest, FailoverThatSucceededTellsItsTimesAndTheAnnouncedLoss) {
  v1::Plan plan = FailoverPlan();
  plan.set_state(v1::PLAN_STATE_SUCCEEDED);
  for (v1::Step& step : *plan.mutable_steps()) {
    step.set_state(v1::STEP_STATE_SUCCEEDED);
    step.set_attempt(1);
    const absl::Time begin = SampleNow() + absl::Milliseconds(10 + 70 * step.index());
    *step.mutable_start_time() = ToProto(begin);
    *step.mutable_end_time() = ToProto(begin + absl::Milliseconds(60));
  }
  *plan.mutable_end_time() = ToProto(SampleNow() + absl::Milliseconds(420));
  ExpectGolden("failover_page.txt", FormatPlan(plan));
  ExpectGolden("failover_end.txt", PlanVerdict(plan, false));
}

TEST_F(FormatPlanTest, RefusalsTellRuleFoundWantedAndWhatToType) {
  v1::CreatePlanResponse answer;
  *answer.add_refusals() = SampleRefusal();
  v1::Refusal& refusal = *answer.add_refusals();
  refusal.set_rule("LOSS_OVER_LIMIT");
  refusal.set_subject("mgc");
  refusal.set_found("up to 2 min 10 s may be lost");
  refusal.set_wanted("at most 30 s");
  refusal.set_remedy(
      "baton failover chat.example.com --lost-site hq --allow-loss 130s --reason \"...\"");
  ExpectGolden("refusals.txt", FormatRefusals(answer.refusals()));
}

TEST_F(FormatPlanTest, PlansAndHistory) {
  v1::ListPlansResponse plans;
  *plans.add_plans() = SamplePlan();
  *plans.add_plans() = EndedPlan(v1::PLAN_STATE_SUCCEEDED);
  v1::Plan& lossy = *plans.add_plans();
  lossy = FailoverPlan();
  lossy.set_state(v1::PLAN_STATE_SUCCEEDED);
  *lossy.mutable_end_time() = ToProto(SampleNow() + absl::Milliseconds(420));
  v1::Plan& unbounded = *plans.add_plans();
  unbounded = lossy;
  *unbounded.add_losses() = UnboundedLoss();
  ExpectGolden("plan_list.txt", FormatPlanList(plans));
  ExpectGolden("history.txt", FormatHistory(plans));
}

TEST_F(FormatPlanTest, FrameOfTheLiveView) {
  v1::Plan plan = SamplePlanWith(3);
  plan.mutable_steps(3)->set_state(v1::STEP_STATE_RUNNING);
  plan.mutable_steps(3)->set_progress("2 of 5 files");
  const std::map<uint32_t, absl::Duration> elapsed = {{3, absl::Seconds(12)}};
  ExpectGolden("frame_wide.txt", PlanFrame(plan, {100, 40}, elapsed));
  ExpectGolden("frame_small.txt", PlanFrame(plan, {60, 7}, elapsed));
}

}  // namespace
}  // namespace baton
