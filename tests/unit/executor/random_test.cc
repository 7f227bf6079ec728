// Many seeds: sessions break, agents die, actions fail, answers come twice, the coordinator dies.
// Safety holds all the time; once all is healed and someone resumes, each plan ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/unit/executor/sim.h"

namespace baton::testing {
namespace {

constexpr uint64_t kSeeds = 300;

// Runs with deaths of the coordinator in between, then heals.
void RunPlan(SimCoordinator& world, const PlanId& id, std::mt19937_64& random, uint64_t seed) {
  for (int i = 0; i < 6; ++i) {
    const uint64_t ahead = std::uniform_int_distribution<uint64_t>(1, 25)(random);
    world.journal.dies_at = world.journal.records.size() + ahead;
    world.Run(absl::Milliseconds(std::uniform_int_distribution<>(10, 2000)(random)));
    if (world.Of(id).state == PlanState::kWaiting) (void)world.Resume(id);
  }
  world.Run();
  ASSERT_TRUE(Terminal(world.Of(id).state) || world.Of(id).state == PlanState::kWaiting)
      << "seed " << seed << ": neither ended nor waiting";
  world.agents.faults = SimFaults();
  world.journal.dies_at = 0;
  for (int i = 0; i < 3 && world.Of(id).state == PlanState::kWaiting; ++i) {
    EXPECT_THAT(world.Of(id).waiting_for, ::testing::HasSubstr("baton resume pool"));
    ASSERT_TRUE(world.Resume(id).ok()) << "seed " << seed;
    world.Run();
  }
  EXPECT_TRUE(Terminal(world.Of(id).state)) << "seed " << seed << ": " << world.Of(id).waiting_for;
  EXPECT_THAT(world.agents.wrong, ::testing::IsEmpty()) << "seed " << seed;
  CoordinatorState replayed;
  for (const Record& record : world.journal.records) Evolve(replayed, record);
  EXPECT_EQ(Dump(replayed), Dump(world.driver->state())) << "seed " << seed;
}

TEST(RandomTest, EveryPlanEndsOrWaitsAndNothingIsEverWrong) {
  int succeeded = 0, undone = 0, failed = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::mt19937_64 random(seed);
    SimCoordinator world(seed);
    const bool large = seed % 2 == 0;
    ASSERT_TRUE(world.Admit(large ? LargeAdopt() : SmallAdopt()).ok());
    world.Run();
    const double measure = std::uniform_real_distribution<>(0, 0.1)(random);
    world.agents.faults = {measure, measure / 2, measure, measure};
    const auto admitted = world.Admit(large ? LargeSwitchover() : SmallSwitchover());
    ASSERT_TRUE(admitted.ok());
    ASSERT_NO_FATAL_FAILURE(RunPlan(world, *admitted, random, seed));
    const Execution& end = world.Of(*admitted);
    const PoolState& pool = *world.driver->state().FindPool(PoolId("pool"));
    const bool moved = end.state == PlanState::kSucceeded;
    (moved ? succeeded : end.state == PlanState::kUndone ? undone : failed) += 1;
    for (const auto& [database, right] : pool.rights) {
      EXPECT_EQ(right.writer.value().substr(0, 2), moved ? "dr" : "hq") << "seed " << seed;
    }
    ASSERT_EQ(pool.active_chat.size(), large ? 2u : 1u) << "seed " << seed;
    for (const auto& [ref, epoch] : pool.active_chat) {
      EXPECT_EQ(ref.host.value().substr(0, 2), moved ? "dr" : "hq") << "seed " << seed;
    }
    if (HasFailure()) return;
  }
  std::cout << succeeded << " succeeded, " << undone << " undone, " << failed << " failed in checks"
            << std::endl;
  EXPECT_GT(succeeded, 0);
  EXPECT_GT(undone, 0);
  EXPECT_GT(failed, 0);
}

}  // namespace
}  // namespace baton::testing
