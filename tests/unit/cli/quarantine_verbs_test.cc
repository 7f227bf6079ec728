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

class QuarantineVerbsTest : public VerbWorld {
 protected:
  QuarantineVerbsTest() {
    options_.pool = "chat.example.com";
    options_.instance = {"hq-sql1", "mgc"};
    options_.quarantine = "1.2";
    coordinator_.SetPools(FailedOverPools());
    v1::CreatePlanResponse answer;
    *answer.mutable_plan() = SamplePlan();
    coordinator_.SetCreateAnswer(answer);
    coordinator_.SetPlan(EndedPlan(v1::PLAN_STATE_SUCCEEDED));
  }
};

TEST_F(QuarantineVerbsTest, ListsEntriesOfOneAndOfAllPools) {
  EXPECT_EQ(Do(Verb::kQuarantineList), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("hq-sql1/mgc  1.2"));
  options_.pool = "";
  EXPECT_EQ(Do(Verb::kQuarantineList), ExitCode::kDone);
  options_.pool = "other.example.com";
  EXPECT_EQ(Do(Verb::kQuarantineList), ExitCode::kUsage);
}

TEST_F(QuarantineVerbsTest, ANumberOfCommitsThatIsNotKnownIsNotZero) {
  v1::ListPoolsResponse pools = FailedOverPools();
  for (v1::PoolStatus& pool : *pools.mutable_pools()) {
    for (v1::MemberStatus& member : *pool.mutable_members()) {
      if (!member.observation().has_database()) continue;
      v1::DatabaseObservation& database = *member.mutable_observation()->mutable_database();
      for (v1::QuarantineEntry& entry : *database.mutable_quarantine()) {
        entry.clear_commits();
        entry.clear_first_commit_time();
      }
    }
  }
  coordinator_.SetPools(pools);
  EXPECT_EQ(Do(Verb::kQuarantineList), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("not known"));
  EXPECT_EQ(Do(Verb::kQuarantineShow), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("commits there:    not known\n"));
}

TEST_F(QuarantineVerbsTest, ListsForProgramsWhoeverKeepsSomething) {
  options_.output = Output::kJson;
  EXPECT_EQ(Do(Verb::kQuarantineList), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("\"commits\": \"12\""));
  EXPECT_THAT(terminal_.console.out(), Not(HasSubstr("dr-chat1")));
}

TEST_F(QuarantineVerbsTest, ShowsOneAndHowToRemoveIt) {
  EXPECT_EQ(Do(Verb::kQuarantineShow), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(),
              HasSubstr("baton quarantine remove chat.example.com hq-sql1/mgc 1.2 --reason"));
  options_.quarantine = "1.9";
  EXPECT_EQ(Do(Verb::kQuarantineShow), ExitCode::kUsage);
  EXPECT_THAT(terminal_.console.err(),
              HasSubstr("quarantine of hq-sql1/mgc: found no \"1.9\", wanted one of 1.2; see"));
}

TEST_F(QuarantineVerbsTest, RemovingShowsWhatGoesAndAsks) {
  terminal_.console.set_interactive(true);
  EXPECT_EQ(Do(Verb::kQuarantineRemove), ExitCode::kDeclined);
  EXPECT_THAT(terminal_.console.questions(), ElementsAre("Remove it for good?"));
  EXPECT_THAT(terminal_.console.err(), HasSubstr("commits there:    12"));
  EXPECT_THAT(coordinator_.create_requests(), IsEmpty());
  terminal_.console.Answer(true);
  EXPECT_EQ(Do(Verb::kQuarantineRemove), ExitCode::kDone);
  ASSERT_EQ(coordinator_.create_requests().size(), 1u);
  const v1::CreatePlanRequest request = coordinator_.create_requests()[0];
  EXPECT_EQ(request.kind(), v1::PLAN_KIND_REMOVE_QUARANTINE);
  EXPECT_EQ(request.quarantine_of().host(), "hq-sql1");
  EXPECT_EQ(request.quarantine_of().resource(), "mgc");
  EXPECT_EQ(request.quarantine(), "1.2");
  EXPECT_EQ(request.reason(), "why not");
  EXPECT_EQ(request.request_id(), "r1");
}

}  // namespace
}  // namespace baton
