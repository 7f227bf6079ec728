#include "coordinator/executor/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/executor/sim.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const PlanId kMove("p2");

// An adopted small pool.
void Adopt(SimCoordinator& world, Plan plan = SmallAdopt()) {
  ASSERT_TRUE(world.Admit(std::move(plan)).ok());
  world.Run();
  ASSERT_EQ(world.Of(PlanId("p1")).state, PlanState::kSucceeded);
}

CoordinatorState Fold(const std::vector<Record>& records) {
  CoordinatorState state;
  for (const Record& record : records) Evolve(state, record);
  return state;
}

TEST(DriverTest, AdoptsThenMoves) {
  SimCoordinator world;
  Adopt(world);
  EXPECT_EQ(Dump(*world.driver->state().FindPool(PoolId("pool"))), Dump(SmallPool()));
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
  EXPECT_THAT(world.agents.wrong, IsEmpty());
  EXPECT_EQ(world.heard.size(), world.journal.records.size());
  EXPECT_TRUE(world.driver->state().running.empty());
}

TEST(DriverTest, KeepsNothingUnderWayForPlansThatEnded) {
  SimCoordinator world;
  Adopt(world);
  EXPECT_EQ(world.driver->UnderWay(), 0u);
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  EXPECT_EQ(world.driver->UnderWay(), 1u);
  world.Run();
  ASSERT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
  world.driver->OnCommandEnded(MakeCommandId(kMove, 0, 1), OkOutcome());
  EXPECT_FALSE(world.Resume(kMove).ok()) << "it has ended";
  world.Run();
  EXPECT_EQ(world.driver->UnderWay(), 0u);
}

TEST(DriverTest, ReplayIsMemoryAtEveryPrefix) {
  SimCoordinator world;
  Adopt(world, LargeAdopt());
  const size_t adopted = world.journal.records.size();
  ASSERT_TRUE(world.Admit(LargeSwitchover()).ok());
  size_t told = 0;
  while (world.Step()) {
    if (world.heard.size() == told) continue;
    told = world.heard.size();
    const std::vector<Record> prefix(world.journal.records.begin(),
                                     world.journal.records.begin() + told);
    ASSERT_EQ(Dump(Fold(prefix)), Dump(world.driver->state())) << "after record " << told;
  }
  EXPECT_GT(told, adopted + 40);
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
}

TEST(DriverTest, SurvivesADeathAfterEveryRecord) {
  size_t last = 1;
  for (size_t at = 1; at <= last; ++at) {
    SimCoordinator world(at);
    Adopt(world);
    const size_t before = world.journal.records.size();
    world.journal.dies_at = before + at;
    (void)world.Admit(SmallSwitchover());
    world.Run();
    ASSERT_NE(world.driver->state().FindExecution(kMove), nullptr) << at;
    if (world.Of(kMove).state == PlanState::kWaiting) {
      // A cut inside a batch may leave a failure without its retry; a whole one never does.
      ASSERT_TRUE(world.Resume(kMove).ok()) << at;
      world.Run();
    }
    EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded)
        << at << ": " << world.Of(kMove).waiting_for << world.Of(kMove).end_text;
    EXPECT_THAT(world.agents.wrong, IsEmpty()) << at;
    EXPECT_EQ(Dump(Fold(world.journal.records)), Dump(world.driver->state()));
    last = std::max(last, world.journal.records.size() - before);
  }
  EXPECT_GT(last, 30u);
}

TEST(DriverTest, OnePlanPerPoolAtATime) {
  SimCoordinator world;
  Adopt(world);
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  Plan other = SmallSwitchover();
  other.id = PlanId("p3");
  const auto refused = world.Admit(other);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("p2"));
}

TEST(DriverTest, SecondAdmissionIsRefusedWhileTheFirstIsNotDurableYet) {
  SimCoordinator world;
  Adopt(world);
  Plan other = SmallSwitchover();
  other.id = PlanId("p3");
  absl::Status second;
  world.driver->Admit(SmallSwitchover(), [](absl::StatusOr<PlanId>) {});
  world.driver->Admit(other, [&](absl::StatusOr<PlanId> id) { second = id.status(); });
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(DriverTest, PlanMadeFromAnOlderStateIsRefused) {
  SimCoordinator world;
  Adopt(world);
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run();
  Plan stale = SmallSwitchover();
  stale.id = PlanId("p3");
  EXPECT_EQ(world.Admit(stale).status().code(), absl::StatusCode::kAborted);
  Plan again = SmallAdopt();
  again.id = PlanId("p4");
  EXPECT_EQ(world.Admit(again).status().code(), absl::StatusCode::kAborted);
}

TEST(DriverTest, AnAdoptedPoolGetsItsRightBackUnderTheNextEpoch) {
  SimCoordinator world;
  Adopt(world);
  const PoolId pool = SmallAdopt().pool;
  const PoolState before = *world.driver->state().FindPool(pool);
  Plan again = SmallAdopt();
  again.id = PlanId("p2");
  again.request_id.clear();
  again.epoch_before = before.epoch;
  again.epoch = before.epoch.Next();
  for (Step& step : again.steps) {
    Action* action = std::get_if<Action>(&step.what);
    if (action == nullptr) continue;
    if (auto* unfence = std::get_if<Unfence>(action)) unfence->write.epoch = again.epoch;
  }
  ASSERT_TRUE(world.Admit(again).ok());
  world.Run();
  EXPECT_EQ(world.Of(PlanId("p2")).state, PlanState::kSucceeded);
  const PoolState& after = *world.driver->state().FindPool(pool);
  EXPECT_TRUE(after.adopted);
  EXPECT_EQ(after.epoch, before.epoch.Next());
  for (const auto& [database, right] : after.rights) {
    EXPECT_EQ(right.writer, before.rights.at(database).writer);
    EXPECT_EQ(right.lineages.size(), before.rights.at(database).lineages.size() + 1);
    EXPECT_EQ(right.lineages.back().epoch, after.epoch);
  }
  EXPECT_THAT(world.agents.wrong, IsEmpty());
}

TEST(DriverTest, TheSameRequestGivesTheSamePlan) {
  SimCoordinator world;
  Adopt(world);
  Plan plan = SmallSwitchover();
  plan.request_id = "r1";
  Plan again = plan;
  again.id = PlanId("p3");
  std::vector<PlanId> made;
  const auto note = [&](absl::StatusOr<PlanId> id) { made.push_back(*id); };
  world.driver->Admit(plan, note);
  world.driver->Admit(again, note);  // the first is not durable yet
  world.Run();
  world.Kill();
  world.Start();
  world.driver->Admit(again, note);
  EXPECT_THAT(made, ::testing::Each(kMove));
  EXPECT_EQ(made.size(), 3u);
}

TEST(DriverTest, ResumesOncePerRequest) {
  SimCoordinator world;
  Adopt(world);
  world.agents.outcomes["Activate"] = FailedOutcome("BUSY", "still runs");
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  EXPECT_EQ(world.Resume(kMove).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(world.Resume(PlanId("p9")).code(), absl::StatusCode::kNotFound);
  world.Run();
  ASSERT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  EXPECT_TRUE(world.Resume(kMove, "r1").ok());
  world.Run();
  ASSERT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  const size_t records = world.journal.records.size();
  EXPECT_TRUE(world.Resume(kMove, "r1").ok());
  EXPECT_EQ(world.journal.records.size(), records);
  world.agents.outcomes.clear();
  EXPECT_TRUE(world.Resume(kMove, "r2").ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
}

TEST(DriverTest, FailureBeforeTheFenceGivesChatBack) {
  SimCoordinator world;
  Adopt(world);
  world.agents.outcomes["EndConnections"] = RefusedOutcome("NO", "not now");
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kUndone);
  EXPECT_EQ(world.agents.sent.back().epoch, SmallSwitchover().undo_epoch);
  EXPECT_THAT(world.agents.wrong, IsEmpty());
}

TEST(DriverTest, SilentAgentIsNamedAndALateAnswerGoesOn) {
  SimCoordinator world;
  Adopt(world);
  world.agents.silent = {"Activate"};
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run();
  ASSERT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  EXPECT_THAT(world.Of(kMove).waiting_for, HasSubstr("dr-chat1/chat"));
  const Outcome late = OkOutcome();
  world.driver->OnCommandEnded(CommandId("p2/14/1"), late);
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
}

TEST(DriverTest, GoesOnOnlyWhenEveryAnswerIsIn) {
  SimCoordinator world;
  Adopt(world, LargeAdopt());
  world.agents.silent = {"Activate"};
  ASSERT_TRUE(world.Admit(LargeSwitchover()).ok());
  world.Run();
  std::vector<CommandId> waited;
  for (const Command& command : world.agents.sent) {
    if (command.plan == kMove && std::holds_alternative<Activate>(command.action))
      waited.push_back(command.id);
  }
  ASSERT_EQ(waited.size(), 2u);
  EXPECT_THAT(world.Of(kMove).waiting_for, HasSubstr("dr-chat1/chat"));
  EXPECT_THAT(world.Of(kMove).waiting_for, HasSubstr("dr-chat2/chat"));
  const Outcome late = OkOutcome();
  world.driver->OnCommandEnded(waited[0], late);
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  EXPECT_THAT(world.Of(kMove).waiting_for, ::testing::Not(HasSubstr("dr-chat1/chat")));
  world.driver->OnCommandEnded(waited[1], late);
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
}

TEST(DriverTest, HostThatWasAwayIsAskedWhatBecameOfItsCommand) {
  SimCoordinator world;
  Adopt(world);
  world.agents.Disconnect(HostId("dr-sql1"));
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run(absl::Seconds(5));
  EXPECT_EQ(world.Of(kMove).state, PlanState::kRunning);
  world.agents.Connect(HostId("dr-sql1"));
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
  EXPECT_THAT(world.agents.asked, ::testing::Contains(CommandId("p2/1/1")));
  EXPECT_EQ(world.Of(kMove).steps[1].attempt, 2);
}

TEST(DriverTest, FailureAfterTheTailGivesTheRightAndChatBack) {
  SimCoordinator world;
  Adopt(world);
  world.agents.outcomes["CopyPendingLogs"] = RefusedOutcome("SHARE", "is gone");
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kUndone) << world.Of(kMove).waiting_for;
  const WriteRight& right =
      world.driver->state().FindPool(PoolId("pool"))->rights.at(DatabaseId("mgc"));
  EXPECT_EQ(right.writer, HostId("hq-sql1"));
  EXPECT_EQ(right.lineages.back().epoch, SmallSwitchover().undo_epoch);
  EXPECT_THAT(world.agents.wrong, IsEmpty());
}

TEST(DriverTest, PausesAndGoesOnOncePerRequest) {
  SimCoordinator world;
  Adopt(world);
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  ASSERT_TRUE(world.Operate(kMove, Verb::kPause, std::nullopt, "r1").ok());
  world.Run();
  ASSERT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  EXPECT_TRUE(world.Of(kMove).paused);
  EXPECT_THAT(world.Of(kMove).waiting_for, HasSubstr("paused by tester: mended"));
  EXPECT_EQ(world.agents.sent.back().plan, kMove);
  EXPECT_EQ(world.Of(kMove).steps[4].state, StepState::kPending) << "no further step began";
  world.Kill();
  world.Start();
  world.Run();
  EXPECT_TRUE(world.Of(kMove).paused);
  EXPECT_TRUE(world.Operate(kMove, Verb::kPause, std::nullopt, "r1").ok()) << "the same request";
  EXPECT_EQ(world.Operate(kMove, Verb::kPause, std::nullopt, "r2").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(world.Resume(kMove, "r3").ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
  EXPECT_FALSE(world.Of(kMove).paused);
}

TEST(DriverTest, RetriesOneStepAndSkipsAnother) {
  SimCoordinator world;
  Adopt(world);
  world.agents.outcomes["Canary"] = RefusedOutcome("NO_ROOM", "no such room");
  world.agents.outcomes["StartStandby"] = RefusedOutcome("DISK", "is full");
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run();
  ASSERT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  EXPECT_EQ(world.Operate(kMove, Verb::kRetry).code(), absl::StatusCode::kInvalidArgument)
      << "two qualify";
  EXPECT_EQ(world.Operate(kMove, Verb::kSkip, 13).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(world.Operate(kMove, Verb::kSkip, 99).code(), absl::StatusCode::kInvalidArgument);
  world.agents.outcomes.erase("StartStandby");
  ASSERT_TRUE(world.Operate(kMove, Verb::kRetry, 16).ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).steps[16].state, StepState::kSucceeded);
  EXPECT_EQ(world.Of(kMove).steps[15].attempt, 1) << "the other was left alone";
  ASSERT_EQ(world.Of(kMove).state, PlanState::kWaiting);
  const absl::Status skipped = world.Operate(kMove, Verb::kSkip);
  ASSERT_TRUE(skipped.ok()) << skipped;
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
  EXPECT_EQ(world.Of(kMove).steps[15].state, StepState::kSkipped);
}

TEST(DriverTest, AbortWaitsForTheWordOfWhatItCancelsThenGoesBack) {
  SimCoordinator world;
  Adopt(world);
  world.agents.silent = {"ApplyPendingLogs"};
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run(absl::Seconds(3));
  ASSERT_EQ(world.Of(kMove).steps[12].state, StepState::kRunning);
  ASSERT_TRUE(world.Operate(kMove, Verb::kAbort, std::nullopt, "r1").ok());
  EXPECT_TRUE(world.Of(kMove).aborting);
  EXPECT_THAT(world.agents.cancelled, ::testing::ElementsAre(CommandId("p2/12/1")));
  world.agents.silent.clear();
  world.Run(absl::Seconds(3));
  EXPECT_EQ(world.Of(kMove).steps[12].outcome->code, OutcomeCode::kCancelled);
  EXPECT_EQ(world.Of(kMove).state, PlanState::kUndone) << world.Of(kMove).waiting_for;
  EXPECT_THAT(world.Of(kMove).end_text, HasSubstr("aborted by tester"));
}

TEST(DriverTest, AbortOfWhatNobodyAnswersForEndsAfterItsTimeLimit) {
  SimCoordinator world;
  Adopt(world);
  world.agents.silent = {"Drain"};
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.Run(absl::Seconds(3));
  world.agents.Disconnect(HostId("hq-chat1"));
  ASSERT_TRUE(world.Operate(kMove, Verb::kAbort).ok());
  world.Kill();
  world.Start();  // and the time limit with it
  world.Run(absl::Seconds(10));
  EXPECT_TRUE(world.Of(kMove).aborting);
  world.Run(absl::Seconds(25));
  EXPECT_EQ(world.Of(kMove).state, PlanState::kUndoing);
  world.agents.silent.clear();
  world.agents.Connect(HostId("hq-chat1"));
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kUndone) << world.Of(kMove).waiting_for;
}

// The failover of the small pool's home site, whose hosts are gone.
void LoseHome(SimCoordinator& world) {
  Adopt(world);
  for (const char* host : {"hq-sql1", "hq-chat1"}) world.agents.Disconnect(HostId(host));
}

TEST(DriverTest, FailoverOfHostsThatStayAwayGoesThrough) {
  SimCoordinator world;
  LoseHome(world);
  ASSERT_TRUE(world.Admit(SmallFailover()).ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kSucceeded);
  EXPECT_EQ(world.driver->state().FindPool(PoolId("pool"))->fence_due.size(), 2u);
}

TEST(DriverTest, LostHostThatAnswersBeforeTheEpochEndsTheFailoverWithNothingMoved) {
  SimCoordinator world;
  LoseHome(world);
  world.agents.silent.insert("CheckDatabase");
  ASSERT_TRUE(world.Admit(SmallFailover()).ok());
  world.Run(absl::Seconds(1));
  ASSERT_EQ(world.Of(kMove).state, PlanState::kRunning);
  world.agents.Connect(HostId("hq-chat1"));
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kFailed);
  EXPECT_THAT(world.Of(kMove).end_text, HasSubstr("nothing was moved"));
  EXPECT_THAT(world.Of(kMove).end_text, HasSubstr("hq-chat1 answers, and was said to be lost"));
  const PoolState& pool = *world.driver->state().FindPool(PoolId("pool"));
  EXPECT_EQ(pool.rights.at(DatabaseId("mgc")).writer, HostId("hq-sql1"));
  EXPECT_THAT(pool.fence_due, IsEmpty());
}

TEST(DriverTest, LostHostThatAnswersWhileItsFailoverIsAdmittedEndsIt) {
  SimCoordinator world;
  LoseHome(world);
  world.agents.Connect(HostId("hq-sql1"));
  ASSERT_TRUE(world.Admit(SmallFailover()).ok());
  world.Run();
  EXPECT_EQ(world.Of(kMove).state, PlanState::kFailed);
  EXPECT_THAT(world.Of(kMove).end_text, HasSubstr("hq-sql1 answers"));
}

TEST(DriverTest, BrokenJournalStopsEverything) {
  SimCoordinator world;
  Adopt(world);
  ASSERT_TRUE(world.Admit(SmallSwitchover()).ok());
  world.journal.broken = absl::DataLossError("disk on fire");
  world.Run();
  EXPECT_EQ(world.fatal.code(), absl::StatusCode::kDataLoss);
  const size_t sent = world.agents.sent.size();
  world.agents.Connect(HostId("hq-sql1"));
  world.Run();
  EXPECT_EQ(world.agents.sent.size(), sent);
  absl::Status refused;
  world.driver->Append(LedgerAccepted{HostId("h"), LedgerId("l"), "", "", ""},
                       [&](absl::StatusOr<Record> record) { refused = record.status(); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
}

TEST(DriverTest, KeepsWhatBelongsToNoPlan) {
  SimCoordinator world;
  uint64_t sequence = 0;
  world.driver->Append(TopologyApplied{7, "sites: {}", "me", "r", "why"},
                       [&](absl::StatusOr<Record> record) { sequence = record->sequence; });
  world.driver->Append(LedgerAccepted{HostId("hq-sql1"), LedgerId("l1"), "me", "new disk", "r"},
                       [](absl::StatusOr<Record>) {});
  world.Run();
  EXPECT_EQ(sequence, 1u);
  world.Kill();
  world.Start();
  EXPECT_EQ(world.driver->state().topology->revision, 7u);
  EXPECT_EQ(world.driver->state().ledgers.at(HostId("hq-sql1")).ledger, LedgerId("l1"));
}

class ConfirmationTest : public ::testing::Test {
 protected:
  ConfirmationTest() {
    Pool& pool = topology_.pools[PoolId("pool")];
    pool.databases.resize(1);
    pool.databases[0].id = DatabaseId("mgc");
    for (const char* host : {"hq-sql1", "dr-sql1"}) {
      pool.databases[0].instances.push_back(
          {InstanceRole::kPrimary, HostId(host), ResourceId("mgc"), ShareId()});
    }
    Adopt(world_);
  }
  // "resource@epoch" of what `host` may be told.
  std::vector<std::string> For(const char* host) {
    std::vector<std::string> found;
    for (const auto& each : ConfirmationsFor(world_.driver->state(), topology_, HostId(host))) {
      found.push_back(each.resource.resource.value() + "@" + each.epoch.ToString());
    }
    return found;
  }
  Topology topology_;
  SimCoordinator world_;
};

TEST_F(ConfirmationTest, HoldersAreConfirmedAndNobodyElse) {
  EXPECT_THAT(For("hq-sql1"), ::testing::ElementsAre("mgc@1.1"));
  EXPECT_THAT(For("hq-chat1"), ::testing::ElementsAre("chat@1.1"));
  EXPECT_THAT(For("dr-sql1"), IsEmpty());
  EXPECT_THAT(For("dr-chat1"), IsEmpty());
}

TEST_F(ConfirmationTest, LosingSideIsWithheldFromTheEpochOnAndTheWinnerNot) {
  world_.agents.silent = {"Drain", "Canary"};
  ASSERT_TRUE(world_.Admit(SmallSwitchover()).ok());
  world_.Run(absl::Seconds(2));
  ASSERT_EQ(world_.Of(kMove).steps[6].state, StepState::kRunning);
  EXPECT_THAT(For("hq-sql1"), IsEmpty());
  EXPECT_THAT(For("hq-chat1"), IsEmpty());
  world_.driver->OnCommandEnded(CommandId("p2/6/1"), OkOutcome());
  world_.Run(absl::Seconds(2));
  ASSERT_EQ(world_.Of(kMove).steps[15].state, StepState::kRunning);
  EXPECT_THAT(For("dr-sql1"), ::testing::ElementsAre("mgc@1.2"));
  EXPECT_THAT(For("dr-chat1"), ::testing::ElementsAre("chat@1.2"));
  EXPECT_THAT(For("hq-sql1"), IsEmpty());
}

TEST_F(ConfirmationTest, DatabaseThatThePlanLeavesAloneIsConfirmedMeanwhile) {
  Plan plan = SmallSwitchover();
  for (Step& step : plan.steps) {
    if (!step.database.empty()) step.database = DatabaseId("rooms");
  }
  world_.agents.silent = {"Drain"};
  ASSERT_TRUE(world_.Admit(plan).ok());
  world_.Run(absl::Seconds(2));
  ASSERT_TRUE(world_.Of(kMove).EpochRaisedFor(false));
  EXPECT_THAT(For("hq-sql1"), ::testing::ElementsAre("mgc@1.1"));
}

TEST_F(ConfirmationTest, UndoGivesTheConfirmationBack) {
  world_.agents.outcomes["EndConnections"] = RefusedOutcome("NO", "not now");
  world_.agents.silent = {"Activate"};
  ASSERT_TRUE(world_.Admit(SmallSwitchover()).ok());
  world_.Run(absl::Seconds(2));
  ASSERT_EQ(world_.Of(kMove).state, PlanState::kUndoing);
  EXPECT_THAT(For("hq-sql1"), ::testing::ElementsAre("mgc@1.1"));
  EXPECT_THAT(For("hq-chat1"), IsEmpty());
}

}  // namespace
}  // namespace baton::testing
