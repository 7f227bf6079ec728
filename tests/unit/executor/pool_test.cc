// What the journal's records make of a pool: rights, forks, followers, who is to be fenced on
// return.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "coordinator/executor/state.h"
#include "tests/unit/executor/sim.h"

namespace baton::testing {
namespace {

using ::testing::IsEmpty;

const ResourceRef kOldDatabase{HostId("hq-sql1"), ResourceId("mgc")};
const ResourceRef kOldChat{HostId("hq-chat1"), ResourceId("chat")};
const DatabaseId kDatabase("mgc");

class PoolTest : public ::testing::Test {
 protected:
  explicit PoolTest(Plan plan = SmallFailover()) : plan_(std::move(plan)) {}
  void Tell(Fact fact) { Evolve(pool_, plan_, Record{1, absl::UnixEpoch(), std::move(fact)}); }
  void Start(int step) { Tell(StepStarted{plan_.id, step, 1, MakeCommandId(plan_.id, step, 1)}); }
  void Succeed(int step, std::optional<LogPosition> position = std::nullopt) {
    Start(step);
    Outcome outcome = OkOutcome();
    outcome.position = position;
    Tell(StepFinished{plan_.id, step, 1, outcome});
  }
  int Add(const ResourceRef& target, Action action) {
    Step step;
    step.target = target;
    if (target.resource == kOldDatabase.resource) step.database = kDatabase;
    step.what = std::move(action);
    plan_.steps.push_back(std::move(step));
    return static_cast<int>(plan_.steps.size()) - 1;
  }
  WriteRight& right() { return pool_.rights[kDatabase]; }

  Plan plan_;
  PoolState pool_ = SmallPool();
};

TEST_F(PoolTest, AdoptedPoolIsFollowedByTheStandbyThatTheAdoptionStarted) {
  EXPECT_THAT(right().followers, ::testing::ElementsAre(HostId("dr-sql1")));
  EXPECT_TRUE(right().fork.none());
}

TEST_F(PoolTest, RaisedEpochOfAFailoverTakesTheRightsOfTheLostAndMarksThem) {
  Tell(EpochRaised{plan_.id, plan_.pool, 2, plan_.epoch});
  EXPECT_TRUE(right().writer.empty());
  EXPECT_THAT(pool_.active_chat, IsEmpty());
  EXPECT_EQ(pool_.fence_due.at(kOldDatabase), plan_.epoch);
  EXPECT_EQ(pool_.fence_due.at(kOldChat), plan_.epoch);
}

TEST_F(PoolTest, DeadChatHostOfAPlannedMoveLeavesTheDatabaseToItsFence) {
  plan_.kind = PlanKind::kSwitchover;
  plan_.fence_on_return = {kOldChat};
  Tell(EpochRaised{plan_.id, plan_.pool, 2, plan_.epoch});
  EXPECT_EQ(right().writer, HostId("hq-sql1"));
  EXPECT_THAT(pool_.active_chat, IsEmpty());
}

TEST_F(PoolTest, WhoWasAskedToServeMayServeWhateverTheAnswer) {
  const ResourceRef chat{HostId("dr-chat1"), ResourceId("chat")};
  const int activate = Add(chat, Activate{});
  Start(activate);
  EXPECT_EQ(pool_.active_chat.at(chat), plan_.epoch);
  Tell(StepFinished{plan_.id, activate, 1, FailedOutcome("NO_ANSWER", "its agent died")});
  EXPECT_TRUE(pool_.active_chat.contains(chat));
  Start(Add(chat, Deactivate{}));
  EXPECT_FALSE(pool_.active_chat.contains(chat));
}

TEST_F(PoolTest, FailoverSealsTheOldArchiveAndKnowsTheFork) {
  Tell(EpochRaised{plan_.id, plan_.pool, 2, plan_.epoch});
  Succeed(3, LogPosition{1, 0x30FFFFF});
  EXPECT_EQ(right().lineages.back().sealed, (LogPosition{1, 0x30FFFFF}));
  Succeed(6, LogPosition{2, 0x3000100});
  EXPECT_EQ(right().writer, HostId("dr-sql1"));
  EXPECT_EQ(right().fork, (LogPosition{2, 0x3000100}));
  EXPECT_THAT(right().followers, IsEmpty()) << "unprotected";
  EXPECT_FALSE(right().lineages.back().sealed.has_value());
}

TEST_F(PoolTest, WhatFencesOrServesTheReturnedIsDueNoLonger) {
  for (const Action& action :
       {Action(Fence{}), Action(Deactivate{}), Action(StartStandby{}), Action(Activate{})}) {
    pool_.fence_due = {{kOldChat, plan_.epoch}, {kOldDatabase, plan_.epoch}};
    const int step = Add(kOldChat, action);
    Start(step);
    EXPECT_TRUE(pool_.fence_due.contains(kOldChat)) << "not before it is seen to hold";
    Succeed(step);
    EXPECT_FALSE(pool_.fence_due.contains(kOldChat)) << ActionName(action);
    EXPECT_TRUE(pool_.fence_due.contains(kOldDatabase));
  }
}

TEST_F(PoolTest, StandbysFollowUntilTheirDataGoes) {
  right().followers.clear();
  right().writer = HostId("dr-sql1");
  Succeed(Add(kOldDatabase, StartStandby{}));
  EXPECT_THAT(right().followers, ::testing::ElementsAre(HostId("hq-sql1")));
  Start(Add(kOldDatabase, Quarantine{}));
  EXPECT_THAT(right().followers, IsEmpty());
}

TEST_F(PoolTest, RightThatIsGivenBackInTheSameLogKeepsItsFork) {
  right().fork = LogPosition{2, 0x3000100};
  Lineage write = right().lineages.back();
  write.epoch = plan_.epoch;
  Succeed(Add(kOldDatabase, Unfence{write}));
  EXPECT_EQ(right().fork, (LogPosition{2, 0x3000100}));
  EXPECT_THAT(right().followers, IsEmpty()) << "nobody was seen to follow this right";
  write.instance = HostId("dr-sql1");
  Succeed(Add({HostId("dr-sql1"), ResourceId("mgc")}, Unfence{write}));
  EXPECT_TRUE(right().fork.none());
}

TEST_F(PoolTest, UndoThatPromotesFromItsOwnLogSealsWhatNobodySealed) {
  Lineage write = right().lineages.back();
  write.epoch = plan_.epoch;
  Succeed(Add(kOldDatabase, Recover{write, true}), LogPosition{2, 0x3000200});
  ASSERT_EQ(right().lineages.size(), 2u);
  EXPECT_EQ(right().lineages[0].sealed, (LogPosition{2, 0x3000200}));
  EXPECT_FALSE(right().lineages[1].sealed.has_value());
}

TEST_F(PoolTest, OwnLogOfOneThatNeverFollowedLeavesOutWhatOthersWroteSince) {
  Lineage of_other = right().lineages.back();
  of_other.instance = HostId("dr-sql1");
  of_other.epoch = Epoch{1, 2};
  right().lineages.back().sealed = LogPosition{1, 0x30FFFFF};
  right().lineages.push_back(of_other);
  right().followers.clear();
  const std::vector<Lineage> before = right().lineages;
  Lineage write = before.front();
  write.epoch = Epoch{1, 3};
  write.sealed.reset();
  Succeed(Add(kOldDatabase, Recover{write, true}), LogPosition{2, 0x3200000});
  EXPECT_EQ(right().lineages, (std::vector<Lineage>{before.front(), write}));

  right().lineages = before;
  right().followers = {kOldDatabase.host};  // what it has is the other one's log
  Succeed(Add(kOldDatabase, Recover{write, true}), LogPosition{3, 0x3200000});
  EXPECT_EQ(right().lineages.size(), 3u);
}

TEST(AdoptedPoolTest, IsAdoptedOnceEveryDatabaseHasItsRight) {
  const Plan plan = LargeAdopt();
  PoolState pool;
  int given = 0;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Action* action = plan.steps[i].action();
    if (action == nullptr || !std::holds_alternative<Unfence>(*action)) continue;
    EXPECT_FALSE(pool.adopted) << "one that ends here is begun anew";
    const int step = static_cast<int>(i);
    Evolve(pool, plan, Record{1, absl::UnixEpoch(), StepFinished{plan.id, step, 1, OkOutcome()}});
    ++given;
  }
  EXPECT_EQ(given, 2);
  EXPECT_TRUE(pool.adopted);
}

TEST(EndedPlansTest, OnlyTheNewestOfAPoolStayInMemory) {
  CoordinatorState state;
  uint64_t sequence = 0;
  const auto tell = [&](Fact fact) {
    Evolve(state, Record{++sequence, absl::UnixEpoch(), std::move(fact)});
  };
  const auto end = [&](const std::string& id, const std::string& pool) {
    Plan plan;
    plan.id = PlanId(id);
    plan.pool = PoolId(pool);
    plan.request_id = "request-" + id;
    tell(PlanAdmitted{std::make_shared<const Plan>(plan)});
    tell(PlanEnded{plan.id, PlanState::kFailed, "so it was"});
  };
  end("other", "other");
  for (size_t i = 0; i <= kEndedPlansKept; ++i) end("p" + std::to_string(i), "pool");
  EXPECT_EQ(state.executions.size(), kEndedPlansKept + 1);
  EXPECT_EQ(state.admitted.size(), kEndedPlansKept + 1);
  EXPECT_EQ(state.FindExecution(PlanId("p0")), nullptr);
  EXPECT_NE(state.FindExecution(PlanId("p1")), nullptr);
  EXPECT_NE(state.FindExecution(PlanId("other")), nullptr);
  EXPECT_TRUE(state.by_request.contains("request-p0")) << "asked once is asked once";
  tell(StepStarted{PlanId("p0"), 0, 1, CommandId("p0/0/1")});
}

TEST(ReturnTest, SeenFencedIsDueNoLongerAndNeverConfirmedMeanwhile) {
  CoordinatorState state;
  const PoolId pool("pool");
  state.pools[pool] = SmallPool();
  Topology topology;
  topology.pools[pool].id = pool;
  EXPECT_EQ(ConfirmationsFor(state, topology, kOldChat.host).size(), 1u);
  state.pools[pool].fence_due[kOldChat] = Epoch{1, 3};
  EXPECT_THAT(ConfirmationsFor(state, topology, kOldChat.host), IsEmpty());
  Evolve(state, Record{9, absl::UnixEpoch(), ReturnFenced{pool, kOldChat, Epoch{1, 2}}});
  EXPECT_TRUE(state.pools[pool].fence_due.contains(kOldChat)) << "an older fence";
  Evolve(state, Record{10, absl::UnixEpoch(), ReturnFenced{PoolId("other"), kOldChat, {1, 3}}});
  EXPECT_TRUE(state.pools[pool].fence_due.contains(kOldChat));
  Evolve(state, Record{11, absl::UnixEpoch(), ReturnFenced{pool, kOldChat, Epoch{1, 3}}});
  EXPECT_THAT(state.pools[pool].fence_due, IsEmpty());
  EXPECT_EQ(state.last_sequence, 11u);
}

}  // namespace
}  // namespace baton::testing
