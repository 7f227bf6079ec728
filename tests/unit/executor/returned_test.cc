// Who was said to be lost answers while the failover runs. Steps of the small failover: 5 Apply,
// 6 Recover, 7 Activate.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/executor/options.h"
#include "coordinator/executor/situation.h"
#include "tests/unit/executor/sim.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const PlanId kMove("p2");
const PoolId kPoolId("pool");
const HostId kOldDatabase("hq-sql1");
const HostId kOldChat("hq-chat1");

class ReturnedTest : public ::testing::Test {
 protected:
  ReturnedTest() {
    const absl::StatusOr<PlanId> adopted = world_.Admit(SmallAdopt());
    EXPECT_TRUE(adopted.ok());
    world_.Run();
    for (const HostId& host : {kOldDatabase, kOldChat}) world_.agents.Disconnect(host);
  }
  // The failover up to its Apply, which is not answered before Go().
  void Begin() {
    world_.agents.silent.insert("ApplyPendingLogs");
    ASSERT_TRUE(world_.Admit(SmallFailover()).ok());
    world_.Run(absl::Seconds(3));
    ASSERT_EQ(Of().steps[5].state, StepState::kRunning);
  }
  void Go() {
    world_.driver->OnCommandEnded(Of().CommandOf(5), OkOutcome());
    world_.Run(absl::Seconds(3));
  }
  // The failover up to its Recover, which is not answered.
  void BeginRecover() {
    world_.agents.silent.insert("Recover");
    ASSERT_TRUE(world_.Admit(SmallFailover()).ok());
    world_.Run(absl::Seconds(3));
    ASSERT_EQ(Of().steps[6].state, StepState::kRunning);
  }
  // That Recover never reached its agent, and the old database answers meanwhile.
  void LoseRecover() {
    BeginRecover();
    world_.agents.Connect(kOldDatabase);
    world_.driver->OnCommandNotAccepted(Of().CommandOf(6));
    world_.Run(absl::Seconds(3));
  }
  void SeeFenced(const HostId& host, const char* resource) {
    world_.driver->Append(ReturnFenced{kPoolId, {host, ResourceId(resource)}, Of().plan->epoch},
                          [](const absl::StatusOr<Record>&) {});
    world_.Run(absl::Seconds(3));
  }
  void Resume() {
    ASSERT_TRUE(world_.Operate(kMove, Verb::kResume).ok());
    world_.Run(absl::Seconds(3));
  }
  const Execution& Of() { return world_.Of(kMove); }
  int Recovers() const {
    return static_cast<int>(
        std::count_if(world_.agents.sent.begin(), world_.agents.sent.end(), [](const Command& one) {
          return one.plan == kMove && std::holds_alternative<Recover>(one.action);
        }));
  }

  SimCoordinator world_;
};

TEST_F(ReturnedTest, NothingIsRecoveredUntilWhoAnswersIsSeenToBeFenced) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  world_.Run(absl::Seconds(1));
  EXPECT_EQ(Of().state, PlanState::kRunning) << "what prepares it goes on";
  Go();
  EXPECT_EQ(Recovers(), 0);
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers, and hq-sql1/mgc is not seen to be"));
  EXPECT_THAT(Of().waiting_for, HasSubstr("baton-guard fence mgc 1.2 on hq-sql1"));
  SeeFenced(kOldDatabase, "mgc");
  EXPECT_EQ(Recovers(), 1);
  world_.Run();
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, WhoIsFencedInTimeHoldsNothingUp) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  SeeFenced(kOldDatabase, "mgc");
  Go();
  EXPECT_EQ(Recovers(), 1);
  for (const Record& record : world_.journal.records) {
    EXPECT_FALSE(std::holds_alternative<PlanWaiting>(record.fact));
  }
}

TEST_F(ReturnedTest, AResumeIsNoWordAboutWhoAnswers) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  Resume();
  EXPECT_EQ(Recovers(), 0);
  EXPECT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(OptionsFor(Of())[1].effect, HasSubstr("hq-sql1 answers and is waited for"));
  EXPECT_TRUE(OptionsFor(Of())[0].allowed) << "it would go on by itself";
}

TEST_F(ReturnedTest, SilentAgainItIsLostOnlyOnAnotherWord) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  world_.Run(absl::Seconds(1));
  world_.agents.Disconnect(kOldDatabase);
  Go();
  EXPECT_EQ(Recovers(), 0);
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answered and is silent again"));
  EXPECT_THAT(OptionsFor(Of())[1].effect, HasSubstr("hq-sql1 counts as lost anew"));
  Resume();
  EXPECT_EQ(Recovers(), 1);
  world_.Run();
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, WhoAnswersJustWhenItIsSaidToBeLostAnewIsNot) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  world_.agents.Disconnect(kOldDatabase);
  Go();
  world_.agents.Connect(kOldDatabase);
  Resume();
  EXPECT_EQ(Recovers(), 0);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
}

TEST_F(ReturnedTest, TheWordStaysSpentWhenTheCoordinatorDies) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  world_.Run(absl::Seconds(1));
  world_.Kill();
  world_.agents.Disconnect(kOldDatabase);
  world_.Start();
  Go();
  EXPECT_EQ(Recovers(), 0);
  world_.Run(kReconnectGrace);
  EXPECT_THAT(Of().waiting_for, HasSubstr("is silent again"));
  world_.Kill();
  world_.Start();
  world_.Run(kReconnectGrace);
  EXPECT_EQ(Recovers(), 0);
  world_.agents.Connect(kOldDatabase);
  SeeFenced(kOldDatabase, "mgc");
  EXPECT_EQ(Recovers(), 1);
}

// What the coordinator that dies may have heard of them is not durable.
TEST_F(ReturnedTest, ANewCoordinatorGivesWhoIsLostTheTimeToAnswerBeforeItRecovers) {
  Begin();
  world_.Kill();
  world_.Start();
  Go();
  EXPECT_EQ(Recovers(), 0);
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("goes on by itself"));
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 was taken for lost and may have answered"));
  Resume();
  EXPECT_EQ(Recovers(), 0) << "a word given before it could answer";
  world_.Run(kReconnectGrace);
  EXPECT_EQ(Recovers(), 1);
  world_.Run();
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, WhoAnswersWithinThatTimeIsFencedFirst) {
  Begin();
  world_.Kill();
  world_.Start();
  world_.agents.Connect(kOldDatabase);
  Go();
  world_.Run(kReconnectGrace);
  EXPECT_EQ(Recovers(), 0);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  SeeFenced(kOldDatabase, "mgc");
  EXPECT_EQ(Recovers(), 1);
}

TEST_F(ReturnedTest, ACoordinatorThatDiesWithinThatTimeLeavesItToTheNext) {
  Begin();
  for (int i = 0; i < 3; ++i) {
    world_.Kill();
    world_.Start();
    world_.Run(kReconnectGrace / 2);
  }
  Go();
  EXPECT_EQ(Recovers(), 0);
  world_.Run(kReconnectGrace);
  EXPECT_EQ(Recovers(), 1);
}

// Before the right is taken a failover waits for them in the same way: it is given up if they
// answer.
TEST_F(ReturnedTest, ANewCoordinatorTakesNoRightBeforeWhoIsLostHadTheTimeToAnswer) {
  world_.agents.silent.insert("PointAt");
  ASSERT_TRUE(world_.Admit(SmallFailover()).ok());
  world_.Run(absl::Seconds(3));
  world_.Kill();
  world_.Start();
  const auto pointed = [&] {
    for (size_t i = 0; i < Of().steps.size(); ++i) {
      const Action* action = Of().plan->steps[i].action();
      if (action != nullptr && std::holds_alternative<PointAt>(*action)) return static_cast<int>(i);
    }
    return -1;
  }();
  ASSERT_GE(pointed, 0);
  world_.driver->OnCommandEnded(Of().CommandOf(pointed), OkOutcome());
  world_.Run(absl::Seconds(3));
  EXPECT_FALSE(Of().EpochRaisedFor(false));
  EXPECT_EQ(Of().state, PlanState::kWaiting);
  world_.Run(kReconnectGrace);
  EXPECT_TRUE(Of().EpochRaisedFor(false));
}

// A dead chat host holds up no planned move whose databases are fenced.
TEST_F(ReturnedTest, NobodyIsAwaitedInAPlannedMoveWhoOwesOnlyAChatFence) {
  Execution now;
  ASSERT_TRUE(world_.Admit(SmallFailover()).ok());
  world_.Run(absl::Seconds(3));
  now = Of();
  now.fence_due = {{{kOldChat, ResourceId("chat")}, now.plan->epoch}};
  for (StepExecution& step : now.steps) step.state = StepState::kPending;
  EXPECT_THAT(Situation(now).ToBeAwaited(), ::testing::Contains(kOldChat));
  Plan planned = *now.plan;
  planned.kind = PlanKind::kSwitchover;
  planned.fence_on_return.clear();
  now.plan = std::make_shared<const Plan>(planned);
  EXPECT_THAT(Situation(now).ToBeAwaited(), IsEmpty());
  now.returned[kOldChat] = ReturnState::kAnswers;
  EXPECT_THAT(Situation(now).ToBeAwaited(), ::testing::Contains(kOldChat))
      << "it is not silent before it had the time to call again";
  now.returned.clear();
  // Given its database back, a chat server of that side may serve.
  now.undoing = true;
  for (size_t i = 0; i < now.steps.size(); ++i) planned.steps[i].undo = true;
  now.plan = std::make_shared<const Plan>(planned);
  EXPECT_THAT(Situation(now).ToBeAwaited(), ::testing::Contains(kOldChat));
  now.undoing = false;
  for (Step& step : planned.steps) step.undo = false;
  planned.kind = PlanKind::kFailback;
  now.plan = std::make_shared<const Plan>(planned);
  EXPECT_THAT(Situation(now).ToBeAwaited(), IsEmpty());
  now.fence_due = {{{kOldChat, ResourceId("chat")}, {1, 1}}};
  EXPECT_THAT(Situation(now).ToBeAwaited(), ::testing::Contains(kOldChat)) << "since a move before";
  planned.kind = PlanKind::kAdopt;
  now.plan = std::make_shared<const Plan>(planned);
  now.fence_due = {{{kOldChat, ResourceId("chat")}, now.plan->epoch}};
  EXPECT_THAT(Situation(now).ToBeAwaited(), ::testing::Contains(kOldChat));
  planned.kind = PlanKind::kSwitchover;
  now.plan = std::make_shared<const Plan>(planned);
  now.fence_due = {{{kOldDatabase, ResourceId("mgc")}, now.plan->epoch}};
  EXPECT_THAT(Situation(now).ToBeAwaited(), ::testing::Contains(kOldDatabase));
}

// The word is spent though nothing was heard in that session.
TEST_F(ReturnedTest, ASessionThatEndsBeforeItsFirstReportIsAnAnswerToo) {
  Begin();
  world_.driver->OnHostAnswers(kOldDatabase);
  world_.driver->OnHostLost(kOldDatabase);
  Go();
  EXPECT_EQ(Recovers(), 0);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answered and is silent again"));
}

// Nobody has a session with a coordinator that has just started.
TEST_F(ReturnedTest, WhoHadNoTimeToOpenASessionAnewIsNotSilent) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  ASSERT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  world_.Kill();
  world_.agents.Disconnect(kOldDatabase);
  world_.Start();
  Resume();
  EXPECT_EQ(Recovers(), 0);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  world_.agents.Connect(kOldDatabase);
  world_.Run(kReconnectGrace * 2);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  SeeFenced(kOldDatabase, "mgc");
  EXPECT_EQ(Recovers(), 1);
}

TEST_F(ReturnedTest, WhoHadTheTimeAndOpensNoneIsSilentAndMayBeSaidToBeLost) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  world_.Kill();
  world_.agents.Disconnect(kOldDatabase);
  world_.Start();
  world_.Run(kReconnectGrace - absl::Seconds(1));
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  world_.Run(kReconnectGrace);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answered and is silent again"));
  Resume();
  EXPECT_EQ(Recovers(), 1);
}

TEST_F(ReturnedTest, WhoseSessionWithTheNewCoordinatorEndedIsSilentAtOnce) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  world_.Kill();
  world_.Start();
  world_.Run(absl::Seconds(1));
  world_.agents.Disconnect(kOldDatabase);
  world_.Run(absl::Seconds(1));
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answered and is silent again"));
}

// Typed while the plan said that it answers; it falls silent before the request is looked at.
TEST_F(ReturnedTest, AResumeIsNoWordAboutWhoFallsSilentWhileItIsOnItsWay) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  ASSERT_TRUE(OptionsFor(Of())[1].allowed);
  world_.agents.Connect(kOldChat);  // its record is on its way
  world_.driver->Resume(kMove, "tester", "go on", "", [](const absl::Status&) {});
  world_.agents.Disconnect(kOldDatabase);
  world_.Run(absl::Seconds(3));
  EXPECT_EQ(Recovers(), 0);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answered and is silent again"));
}

// Told to be silent, it answers and falls silent anew: that silence nobody was told of.
TEST_F(ReturnedTest, AResumeIsNoWordAboutWhoAnswersWhileItIsOnItsWay) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  world_.agents.Disconnect(kOldDatabase);
  Go();
  ASSERT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answered and is silent again"));
  world_.agents.Connect(kOldChat);  // its record is on its way
  world_.driver->Resume(kMove, "tester", "go on", "", [](const absl::Status&) {});
  world_.agents.Connect(kOldDatabase);
  world_.agents.Disconnect(kOldDatabase);
  world_.Run(absl::Seconds(3));
  EXPECT_EQ(Recovers(), 0);
  EXPECT_EQ(Of().state, PlanState::kWaiting);
}

TEST_F(ReturnedTest, AnOpenSessionIsEnoughBeforeAnythingIsHeardInIt) {
  Begin();
  world_.agents.Welcome(kOldChat);
  Go();
  EXPECT_EQ(Recovers(), 0);
  EXPECT_THAT(Of().waiting_for, HasSubstr("baton-guard fence chat 1.2 on hq-chat1"));
}

TEST_F(ReturnedTest, ChatIsNotServedBeforeWhoAnswersIsFencedAlsoPastTheRecover) {
  BeginRecover();
  world_.agents.Connect(kOldChat);
  Outcome recovered = OkOutcome();
  recovered.position = LogPosition{2, 0x3000060};
  world_.driver->OnCommandEnded(Of().CommandOf(6), recovered);
  world_.Run(absl::Seconds(3));
  EXPECT_EQ(Of().steps[7].attempt, 0);
  EXPECT_EQ(Of().state, PlanState::kWaiting);
  SeeFenced(kOldChat, "chat");
  world_.Run();
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, ALostRecoverIsNotTriedAgainWhileSomebodyAnswersUnfenced) {
  LoseRecover();
  EXPECT_EQ(Recovers(), 1);
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  EXPECT_FALSE(world_.Operate(kMove, Verb::kRetry).ok());
  Resume();
  EXPECT_EQ(Recovers(), 1);
  EXPECT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("goes on by itself"));
  EXPECT_THAT(Of().waiting_for, Not(HasSubstr("mend it")));
  world_.agents.silent.clear();
  SeeFenced(kOldDatabase, "mgc");
  world_.Run();
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, ItGoesOnByItselfThoughTheCoordinatorDiesJustAsItSawTheFence) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  world_.journal.dies_at = world_.journal.records.size() + 1;
  SeeFenced(kOldDatabase, "mgc");
  world_.Run();
  EXPECT_EQ(Recovers(), 1);
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, AHeldBackTryIsMadeThoughTheCoordinatorDiesJustAsItSawTheFence) {
  LoseRecover();
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  world_.agents.silent.clear();
  world_.journal.dies_at = world_.journal.records.size() + 1;
  SeeFenced(kOldDatabase, "mgc");
  world_.Run();
  EXPECT_EQ(Recovers(), 2);
  EXPECT_EQ(Of().state, PlanState::kSucceeded) << Of().waiting_for;
}

TEST_F(ReturnedTest, WhatAnOperatorIsToMendIsNotTriedAnewByAFenceOrANewCoordinator) {
  BeginRecover();
  world_.agents.Connect(kOldDatabase);
  world_.driver->OnCommandEnded(Of().CommandOf(6), RefusedOutcome("R", "no"));
  world_.Run(absl::Seconds(3));
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("mend it"));
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-sql1 answers"));
  EXPECT_THAT(Of().waiting_for, Not(HasSubstr("by itself")));
  SeeFenced(kOldDatabase, "mgc");
  EXPECT_THAT(Of().waiting_for, Not(HasSubstr("hq-sql1 answers")));
  world_.Kill();
  world_.Start();
  world_.Run(absl::Seconds(3));
  EXPECT_EQ(Recovers(), 1);
  EXPECT_EQ(Of().state, PlanState::kWaiting);
}

// Nobody was waited for when it timed out, so nobody promised anything.
TEST_F(ReturnedTest, ALostRecoverThatAPlanWaitsForIsLeftToItsOperatorByANewCoordinator) {
  BeginRecover();
  world_.Run(SmallFailover().steps[6].timeout + absl::Minutes(1));
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  world_.driver->OnCommandNotAccepted(Of().CommandOf(6));
  world_.Run(absl::Seconds(3));
  ASSERT_EQ(Of().steps[6].state, StepState::kFailed);
  EXPECT_THAT(Of().waiting_for, HasSubstr("mend it, then: baton resume"));
  world_.Kill();
  world_.Start();
  world_.Run(absl::Seconds(3));
  EXPECT_EQ(Recovers(), 1);
  EXPECT_EQ(Of().state, PlanState::kWaiting);
}

TEST_F(ReturnedTest, APausedPlanStaysPausedWhoeverIsFenced) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  ASSERT_TRUE(world_.Operate(kMove, Verb::kPause).ok());
  SeeFenced(kOldDatabase, "mgc");
  EXPECT_EQ(Recovers(), 0);
  Resume();
  EXPECT_EQ(Recovers(), 1);
}

TEST_F(ReturnedTest, WaitingForAFenceItCanBeGivenUp) {
  Begin();
  world_.agents.Connect(kOldDatabase);
  Go();
  ASSERT_TRUE(world_.Operate(kMove, Verb::kAbort).ok());
  world_.Run();
  EXPECT_EQ(Of().state, PlanState::kFailed);
  EXPECT_THAT(Of().end_text, HasSubstr("was not given the right to write"));
  EXPECT_EQ(world_.driver->state().FindPool(kPoolId)->fence_due.size(), 2u);
}

// Chat comes back to where it was only once the third one, which came back meanwhile, takes nobody.
TEST_F(ReturnedTest, StepsBackWaitForTheFenceOfWhoAnswersToo) {
  const HostId third("hq-chat2");
  Plan plan = SmallSwitchover();
  plan.fence_on_return = {{third, ResourceId("chat")}};
  world_.agents.Connect(kOldDatabase);
  world_.agents.Connect(kOldChat);
  world_.agents.silent.insert("Drain");
  ASSERT_TRUE(world_.Admit(std::move(plan)).ok());
  world_.Run(absl::Seconds(3));
  world_.agents.Connect(third);
  ASSERT_TRUE(world_.Operate(kMove, Verb::kAbort).ok());
  world_.Run();
  ASSERT_TRUE(Of().undoing);
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("hq-chat2 answers, and hq-chat2/chat is not seen to be"));
  const auto serves = [this] {
    return std::any_of(world_.agents.sent.begin(), world_.agents.sent.end(),
                       [](const Command& one) {
                         return one.plan == kMove && std::holds_alternative<Activate>(one.action);
                       });
  };
  EXPECT_FALSE(serves());
  SeeFenced(third, "chat");
  world_.Run();
  EXPECT_TRUE(serves());
  EXPECT_EQ(Of().state, PlanState::kUndone) << Of().waiting_for;
}

// A planned move can wait before users feel it as well as after.
class PlannedReturnTest : public ReturnedTest {
 protected:
  // A move went on without the third host and was undone; it is back when the next one is admitted.
  PlannedReturnTest() {
    Plan before = SmallSwitchover();
    before.fence_on_return = {{third_, ResourceId("chat")}};
    world_.agents.Connect(kOldDatabase);
    world_.agents.Connect(kOldChat);
    world_.agents.Disconnect(third_);
    world_.agents.silent.insert("Drain");
    EXPECT_TRUE(world_.Admit(before).ok());
    world_.Run(absl::Seconds(3));
    EXPECT_TRUE(world_.Operate(kMove, Verb::kAbort).ok());
    world_.Run();
    EXPECT_EQ(Of().state, PlanState::kUndone) << Of().waiting_for;
    world_.agents.silent.clear();
    world_.agents.Connect(third_);
    Plan next = SmallSwitchover();
    next.id = next_;
    next.epoch_before = before.undo_epoch;
    next.epoch = next.epoch_before.Next();
    next.undo_epoch = next.epoch.Next();
    EXPECT_TRUE(world_.Admit(std::move(next)).ok());
    world_.Run();
  }
  const Execution& Next() { return world_.Of(next_); }
  bool Drained() const {
    return std::any_of(world_.agents.sent.begin(), world_.agents.sent.end(),
                       [this](const Command& one) {
                         return one.plan == next_ && std::holds_alternative<Drain>(one.action);
                       });
  }

  const HostId third_{"hq-chat2"};
  const PlanId next_{"p3"};
};

TEST_F(PlannedReturnTest, ChatIsNotTakenDownBeforeWhoAnswersIsFenced) {
  ASSERT_EQ(Next().state, PlanState::kWaiting);
  EXPECT_THAT(Next().waiting_for, HasSubstr("chat is not taken down"));
  EXPECT_THAT(Next().waiting_for, HasSubstr("hq-chat2/chat is not seen to be fenced"));
  EXPECT_FALSE(Drained());
  SeeFenced(third_, "chat");
  world_.Run();
  EXPECT_TRUE(Drained());
  EXPECT_EQ(Next().state, PlanState::kSucceeded) << Next().waiting_for;
}

TEST_F(PlannedReturnTest, ItCanBeGivenUpWithNothingMoved) {
  ASSERT_EQ(Next().state, PlanState::kWaiting);
  ASSERT_TRUE(world_.Operate(next_, Verb::kAbort).ok());
  world_.Run();
  EXPECT_EQ(Next().state, PlanState::kFailed) << Next().waiting_for;
  EXPECT_THAT(Next().end_text, HasSubstr("nothing was moved"));
  EXPECT_FALSE(Drained());
}

TEST_F(ReturnedTest, AnActivateThatIsNotAnsweredNamesTheWayRoundItsHost) {
  world_.agents.silent.insert("Activate");
  ASSERT_TRUE(world_.Admit(SmallFailover()).ok());
  world_.Run();
  ASSERT_EQ(Of().state, PlanState::kWaiting);
  EXPECT_THAT(Of().waiting_for, HasSubstr("if that host is down: baton abort pool"));
  EXPECT_THAT(Of().waiting_for, HasSubstr("baton adopt pool --lost-host dr-chat1"));
  ASSERT_TRUE(world_.Operate(kMove, Verb::kAbort).ok());
  world_.Run();
  EXPECT_THAT(Of().end_text, HasSubstr("baton adopt pool (with --lost-host dr-chat1 if"));
}

TEST_F(ReturnedTest, OncePromotedNothingMoreIsNotedOfThem) {
  ASSERT_TRUE(world_.Admit(SmallFailover()).ok());
  world_.Run();
  ASSERT_EQ(Of().state, PlanState::kSucceeded);
  world_.agents.Connect(kOldDatabase);
  world_.Run();
  EXPECT_THAT(Of().returned, IsEmpty());
}

}  // namespace
}  // namespace baton::testing
