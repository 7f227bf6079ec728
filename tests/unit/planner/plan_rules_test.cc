#include "tests/unit/planner/plan_rules.h"

#include <gtest/gtest.h>

#include "tests/unit/planner/story.h"

namespace baton::testing {
namespace {

// A plan that obeys every rule, for tests that break one.
class PlanRulesTest : public ::testing::Test {
 protected:
  PlanRulesTest() {
    for (const char* line : {"pool", "database mgc hq-sql1 dr-sql1", "chat hq-chat1 active",
                             "chat dr-chat1", "adopted 1.1 hq-sql1 hq-chat1", "healthy"}) {
      story_.Run(line);
    }
    story_.Run("plan switchover");
    plan_ = *story_.plan();
  }

  template <typename Wanted>
  Step& Find() {
    for (Step& step : plan_.steps) {
      if (step.action() != nullptr && std::holds_alternative<Wanted>(*step.action())) return step;
    }
    ADD_FAILURE() << "no such step";
    return plan_.steps.front();
  }
  size_t Broken() const { return BrokenRules(plan_, story_.seen()).size(); }

  Story story_;
  Plan plan_;
};

TEST_F(PlanRulesTest, AreObeyedByASwitchover) { EXPECT_EQ(Broken(), 0); }

TEST_F(PlanRulesTest, NoticeARecoverThatDoesNotWaitForTheLog) {
  Find<Recover>().after = {5};
  EXPECT_GT(Broken(), 0);
}

TEST_F(PlanRulesTest, NoticeAnActivationBeforeItsDatabase) {
  Find<Activate>().after = {4, 5};
  EXPECT_GT(Broken(), 0);
}

TEST_F(PlanRulesTest, NoticeAFenceBeforeItsEpoch) {
  Find<Fence>().after = {0};
  EXPECT_GT(Broken(), 0);
}

TEST_F(PlanRulesTest, NoticeAHostThatIsAway) {
  story_.Run("away dr-sql1");
  EXPECT_GT(Broken(), 0);
}

TEST_F(PlanRulesTest, NoticeAStepThatWaitsForALaterOne) {
  plan_.steps.front().after = {7};
  EXPECT_GT(Broken(), 0);
}

TEST_F(PlanRulesTest, NoticeAnInputThatIsNotThereYet) {
  Find<ApplyPendingLogs>().after = {5};
  EXPECT_GT(Broken(), 0);
}

TEST_F(PlanRulesTest, NoticeWhatMustNotBeSkipped) {
  Find<ShipTail>().skippable = true;
  EXPECT_EQ(Broken(), 1);
}

}  // namespace
}  // namespace baton::testing
