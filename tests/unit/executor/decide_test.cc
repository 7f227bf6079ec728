// Decide and Evolve, branch by branch, on the plan of a small switchover. Its steps: 0–3 checks,
// 4 PointAt, 5 epoch, 6 Drain, 7 Deactivate, 8 EndConnections, 9 Fence, 10 ShipTail, 11 Copy,
// 12 Apply, 13 Recover, 14 Activate, 15 Canary, 16 StartStandby; its undo: 17 epoch, 18 Fence,
// 19 Recover, 20 Activate, 21 StartStandby, 22 Apply.
#include <ctime>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <set>

#include "common/base/decider.h"
#include "coordinator/executor/execution.h"
#include "coordinator/executor/options.h"
#include "coordinator/executor/state.h"
#include "tests/unit/executor/sim.h"

namespace baton {
namespace {

static_assert(DecidesAndEvolves<Execution, PlanEvent, Record, Decision>);

using ::testing::HasSubstr;

OperatorRequest Resumed(const std::string& by, const std::string& reason, const std::string& id) {
  return {Verb::kResume, std::nullopt, by, reason, id};
}

class DecideTest : public ::testing::Test {
 protected:
  DecideTest() : plan_(std::make_shared<const Plan>(testing::SmallSwitchover())) {
    Tell(PlanAdmitted{plan_});
  }
  // Another plan than the small switchover.
  void Use(Plan plan) {
    plan_ = std::make_shared<const Plan>(std::move(plan));
    state_ = Execution();
    Tell(PlanAdmitted{plan_});
  }
  void Tell(Fact fact) {
    Record record;
    record.sequence = ++sequence_;
    record.time = absl::UnixEpoch() + absl::Seconds(sequence_);
    record.fact = std::move(fact);
    Evolve(state_, record);
    Evolve(pool_, *plan_, record);
  }
  // Decides, and makes the facts true.
  Decision Do(const PlanEvent& event) {
    Decision decision = Decide(state_, event);
    for (const Fact& fact : decision.facts) Tell(fact);
    return decision;
  }
  Decision End(int step, Outcome outcome) {
    return Do(CommandEnded{state_.CommandOf(step), std::move(outcome)});
  }
  static Outcome Ok(int step) {
    Outcome outcome = OkOutcome();
    if (step == 10) outcome.position = LogPosition{1, 0x3000060};
    if (step == 13 || step == 19) outcome.position = LogPosition{2, 0x3000060};
    return outcome;
  }
  // Every step before `step` succeeded, and `step` runs.
  void RunTo(int step) {
    Do(Proceed{});
    for (int i = 0; i < step; ++i) {
      if (i != 5 && state_.steps[i].state == StepState::kRunning) End(i, Ok(i));
    }
  }
  StepState StateOf(int step) const { return state_.steps[step].state; }

  std::shared_ptr<const Plan> plan_;
  Execution state_;
  PoolState pool_ = testing::SmallPool();
  uint64_t sequence_ = 0;
};

Outcome Unknown() {
  Outcome outcome;
  outcome.reason = "AGENT_DIED";
  return outcome;
}

TEST_F(DecideTest, BeginsWithAllChecksAtOnceUnderTheOldEpoch) {
  const Decision decision = Do(Proceed{});
  ASSERT_EQ(decision.commands.size(), 4u);
  EXPECT_EQ(decision.facts.size(), 4u);
  EXPECT_EQ(decision.timers.size(), 4u);
  EXPECT_EQ(decision.commands[0].command.id, CommandId("p2/0/1"));
  EXPECT_EQ(decision.commands[0].command.epoch, plan_->epoch_before);
  EXPECT_GT(decision.timers[0].after, plan_->steps[0].timeout);
}

TEST_F(DecideTest, RaisesTheEpochInTheSameBatchAsTheFirstCommandUnderIt) {
  RunTo(4);
  const Decision decision = End(4, OkOutcome());
  ASSERT_EQ(decision.facts.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<StepFinished>(decision.facts[0]));
  EXPECT_TRUE(std::holds_alternative<EpochRaised>(decision.facts[1]));
  EXPECT_TRUE(std::holds_alternative<StepStarted>(decision.facts[2]));
  ASSERT_EQ(decision.commands.size(), 1u);
  EXPECT_EQ(decision.commands[0].command.epoch, plan_->epoch);
  EXPECT_EQ(pool_.epoch, plan_->epoch);
}

TEST_F(DecideTest, GoesThroughToTheEnd) {
  RunTo(17);
  EXPECT_EQ(state_.state, PlanState::kSucceeded);
  EXPECT_EQ(StateOf(17), StepState::kSkipped);
  EXPECT_EQ(pool_.rights[DatabaseId("mgc")].writer, HostId("dr-sql1"));
  EXPECT_EQ(pool_.rights[DatabaseId("mgc")].lineages.size(), 2u);
  EXPECT_EQ(pool_.rights[DatabaseId("mgc")].lineages[0].sealed, (LogPosition{1, 0x3000060}));
  EXPECT_EQ(pool_.rights[DatabaseId("mgc")].lineages[1].epoch, plan_->epoch);
  EXPECT_EQ(pool_.active_chat.size(), 1u);
  EXPECT_EQ(pool_.active_chat.begin()->first.ToString(), "dr-chat1/chat");
}

TEST_F(DecideTest, FinalPositionReachesTheStepsThatNeedIt) {
  RunTo(10);
  Decision decision = End(10, Ok(10));
  const auto& copy = std::get<CopyPendingLogs>(decision.commands.at(0).command.action);
  EXPECT_EQ(copy.fetch.back().sealed, (LogPosition{1, 0x3000060}));
  decision = End(11, OkOutcome());
  const auto& apply = std::get<ApplyPendingLogs>(decision.commands.at(0).command.action);
  EXPECT_EQ(apply.until, (LogPosition{1, 0x3000060}));
}

TEST_F(DecideTest, ShippedTailWithoutPositionIsNoSuccess) {
  RunTo(10);
  End(10, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndoing);
  EXPECT_THAT(state_.end_text, HasSubstr("NO_POSITION"));
}

TEST_F(DecideTest, FailedCheckEndsThePlanOnceTheOthersAreIn) {
  Do(Proceed{});
  EXPECT_TRUE(End(1, FailedOutcome("ROLE", "is a primary")).commands.empty());
  EXPECT_EQ(state_.state, PlanState::kRunning);
  End(0, OkOutcome());
  End(2, OkOutcome());
  End(3, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("ROLE: is a primary"));
  EXPECT_EQ(pool_, testing::SmallPool());
}

TEST_F(DecideTest, SilentCheckEndsThePlan) {
  RunTo(3);
  Do(StepTimedOut{3, 1});
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("NO_ANSWER"));
}

TEST_F(DecideTest, FailureBeforeTheFenceUndoesUnderAThirdEpoch) {
  RunTo(8);
  EXPECT_TRUE(pool_.active_chat.empty());
  EXPECT_EQ(End(8, FailedOutcome("A", "once")).commands.size(), 1u);
  const Decision decision = End(8, FailedOutcome("A", "twice"));
  EXPECT_EQ(state_.state, PlanState::kUndoing);
  ASSERT_EQ(decision.commands.size(), 1u);
  EXPECT_EQ(decision.commands[0].command.epoch, plan_->undo_epoch);
  EXPECT_EQ(pool_.epoch, plan_->undo_epoch);
  for (const int needless : {13, 18, 19, 21, 22}) {
    EXPECT_EQ(StateOf(needless), StepState::kSkipped) << needless;
  }
  End(20, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndone);
  EXPECT_THAT(state_.end_text, HasSubstr("A: twice"));
  EXPECT_EQ(pool_.active_chat.begin()->first.ToString(), "hq-chat1/chat");
  EXPECT_EQ(pool_.active_chat.begin()->second, plan_->undo_epoch);
  EXPECT_EQ(pool_.rights[DatabaseId("mgc")].writer, HostId("hq-sql1"));
}

TEST_F(DecideTest, FailureAfterTheTailTakesTheFenceBackUnderAThirdEpoch) {
  RunTo(12);
  EXPECT_TRUE(pool_.rights[DatabaseId("mgc")].writer.empty());
  Decision decision = End(12, RefusedOutcome("GAP", "a file is missing"));
  ASSERT_EQ(state_.state, PlanState::kUndoing);
  ASSERT_EQ(decision.commands.size(), 1u);
  EXPECT_EQ(ActionName(decision.commands[0].command.action), "Fence");
  EXPECT_EQ(decision.commands[0].command.epoch, plan_->undo_epoch);
  decision = End(18, OkOutcome());
  const auto& recover = std::get<Recover>(decision.commands.at(0).command.action);
  EXPECT_TRUE(recover.own_log);
  EXPECT_EQ(recover.write.epoch, plan_->undo_epoch);
  decision = End(19, Ok(19));
  EXPECT_EQ(ActionName(decision.commands.at(0).command.action), "Activate");
  decision = End(20, OkOutcome());
  EXPECT_EQ(ActionName(decision.commands.at(0).command.action), "StartStandby");
  decision = End(21, OkOutcome());
  const auto& apply = std::get<ApplyPendingLogs>(decision.commands.at(0).command.action);
  EXPECT_EQ(apply.until, (LogPosition{2, 0x3000060}));
  End(22, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndone);
  const WriteRight& right = pool_.rights[DatabaseId("mgc")];
  EXPECT_EQ(right.writer, HostId("hq-sql1"));
  EXPECT_EQ(right.fork, (LogPosition{2, 0x3000060}));
  EXPECT_EQ(right.followers, std::set<HostId>{HostId("dr-sql1")});
  EXPECT_EQ(pool_.active_chat.begin()->first.ToString(), "hq-chat1/chat");
}

TEST_F(DecideTest, UndoThatCannotGiveTheRightBackOffersAFailoverWithItsLoss) {
  RunTo(13);
  state_.steps[13].attempt = 0;  // what follows would be past the point of no return
  state_.steps[13].state = StepState::kPending;
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "no", "a"});
  ASSERT_EQ(state_.state, PlanState::kUndoing);
  End(18, OkOutcome());
  End(19, RefusedOutcome("DISK", "is broken"));
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(state_.waiting_for, HasSubstr("DISK: is broken"));
  EXPECT_THAT(state_.waiting_for, HasSubstr("baton failover pool --lost-host hq-sql1"));
  EXPECT_THAT(state_.waiting_for, HasSubstr("loses nothing"));
}

TEST_F(DecideTest, NothingIsTakenBackByAPlanThatCannotTakeBackItsFences) {
  Plan plan = *plan_;
  plan.steps.resize(18);
  Step chat = plan_->steps[20];
  chat.after = {17};
  plan.steps.push_back(chat);
  plan_ = std::make_shared<const Plan>(plan);
  state_ = Execution();
  Tell(PlanAdmitted{plan_});
  RunTo(10);
  End(10, RefusedOutcome("SHARE", "is full"));
  EXPECT_EQ(state_.state, PlanState::kWaiting);
}

TEST_F(DecideTest, NoReturnIsTheFirstRecover) {
  RunTo(13);
  End(13, RefusedOutcome("NO", "no"));
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"});
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("enough"));
  EXPECT_THAT(state_.end_text, HasSubstr("not known whether dr-sql1 may write mgc"));
  EXPECT_THAT(state_.end_text, HasSubstr("baton adopt pool"));
}

TEST_F(DecideTest, AbortThatMeetsTheLastStepsSuccessChangesNothingAndSaysSo) {
  RunTo(16);
  End(15, OkOutcome());
  ASSERT_EQ(Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"}).cancels.size(),
            1u);
  End(16, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kSucceeded);
  EXPECT_EQ(state_.end_text,
            "every step succeeded, and aborting changed nothing: aborted by me: enough");
}

TEST_F(DecideTest, AbortOfAPausedPlanWhoseStepsAllSucceededChangesNothingAndSaysSo) {
  RunTo(16);
  End(15, OkOutcome());
  Do(OperatorRequest{Verb::kPause, std::nullopt, "me", "lunch", "p"});
  End(16, OkOutcome());
  ASSERT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(OptionsFor(state_).back().effect, HasSubstr("every step has succeeded"));
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"});
  EXPECT_EQ(state_.state, PlanState::kSucceeded);
}

TEST_F(DecideTest, AbortThatTheLastStepHeededEndsThePlanAsFailed) {
  RunTo(16);
  End(15, OkOutcome());
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"});
  End(16, RefusedOutcome("CANCELLED", "as asked"));
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("mgc is written on dr-sql1"));
}

TEST_F(DecideTest, AbortThatMeetsTheUndosLastSuccessLeavesItUndone) {
  RunTo(6);
  End(6, RefusedOutcome("R", "no"));
  ASSERT_EQ(state_.steps[20].state, StepState::kRunning);
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"});
  End(20, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndone);
  EXPECT_THAT(state_.end_text, HasSubstr("served where it was, and aborting changed nothing: "));
  EXPECT_THAT(state_.end_text, HasSubstr("its undo was aborted by me: enough"));
}

TEST_F(DecideTest, FenceOfWhoIsSeededIsNoneThatAWayBackHasToTakeBack) {
  Plan plan = testing::SmallSwitchover();
  plan.kind = PlanKind::kFailback;
  plan.steps[1].what = Action(Fence{});
  Use(std::move(plan));
  RunTo(10);
  EXPECT_THAT(OptionsFor(state_).back().effect, HasSubstr("what was done is taken back"));
  End(10, RefusedOutcome("R", "no"));
  EXPECT_EQ(state_.state, PlanState::kUndoing) << state_.waiting_for;
}

TEST_F(DecideTest, FenceOfWhoIsSeededIsNoMoveOfTheRightToWrite) {
  Plan plan = testing::SmallSwitchover();
  plan.kind = PlanKind::kProtect;
  plan.epoch = plan.epoch_before;
  plan.steps.resize(4);
  plan.steps[1].what = Action(Fence{});
  Use(std::move(plan));
  Do(Proceed{});
  End(1, OkOutcome());
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"});
  for (const int step : {0, 2, 3}) End(step, RefusedOutcome("CANCELLED", "as asked"));
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("nothing was moved"));
  EXPECT_THAT(state_.end_text, HasSubstr("baton protect pool begins anew from it"));
}

TEST_F(DecideTest, UndoThatHasNobodyServeSaysSo) {
  Plan plan = testing::SmallSwitchover();
  plan.steps[20].what = Action(CheckChat{false});
  Use(std::move(plan));
  RunTo(6);
  EXPECT_THAT(OptionsFor(state_).back().effect, HasSubstr("no chat server serves: baton adopt"));
  End(6, RefusedOutcome("R", "no"));
  End(20, OkOutcome());
  ASSERT_EQ(state_.state, PlanState::kUndone);
  EXPECT_THAT(state_.end_text, HasSubstr("no chat server serves: baton adopt pool has one serve"));
}

TEST_F(DecideTest, SilenceBeforeTheFenceUndoesAndLateForwardAnswersChangeNothing) {
  RunTo(7);
  Do(StepTimedOut{7, 1});
  ASSERT_EQ(state_.state, PlanState::kUndoing);
  EXPECT_TRUE(Decide(state_, CommandEnded{state_.CommandOf(7), OkOutcome()}).facts.empty());
}

TEST_F(DecideTest, UndoThatFailsWaitsAndResumesUndoing) {
  RunTo(6);
  End(6, RefusedOutcome("R", "no"));
  ASSERT_EQ(state_.state, PlanState::kUndoing);
  End(20, FailedOutcome("U", "once"));
  End(20, FailedOutcome("U", "twice"));
  ASSERT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_TRUE(state_.undoing);
  Do(Resumed("me", "mended", ""));
  EXPECT_EQ(state_.state, PlanState::kUndoing);
  End(20, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndone);
}

TEST_F(DecideTest, UndoOfChatAloneThatIsGivenUpTellsThatChatIsDown) {
  RunTo(6);
  End(6, RefusedOutcome("R", "no"));
  End(20, RefusedOutcome("U", "neither"));
  ASSERT_EQ(state_.state, PlanState::kWaiting);
  Do(OperatorRequest{Verb::kAbort, std::nullopt, "me", "enough", "a"});
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("chat may be down: baton adopt pool"));
}

// A drain that hangs on a frozen chat server is still under way when the way back begins.
TEST_F(DecideTest, UndoThatMeetsABusyAgentSaysSoAndGoesOnWhenThatHasEnded) {
  RunTo(6);
  Do(StepTimedOut{6, 1});
  ASSERT_TRUE(state_.undoing);
  ASSERT_EQ(state_.steps[20].state, StepState::kRunning);
  End(20, RefusedOutcome("BUSY", "command p2/6/1 runs for chat on hq-chat1"));
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(state_.waiting_for, HasSubstr("BUSY"));
  EXPECT_THAT(state_.waiting_for, HasSubstr("baton resume"));
  End(6, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndoing) << "what was in the way has ended";
  EXPECT_TRUE(End(6, OkOutcome()).facts.empty()) << "the drain itself changes nothing";
  EXPECT_EQ(state_.steps[20].attempt, 2);
  End(20, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kUndone);
}

TEST_F(DecideTest, FailureAfterTheRecoveryIsTriedAgainThenWaitsWithItsReasonAndAWayOn) {
  RunTo(14);
  const Decision again = End(14, FailedOutcome("BUSY", "still runs"));
  ASSERT_EQ(again.commands.size(), 1u);
  EXPECT_EQ(again.commands[0].command.id, CommandId("p2/14/2"));
  End(14, FailedOutcome("BUSY", "still runs"));
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(state_.waiting_for, HasSubstr("dr-chat1/chat"));
  EXPECT_THAT(state_.waiting_for, HasSubstr("BUSY: still runs"));
  EXPECT_THAT(state_.waiting_for, HasSubstr("baton resume pool"));
  const Decision resumed = Do(Resumed("me", "mended", "r1"));
  ASSERT_EQ(resumed.commands.size(), 1u);
  EXPECT_EQ(resumed.commands[0].command.id, CommandId("p2/14/3"));
  EXPECT_EQ(state_.steps[14].attempts_since_resume, 1);
}

TEST_F(DecideTest, RefusalAndCancellationAreNotTriedAgain) {
  RunTo(14);
  EXPECT_TRUE(End(14, RefusedOutcome("EPOCH_TOO_LOW", "saw 9.9")).commands.empty());
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  Do(Resumed("me", "mended", ""));
  Outcome cancelled = FailedOutcome("CANCELLED", "by hand");
  cancelled.code = OutcomeCode::kCancelled;
  EXPECT_TRUE(End(14, cancelled).commands.empty());
  EXPECT_EQ(state_.state, PlanState::kWaiting);
}

TEST_F(DecideTest, UnknownIsAskedAgainAsANewCommandThenWaits) {
  RunTo(13);
  EXPECT_EQ(End(13, Unknown()).commands.at(0).command.id, CommandId("p2/13/2"));
  EXPECT_EQ(End(13, Unknown()).commands.at(0).command.id, CommandId("p2/13/3"));
  EXPECT_TRUE(End(13, Unknown()).commands.empty());
  EXPECT_EQ(StateOf(13), StepState::kUnknown);
  EXPECT_EQ(state_.state, PlanState::kWaiting);
}

TEST_F(DecideTest, CommandThatWasNeverAcceptedIsSentAsANewOne) {
  RunTo(9);
  const Decision decision = Do(CommandNotAccepted{CommandId("p2/9/1")});
  EXPECT_EQ(decision.commands.at(0).command.id, CommandId("p2/9/2"));
  EXPECT_TRUE(Do(CommandNotAccepted{CommandId("p2/9/1")}).facts.empty());
}

TEST_F(DecideTest, HostThatIsBackIsAskedAndNothingIsAssumed) {
  RunTo(9);
  EXPECT_TRUE(Do(HostLost{HostId("hq-sql1")}).facts.empty());
  EXPECT_EQ(StateOf(9), StepState::kRunning);
  const Decision decision = Do(HostReady{HostId("hq-sql1")});
  EXPECT_TRUE(decision.facts.empty());
  EXPECT_TRUE(decision.commands.empty());
  ASSERT_EQ(decision.queries.size(), 1u);
  EXPECT_EQ(decision.queries[0].command, CommandId("p2/9/1"));
  EXPECT_TRUE(Do(HostReady{HostId("dr-sql1")}).queries.empty());
}

TEST_F(DecideTest, SilenceAfterTheRecoveryWaitsAndALateAnswerGoesOnByItself) {
  RunTo(14);
  Do(StepTimedOut{14, 1});
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(state_.waiting_for, HasSubstr("Activate dr-chat1/chat"));
  EXPECT_EQ(StateOf(14), StepState::kRunning);
  EXPECT_TRUE(Do(StepTimedOut{14, 1}).facts.empty());
  EXPECT_EQ(Do(HostReady{HostId("dr-chat1")}).queries.size(), 1u);
  const Decision decision = End(14, Ok(14));
  EXPECT_EQ(state_.state, PlanState::kRunning);
  EXPECT_EQ(decision.commands.size(), 2u);
}

TEST_F(DecideTest, LateBadAnswerIsRecordedAndTheWaitGoesOn) {
  RunTo(14);
  Do(StepTimedOut{14, 1});
  EXPECT_TRUE(End(14, FailedOutcome("SHARE", "is full")).commands.empty());
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(state_.waiting_for, HasSubstr("SHARE: is full"));
  EXPECT_EQ(Do(Resumed("me", "", "")).commands.at(0).command.id, CommandId("p2/14/2"));
}

TEST_F(DecideTest, ResumeAsksAboutWhatMayStillRun) {
  RunTo(14);
  Do(StepTimedOut{14, 1});
  const Decision decision = Do(Resumed("me", "", ""));
  EXPECT_TRUE(decision.commands.empty());
  EXPECT_EQ(decision.queries.size(), 1u);
  EXPECT_EQ(decision.timers.size(), 1u);
  EXPECT_EQ(state_.state, PlanState::kRunning);
}

TEST_F(DecideTest, ResumeOfAPlanThatRunsIsNothing) {
  RunTo(9);
  EXPECT_TRUE(Decide(state_, Resumed("me", "", "")).facts.empty());
}

TEST_F(DecideTest, DoubledAndStaleAnswersAreIgnored) {
  RunTo(9);
  EXPECT_TRUE(Do(CommandEnded{CommandId("p2/8/1"), FailedOutcome("X", "x")}).facts.empty());
  End(9, FailedOutcome("A", "a"));
  EXPECT_TRUE(Do(CommandEnded{CommandId("p2/9/1"), OkOutcome()}).facts.empty());
  for (const char* id : {"p2/10/1", "p2/99/1", "p2/9/0", "p3/9/2", "p2/9", "nonsense", "p2/-1/1"}) {
    EXPECT_TRUE(Do(CommandEnded{CommandId(id), OkOutcome()}).facts.empty()) << id;
  }
  for (const auto& [step, attempt] : {std::pair(9, 1), {99, 1}, {-1, 1}, {8, 1}}) {
    EXPECT_TRUE(Do(StepTimedOut{step, attempt}).facts.empty());
  }
}

TEST_F(DecideTest, FailedTailWaitsAndNeverTakesChatDown) {
  RunTo(15);
  End(15, FailedOutcome("CANARY", "not read back"));
  End(15, FailedOutcome("CANARY", "not read back"));
  EXPECT_EQ(state_.state, PlanState::kRunning);  // the standby is still being started
  const Decision last = End(16, OkOutcome());
  EXPECT_TRUE(last.commands.empty());
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_EQ(pool_.active_chat.size(), 1u);
  Do(Resumed("me", "", ""));
  End(15, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kSucceeded);
}

TEST_F(DecideTest, NothingIsTriedAgainWhileSomethingElseStandsInTheWay) {
  RunTo(15);
  End(15, RefusedOutcome("CANARY", "no room"));
  EXPECT_TRUE(End(16, FailedOutcome("STANDBY", "did not start")).commands.empty());
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  EXPECT_THAT(state_.waiting_for, HasSubstr("CANARY: no room; \"Start mgc"));
  EXPECT_EQ(Do(Resumed("me", "", "")).commands.size(), 2u);
}

TEST_F(DecideTest, RestartArmsTheTimersAndStartsNothingTwice) {
  RunTo(9);
  const Decision decision = Do(Proceed{});
  EXPECT_TRUE(decision.facts.empty());
  EXPECT_TRUE(decision.commands.empty());
  ASSERT_EQ(decision.timers.size(), 1u);
  EXPECT_EQ(decision.timers[0].step, 9);
}

TEST_F(DecideTest, EndedPlanHearsNothing) {
  RunTo(17);
  for (const PlanEvent& event :
       {PlanEvent(Proceed{}), PlanEvent(CommandEnded{CommandId("p2/9/1"), Unknown()}),
        PlanEvent(HostReady{HostId("hq-sql1")}), PlanEvent(StepTimedOut{9, 1}),
        PlanEvent(Resumed("me", "", ""))}) {
    const Decision decision = Decide(state_, event);
    EXPECT_TRUE(decision.facts.empty());
    EXPECT_TRUE(decision.queries.empty());
  }
}

TEST_F(DecideTest, FactsOfOtherPlansChangeNothing) {
  RunTo(9);
  const Execution before = state_;
  const PoolState pool = pool_;
  Tell(StepFinished{PlanId("p9"), 9, 1, OkOutcome()});
  Tell(StepFinished{PlanId("p2"), 99, 1, OkOutcome()});
  Tell(StepFinished{PlanId("p2"), 9, 7, OkOutcome()});
  Tell(PlanEnded{PlanId("p9"), PlanState::kFailed, ""});
  EXPECT_EQ(state_.state, before.state);
  EXPECT_EQ(state_.steps[9].state, StepState::kRunning);
  EXPECT_EQ(pool_.active_chat, pool.active_chat);
}

TEST_F(DecideTest, KeepsOnlyTheLineagesThatAStandbyMayNeed) {
  WriteRight& right = pool_.rights[DatabaseId("mgc")];
  while (right.lineages.size() < 8) right.lineages.push_back(right.lineages.back());
  RunTo(14);
  EXPECT_EQ(right.lineages.size(), 8u);
  EXPECT_EQ(right.lineages.back().instance, HostId("dr-sql1"));
}

// 0 epoch, 1–4 checks, 5 Fence, 6 StartStandby, 7 Deactivate, 8 Unfence, …
class AdoptTest : public ::testing::Test {
 protected:
  AdoptTest() : plan_(std::make_shared<const Plan>(testing::SmallAdopt())) {
    Evolve(state_, Record{1, absl::UnixEpoch(), PlanAdmitted{plan_}});
    first_ = Do(Proceed{});
  }
  Decision Do(const PlanEvent& event) {
    Decision decision = Decide(state_, event);
    for (const Fact& fact : decision.facts) Evolve(state_, Record{1, absl::UnixEpoch(), fact});
    return decision;
  }
  void End(int step, Outcome outcome) { Do(CommandEnded{state_.CommandOf(step), outcome}); }

  std::shared_ptr<const Plan> plan_;
  Execution state_;
  Decision first_;
};

TEST_F(AdoptTest, LooksUnderTheNewEpoch) {
  EXPECT_TRUE(std::holds_alternative<EpochRaised>(first_.facts.at(0)));
  ASSERT_EQ(first_.commands.size(), 4u);
  EXPECT_EQ(first_.commands[0].command.epoch, plan_->epoch);
}

TEST_F(AdoptTest, FailedCheckEndsThePlan) {
  End(1, FailedOutcome("ROLE", "is a standby"));
  for (int check = 2; check < 5; ++check) End(check, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kFailed);
}

TEST_F(AdoptTest, FailureBeforeTheRightIsGivenEndsThePlanWithTheWayOn) {
  for (int check = 1; check < 5; ++check) End(check, OkOutcome());
  ASSERT_EQ(state_.steps[5].state, StepState::kRunning);
  End(5, RefusedOutcome("NO", "no"));
  End(7, OkOutcome());
  EXPECT_EQ(state_.state, PlanState::kFailed);
  EXPECT_THAT(state_.end_text, HasSubstr("baton adopt"));
}

TEST_F(AdoptTest, RefusedRightEndsThePlanAndADoubtfulOneWaits) {
  for (int check = 1; check < 8; ++check) End(check, OkOutcome());
  ASSERT_EQ(state_.steps[8].state, StepState::kRunning);
  ASSERT_EQ(ActionName(*plan_->steps[8].action()), "Unfence");
  const Execution before = state_;
  End(8, RefusedOutcome("IS_A_STANDBY", "was in recovery"));
  EXPECT_EQ(state_.state, PlanState::kFailed);
  state_ = before;
  for (int i = 0; i < 3; ++i) End(8, Unknown());
  EXPECT_EQ(state_.state, PlanState::kWaiting);
  Do(Resumed("who", "again", "r"));
  End(8, RefusedOutcome("NO", "no"));
  EXPECT_EQ(state_.state, PlanState::kWaiting) << "an earlier try may have given it";
}

TEST_F(DecideTest, LongMessagesAreCutBetweenCharacters) {
  RunTo(14);
  std::string message;
  while (message.size() < 5000) message += "é";
  End(14, RefusedOutcome("LONG", message));
  EXPECT_LT(state_.waiting_for.size(), 1300u);
  EXPECT_THAT(state_.waiting_for, HasSubstr("é…; mend it"));
}

TEST(CommandIdTest, SurvivesPlanNamesWithSlashes) {
  const auto name = ParseCommandId(MakeCommandId(PlanId("pools/a/plans/b"), 12, 3));
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->plan, PlanId("pools/a/plans/b"));
  EXPECT_EQ(name->step, 12);
  EXPECT_EQ(name->attempt, 3);
  EXPECT_FALSE(ParseCommandId(CommandId("a/01/1")).has_value());
  EXPECT_FALSE(ParseCommandId(CommandId("a/-1/1")).has_value());
  EXPECT_FALSE(ParseCommandId(CommandId("a/1/")).has_value());
  EXPECT_FALSE(ParseCommandId(CommandId("a/1/99999999999")).has_value());
  EXPECT_FALSE(ParseCommandId(CommandId("/1")).has_value());
}

// Prints what a decision costs; a simulation makes millions of them.
TEST(ExecutionTest, CopiesCheaply) {
  const auto plan = std::make_shared<const Plan>(testing::LargeSwitchover());
  Execution state;
  Evolve(state, Record{1, absl::UnixEpoch(), PlanAdmitted{plan}});
  for (StepExecution& step : state.steps) step.outcome = std::make_shared<const Outcome>();
  constexpr int kCopies = 200000;
  size_t sum = 0;
  const std::clock_t begin = std::clock();
  for (int i = 0; i < kCopies; ++i) {
    const Execution copy = state;
    sum += copy.steps.size();
  }
  const double spent = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  ASSERT_EQ(sum, state.steps.size() * kCopies);
  std::cout << "copy of an execution of " << state.steps.size()
            << " steps, all with outcomes: " << static_cast<int>(spent * 1e9 / kCopies) << " ns"
            << std::endl;
}

}  // namespace
}  // namespace baton
