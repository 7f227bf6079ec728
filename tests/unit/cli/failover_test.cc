// Failover, failback, protect: what is asked of the coordinator and of the person.
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
using ::testing::Not;

class FailoverTest : public VerbWorld {
 protected:
  FailoverTest() {
    options_.pool = "chat.example.com";
    options_.lost_site = "hq";
    v1::CreatePlanResponse answer;
    *answer.mutable_plan() = FailoverPlan();
    coordinator_.SetCreateAnswer(answer);
    v1::Plan ended = FailoverPlan();
    ended.set_state(v1::PLAN_STATE_SUCCEEDED);
    coordinator_.SetPlan(ended);
  }
};

TEST_F(FailoverTest, CarriesEveryWordToTheCoordinator) {
  options_.lost_hosts = {"hq-sql1", "hq-chat1"};
  options_.allow_loss = absl::Seconds(90);
  options_.max_loss = absl::Minutes(5);
  options_.override_rules = {"LOG_GAP"};
  options_.salvage = {{"hq-sql1", "/mnt/pgdata"}};
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kDone);
  ASSERT_EQ(coordinator_.create_requests().size(), 1u);
  const v1::CreatePlanRequest request = coordinator_.create_requests()[0];
  EXPECT_EQ(request.kind(), v1::PLAN_KIND_FAILOVER);
  EXPECT_EQ(request.lost_site(), "hq");
  EXPECT_THAT(request.lost_hosts(), ElementsAre("hq-sql1", "hq-chat1"));
  EXPECT_EQ(request.allow_loss().seconds(), 90);
  EXPECT_EQ(request.max_loss().seconds(), 300);
  EXPECT_THAT(request.override_rules(), ElementsAre("LOG_GAP"));
  ASSERT_EQ(request.salvage_size(), 1);
  EXPECT_EQ(request.salvage(0).host(), "hq-sql1");
  EXPECT_EQ(request.salvage(0).data_directory(), "/mnt/pgdata");
  EXPECT_EQ(request.request_id(), "r1");
  EXPECT_FALSE(request.validate_only());
  EXPECT_THAT(terminal_.console.questions(), IsEmpty());
}

TEST_F(FailoverTest, ALossThatNobodyCanBoundIsTheLongestTimeThatFits) {
  options_.allow_loss = absl::InfiniteDuration();
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kDone);
  EXPECT_EQ(coordinator_.create_requests()[0].allow_loss().seconds(), 315'576'000'000);
}

TEST_F(FailoverTest, StatesTheLossAndTheFencesBeforeItAsks) {
  terminal_.console.set_interactive(true);
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kDeclined);
  EXPECT_THAT(terminal_.console.questions(),
              ElementsAre("Fail over, with what may be lost as stated above?"));
  const std::string shown = terminal_.console.err();
  EXPECT_THAT(shown, HasSubstr("mgc       2.4 s             96 B         3:0/3000000"));
  EXPECT_THAT(shown, HasSubstr("to be fenced on return before anything else:\n  hq-sql1/mgc\n"));
  EXPECT_THAT(shown, HasSubstr("overridden:\n  LOSS_OVER_LIMIT: up to 90s\n"));
  ASSERT_EQ(coordinator_.create_requests().size(), 1u);
  EXPECT_TRUE(coordinator_.create_requests()[0].validate_only());
  EXPECT_EQ(coordinator_.create_requests()[0].lost_site(), "hq");
}

TEST_F(FailoverTest, BeginsWhenTheAnswerIsYes) {
  terminal_.console.set_interactive(true);
  terminal_.console.Answer(true);
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kDone);
  ASSERT_EQ(coordinator_.create_requests().size(), 2u);
  EXPECT_FALSE(coordinator_.create_requests()[1].validate_only());
  EXPECT_THAT(terminal_.console.out(), HasSubstr("announced loss:"));
}

TEST_F(FailoverTest, ARefusalIsToldInsteadOfAQuestion) {
  terminal_.console.set_interactive(true);
  v1::CreatePlanResponse answer;
  *answer.add_refusals() = SampleRefusal();
  coordinator_.SetCreateAnswer(answer);
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.questions(), IsEmpty());
  EXPECT_THAT(terminal_.console.err(), HasSubstr("    next:   look at the share"));
}

TEST_F(FailoverTest, ARefusalIsOneDocumentForPrograms) {
  options_.output = Output::kJson;
  v1::CreatePlanResponse answer;
  *answer.add_refusals() = SampleRefusal();
  coordinator_.SetCreateAnswer(answer);
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("\"rule\": \"LAG_OVER_LIMIT\""));
  EXPECT_THAT(terminal_.console.out(), Not(HasSubstr("refused, nothing")));
}

TEST_F(FailoverTest, DryRunNeedsNoReasonAndStatesTheLoss) {
  options_.dry_run = true;
  options_.reason = "";
  EXPECT_EQ(Do(Verb::kFailover), ExitCode::kDone);
  EXPECT_TRUE(coordinator_.create_requests()[0].validate_only());
  EXPECT_EQ(coordinator_.create_requests()[0].reason(), "dry run");
  EXPECT_THAT(terminal_.console.out(), HasSubstr("announced loss:"));
  EXPECT_THAT(terminal_.console.out(), HasSubstr("nothing stands against it"));
}

TEST_F(FailoverTest, FailbackAndProtectAreTheirKinds) {
  options_.lost_site = "";
  options_.discard_orphans = 4096;
  EXPECT_EQ(Do(Verb::kFailback), ExitCode::kDone);
  EXPECT_EQ(Do(Verb::kProtect), ExitCode::kDone);
  const auto requests = coordinator_.create_requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].kind(), v1::PLAN_KIND_FAILBACK);
  EXPECT_EQ(requests[0].discard_orphans(), 4096u);
  EXPECT_EQ(requests[1].kind(), v1::PLAN_KIND_PROTECT);
}

}  // namespace
}  // namespace baton
