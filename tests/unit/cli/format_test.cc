#include "coordinator/cli/format.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/rpc/protocol_proto.h"
#include "common/rpc/status_proto.h"
#include "coordinator/cli/plan_view.h"
#include "coordinator/cli/words.h"
#include "tests/unit/cli/golden.h"
#include "tests/unit/cli/sample_failover.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using FormatTest = GoldenTest;

TEST_F(FormatTest, StatusOfAPoolThatIsReady) {
  ExpectGolden("status_ready.txt", FormatStatus(SamplePools(), SampleNow()));
}

TEST_F(FormatTest, StatusNamesWhatIsWrong) {
  v1::ListPoolsResponse pools = SamplePools();
  v1::PoolStatus& pool = *pools.mutable_pools(0);
  pool.set_switchover_ready(false);
  *pool.add_not_ready() = SampleRefusal();
  v1::MemberStatus& standby = *pool.mutable_members(1);
  standby.set_drift("assigned standby, seen down");
  standby.mutable_observation()->mutable_database()->set_state(v1::DATABASE_STATE_DOWN);
  standby.mutable_observation()->mutable_database()->set_problem("fsync is off");
  pool.mutable_members(2)->set_agent_connected(false);
  pool.mutable_members(3)->clear_observation();
  pool.mutable_members(3)->clear_observe_time();
  *pool.mutable_plan() = SamplePlanWith(3);
  ExpectGolden("status_wrong.txt", FormatStatus(pools, SampleNow()));
}

TEST_F(FormatTest, StatusOfAPoolThatIsNotAdopted) {
  v1::ListPoolsResponse pools;
  pools.add_pools()->set_pool("chat.example.com");
  ExpectGolden("status_new.txt", FormatStatus(pools, SampleNow()));
  EXPECT_THAT(FormatStatus(v1::ListPoolsResponse(), SampleNow()), HasSubstr("topology apply"));
}

TEST_F(FormatTest, StatusAfterAFailoverTellsWhatIsOwed) {
  ExpectGolden("status_failed_over.txt", FormatStatus(FailedOverPools(), SampleNow()));
}

TEST_F(FormatTest, StatusOfACopyThatIsEmptyOrHoldsNothingOfItsOwn) {
  v1::ListPoolsResponse pools = FailedOverPools();
  v1::MemberStatus& old = *pools.mutable_pools(0)->mutable_members(0);
  old.set_orphan_bytes(0);
  EXPECT_THAT(FormatDebts(pools.pools(0)), HasSubstr("stopped, fenced: hq-sql1/mgc holds no log"));
  old.mutable_observation()->mutable_database()->set_state(v1::DATABASE_STATE_EMPTY);
  ExpectGolden("debts_empty.txt", FormatDebts(pools.pools(0)));
}

TEST_F(FormatTest, Quarantine) {
  const v1::ListPoolsResponse pools = FailedOverPools();
  ExpectGolden("quarantine_list.txt", FormatQuarantine(pools));
  const v1::MemberStatus& member = pools.pools(0).members(0);
  ExpectGolden(
      "quarantine_entry.txt",
      FormatQuarantineEntry(member.resource(), member.observation().database().quarantine(0)));
  EXPECT_EQ(FormatQuarantine(SamplePools()), "nothing is in quarantine\n");
}

TEST_F(FormatTest, AgentsAndRefusedOnes) {
  ExpectGolden("agents.txt", FormatAgents(SampleAgents(), SampleNow()));
}

TEST_F(FormatTest, Events) {
  v1::Event event;
  event.set_sequence(42);
  *event.mutable_time() = ToProto(SampleNow());
  event.set_kind("STEP_SUCCEEDED");
  event.set_pool("chat.example.com");
  event.set_plan("pools/chat.example.com/plans/7f3a91");
  event.set_host("hq-sql1");
  event.set_step(3);
  event.set_text("Ship the tail of mgc on hq-sql1: 96 bytes");
  std::string text = FormatEvent(event);
  event.set_transient(true);
  ExpectGolden("events.txt", text + FormatEvent(event));
}

TEST_F(FormatTest, NothingReportedSteersTheTerminal) {
  v1::ListPoolsResponse pools = SamplePools();
  pools.mutable_pools(0)->mutable_members(0)->set_drift("\x1b[2J\x1b]0;owned\a");
  pools.mutable_pools(0)->mutable_plan()->set_waiting_for("\x1b[31mred");
  const std::string status = FormatStatus(pools, SampleNow());
  EXPECT_EQ(status.find('\x1b'), std::string::npos);
  EXPECT_EQ(status.find('\a'), std::string::npos);
  v1::Plan plan = SamplePlanWith(6);
  plan.mutable_steps(0)->set_title("\x1b[2J");
  plan.mutable_steps(0)->set_state(v1::STEP_STATE_FAILED);
  plan.mutable_steps(0)->mutable_outcome()->set_message("\x1b[2J");
  plan.set_reason("\x1b[2J");
  EXPECT_EQ(FormatPlan(plan).find('\x1b'), std::string::npos);
  EXPECT_EQ(PlanFrame(plan, {80, 24}, {}).find('\x1b'), std::string::npos);
  plan.add_overrides("\x1b[2J");
  plan.set_end_text("\x1b[2J");
  plan.set_state(v1::PLAN_STATE_FAILED);
  AddWaitingOptions(plan);
  plan.mutable_options(0)->set_effect("\x1b[2J");
  EXPECT_EQ(FormatPlan(plan).find('\x1b'), std::string::npos);
  v1::ListPoolsResponse owing = FailedOverPools();
  owing.mutable_pools(0)->set_protection("\x1b[2J");
  EXPECT_EQ(FormatStatus(owing, SampleNow()).find('\x1b'), std::string::npos);
}

TEST_F(FormatTest, ErrorsCarryTheirReason) {
  EXPECT_EQ(FormatError(ErrorWithReason(absl::StatusCode::kFailedPrecondition, "PLAN_RUNS",
                                        "pool chat.example.com: found a running plan")),
            "refused (PLAN_RUNS): pool chat.example.com: found a running plan");
  EXPECT_EQ(FormatError(absl::NotFoundError("no such plan")), "no such plan");
  EXPECT_EQ(FormatError(absl::InternalError("")), "INTERNAL");
}

TEST_F(FormatTest, JsonHasEveryKeyEachTime) {
  const std::string json = ToJson(v1::ListPoolsResponse(), true);
  EXPECT_THAT(json, HasSubstr("\"pools\": []"));
  const std::string plan = ToJson(SamplePlan(), false);
  EXPECT_THAT(plan, HasSubstr("\"state\":\"PLAN_STATE_RUNNING\""));
  EXPECT_THAT(plan, HasSubstr("\"waitingFor\":\"\""));
  EXPECT_EQ(plan.find('\n'), plan.size() - 1);
}

TEST(WordsTest, TellTimesAndSizesInFewCharacters) {
  EXPECT_EQ(Took(absl::Milliseconds(40)), "0.04 s");
  EXPECT_EQ(Took(absl::Milliseconds(1230)), "1.2 s");
  EXPECT_EQ(Took(absl::Seconds(45)), "45 s");
  EXPECT_EQ(Took(absl::Seconds(125)), "2 min 05 s");
  EXPECT_EQ(Took(absl::Minutes(125)), "2 h 05 min");
  EXPECT_EQ(Took(absl::Hours(49)), "2 d 01 h");
  EXPECT_EQ(Took(absl::Seconds(-3)), "0.00 s");
  EXPECT_EQ(Took(absl::InfiniteDuration()).empty(), false);
  EXPECT_EQ(Bytes(0), "0 B");
  EXPECT_EQ(Bytes(16'777'216), "16.8 MB");
  EXPECT_EQ(Bytes(999'999), "1.0 MB");
  EXPECT_EQ(ShortPlanId("pools/p/plans/7f"), "7f");
  EXPECT_EQ(ShortPlanId("7f"), "7f");
}

TEST(WordsTest, ValuesOfANewerCoordinatorHaveAName) {
  EXPECT_EQ(Word(static_cast<v1::PlanState>(99)), "value 99");
  EXPECT_EQ(Word(v1::FENCE_PHASE_UNCONFIRMED), "unconfirmed");
}

}  // namespace
}  // namespace baton
