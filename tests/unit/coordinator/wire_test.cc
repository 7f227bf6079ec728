#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "common/rpc/action_proto.h"
#include "common/rpc/protocol_proto.h"
#include "coordinator/wire/event_proto.h"
#include "coordinator/wire/goal_proto.h"
#include "coordinator/wire/plan_proto.h"
#include "coordinator/wire/record_proto.h"
#include "tests/unit/executor/sim.h"

namespace baton {
namespace {

void ExpectSame(const Step& a, const Step& b) {
  SCOPED_TRACE(a.title);
  EXPECT_EQ(a.target, b.target);
  ASSERT_EQ(a.raises_epoch(), b.raises_epoch());
  if (!a.raises_epoch()) {
    EXPECT_EQ(ToProto(*a.action()).SerializeAsString(), ToProto(*b.action()).SerializeAsString());
  }
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.documented_as, b.documented_as);
  EXPECT_EQ(a.after, b.after);
  EXPECT_EQ(a.timeout, b.timeout);
  EXPECT_EQ(a.critical, b.critical);
  EXPECT_EQ(a.undo, b.undo);
  EXPECT_EQ(a.input_from, b.input_from);
  EXPECT_EQ(a.automatic_tries, b.automatic_tries);
}

void ExpectSame(const Plan& a, const Plan& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.pool, b.pool);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.requested_by, b.requested_by);
  EXPECT_EQ(a.request_id, b.request_id);
  EXPECT_EQ(a.from_site, b.from_site);
  EXPECT_EQ(a.to_site, b.to_site);
  EXPECT_EQ(a.epoch_before, b.epoch_before);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.undo_epoch, b.undo_epoch);
  EXPECT_EQ(a.snapshot_revision, b.snapshot_revision);
  EXPECT_EQ(a.create_time, b.create_time);
  EXPECT_EQ(a.explanation, b.explanation);
  EXPECT_EQ(a.losses, b.losses);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (size_t i = 0; i < a.steps.size(); ++i) ExpectSame(a.steps[i], b.steps[i]);
}

std::vector<Plan> RealPlans() {
  std::vector<Plan> plans = {testing::SmallSwitchover(), testing::LargeSwitchover(),
                             testing::SmallAdopt(), testing::LargeAdopt()};
  for (Plan& plan : plans) {
    plan.reason = "maintenance of hq";
    plan.requested_by = "ada@ops1";
    plan.request_id = "request-1";
    plan.snapshot_revision = 77;
    plan.create_time = absl::FromUnixNanos(1'700'000'000'123'456'789);
    plan.explanation = {"dr-sql1 follows without lag"};
    AnnouncedLoss bound;
    bound.database = DatabaseId("mgc");
    bound.kept = {1, 77};
    bound.last_commit = plan.create_time;
    bound.lost_end = {1, 99};
    bound.window = bound.report_age = absl::Seconds(4);
    bound.bytes = 22;
    bound.writer_clock = plan.create_time + absl::Hours(1);
    AnnouncedLoss none;
    none.database = DatabaseId("compl");
    none.kept = {1, 77};
    none.window = absl::ZeroDuration();
    none.nothing = true;
    plan.losses = {bound, none};
  }
  plans[0].steps.back().automatic_tries = 7;
  return plans;
}

absl::StatusOr<Record> ThereAndBack(const Record& record) {
  internal::v1::Record proto;
  proto.ParseFromString(ToProto(record).SerializeAsString());
  return FromProto(proto);
}

TEST(WireTest, PlansComeBackFromTheJournalAsTheyWereAdmitted) {
  for (const Plan& plan : RealPlans()) {
    const Record record{3, absl::FromUnixSeconds(1'700'000'000),
                        PlanAdmitted{std::make_shared<const Plan>(plan)}};
    const absl::StatusOr<Record> back = ThereAndBack(record);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->sequence, 3u);
    EXPECT_EQ(back->time, record.time);
    ExpectSame(plan, *std::get<PlanAdmitted>(back->fact).plan);
  }
}

TEST(WireTest, RealPlansExerciseEveryStaticFieldOfAStep) {
  bool critical = false, undo = false, input = false, documented = false, raises = false;
  for (const Plan& plan : RealPlans()) {
    for (const Step& step : plan.steps) {
      critical |= step.critical;
      undo |= step.undo;
      input |= step.input_from.has_value();
      documented |= !step.documented_as.empty();
      raises |= step.raises_epoch();
    }
  }
  EXPECT_TRUE(critical && undo && input && documented && raises);
}

std::vector<Fact> OneOfEachButPlans() {
  Outcome outcome = FailedOutcome("LAG", "found 3, wanted 0");
  outcome.position = LogPosition{2, 99};
  return {TopologyApplied{4, "sites: {}\n", "ada", "r1", "first"},
          LedgerAccepted{HostId("hq-sql1"), LedgerId("l1"), "ada", "new disk", "r2"},
          EpochRaised{PlanId("p"), PoolId("chat"), 3, {1, 9}},
          StepStarted{PlanId("p"), 4, 2, CommandId("p/4/2")},
          StepFinished{PlanId("p"), 4, 2, outcome},
          PlanWaiting{PlanId("p"), "hq-sql1 does not answer", true, {HostId("hq-sql1")}},
          PlanResumed{PlanId("p"), "ada", "it is back", "r3", 4},
          UndoStarted{PlanId("p"), "drain failed"},
          PlanEnded{PlanId("p"), PlanState::kUndone, "nothing moved"},
          PlanPaused{PlanId("p"), "ada", "lunch", "r4"},
          StepSkipped{PlanId("p"), 6, "ada", "no room to post in", "r5"},
          AbortStarted{PlanId("p"), "ada", "enough", "r6"},
          ReturnFenced{PoolId("chat"), {HostId("hq-sql1"), ResourceId("mgc")}, {1, 9}},
          ReturnNoted{PlanId("p"), HostId("hq-sql1"), ReturnState::kTakenForLost}};
}

TEST(WireTest, EveryRecordSurvivesTheRoundTrip) {
  const std::vector<Fact> facts = OneOfEachButPlans();
  ASSERT_EQ(facts.size() + 1, std::variant_size_v<Fact>);
  for (const Fact& fact : facts) {
    const Record record{8, absl::FromUnixMillis(1'700'000'000'001), fact};
    const absl::StatusOr<Record> back = ThereAndBack(record);
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(back->fact.index(), fact.index());
    EXPECT_EQ(ToProto(*back).SerializeAsString(), ToProto(record).SerializeAsString());
  }
  const auto back = [&](size_t i) { return ThereAndBack({1, absl::UnixEpoch(), facts[i]})->fact; };
  EXPECT_EQ(std::get<TopologyApplied>(back(0)).text, "sites: {}\n");
  EXPECT_EQ(std::get<TopologyApplied>(back(0)).revision, 4u);
  EXPECT_EQ(std::get<TopologyApplied>(back(0)).reason, "first");
  EXPECT_EQ(std::get<LedgerAccepted>(back(1)).ledger, LedgerId("l1"));
  EXPECT_EQ(std::get<EpochRaised>(back(2)).epoch, (Epoch{1, 9}));
  EXPECT_EQ(std::get<StepStarted>(back(3)).command, CommandId("p/4/2"));
  EXPECT_EQ(std::get<StepFinished>(back(4)).outcome, std::get<StepFinished>(facts[4]).outcome);
  EXPECT_TRUE(std::get<PlanWaiting>(back(5)).goes_on_by_itself);
  EXPECT_EQ(std::get<PlanWaiting>(back(5)).silent, std::set<HostId>{HostId("hq-sql1")});
  EXPECT_EQ(std::get<PlanResumed>(back(6)).request_id, "r3");
  EXPECT_EQ(std::get<PlanResumed>(back(6)).step, 4);
  EXPECT_EQ(std::get<PlanPaused>(back(9)).by, "ada");
  EXPECT_EQ(std::get<StepSkipped>(back(10)).step, 6);
  EXPECT_EQ(std::get<AbortStarted>(back(11)).request_id, "r6");
  EXPECT_EQ(std::get<ReturnNoted>(back(13)).host, HostId("hq-sql1"));
  EXPECT_EQ(std::get<ReturnNoted>(back(13)).state, ReturnState::kTakenForLost);
  for (const ReturnState state :
       {ReturnState::kAnswers, ReturnState::kSilent, ReturnState::kTakenForLost,
        ReturnState::kAwaited, ReturnState::kStayedAway}) {
    const Record noted{1, absl::UnixEpoch(), ReturnNoted{PlanId("p"), HostId("h"), state}};
    EXPECT_EQ(std::get<ReturnNoted>(ThereAndBack(noted)->fact).state, state);
  }
  EXPECT_EQ(std::get<ReturnFenced>(back(12)).epoch, (Epoch{1, 9}));
  EXPECT_EQ(std::get<ReturnFenced>(back(12)).resource.ToString(), "hq-sql1/mgc");
  EXPECT_EQ(std::get<PlanEnded>(back(8)).state, PlanState::kUndone);
}

TEST(WireTest, RefusesARecordOfAKindItDoesNotKnow) {
  internal::v1::Record proto;
  proto.set_sequence(1);
  EXPECT_EQ(FromProto(proto).status().message(), "record.fact: not set");
}

TEST(WireTest, RefusesAPlanWhoseStepsWaitForLaterOnes) {
  v1::Plan proto = ToProto(testing::SmallSwitchover());
  proto.mutable_steps(0)->add_after(5);
  EXPECT_EQ(FromProto(proto).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(WireTest, EventsAreOneLineAndNameWhatTheyAreAbout) {
  const Plan plan = testing::SmallSwitchover();
  Outcome outcome = FailedOutcome("STOP_TIMED_OUT", "two\nlines");
  const Record record{12, absl::FromUnixSeconds(1'700'000'000),
                      StepFinished{plan.id, 0, 1, outcome}};
  const v1::Event event = ToEvent(record, &plan);
  EXPECT_EQ(event.sequence(), 12u);
  EXPECT_EQ(event.kind(), "STEP_FAILED");
  EXPECT_EQ(event.plan(), PlanName(plan.pool, plan.id));
  EXPECT_EQ(event.host(), plan.steps[0].target.host.value());
  EXPECT_EQ(event.text(), plan.steps[0].title + ": failed STOP_TIMED_OUT: two lines");
  for (const Fact& fact : OneOfEachButPlans()) {
    const v1::Event any = ToEvent({1, absl::UnixEpoch(), fact}, nullptr);
    EXPECT_FALSE(any.kind().empty());
    EXPECT_FALSE(any.text().empty());
    EXPECT_EQ(any.text().find('\n'), std::string::npos);
  }
}

v1::CreatePlanRequest FailoverRequest() {
  v1::CreatePlanRequest request;
  request.set_pool("chat.example.com");
  request.set_kind(v1::PLAN_KIND_FAILOVER);
  request.set_reason("fire");
  request.set_request_id("r1");
  request.set_lost_site("hq");
  request.add_lost_hosts("hq-sql1");
  request.mutable_allow_loss()->set_seconds(60);
  request.mutable_max_loss()->set_seconds(5);
  request.add_override_rules("LOG_GAP");
  v1::Salvage& salvage = *request.add_salvage();
  salvage.set_host("hq-sql1");
  salvage.set_data_directory("/mnt/hq-sql1/data");
  request.set_discard_orphans(0);
  request.mutable_quarantine_of()->set_host("hq-sql1");
  request.mutable_quarantine_of()->set_resource("mgc");
  request.set_quarantine("20261124");
  return request;
}

TEST(GoalTest, ALossOfAnySizeIsAcceptedAsThat) {
  v1::CreatePlanRequest request = FailoverRequest();
  *request.mutable_allow_loss() = ToProto(absl::InfiniteDuration());
  EXPECT_EQ(GoalFrom(request)->allow_loss, absl::InfiniteDuration());
}

TEST(GoalTest, HoldsEverythingThatWasAskedFor) {
  const absl::StatusOr<Goal> goal = GoalFrom(FailoverRequest());
  ASSERT_TRUE(goal.ok()) << goal.status();
  EXPECT_EQ(goal->kind, PlanKind::kFailover);
  EXPECT_EQ(goal->pool, PoolId("chat.example.com"));
  EXPECT_EQ(goal->lost_site, SiteId("hq"));
  EXPECT_EQ(goal->lost_hosts, std::vector<HostId>{HostId("hq-sql1")});
  EXPECT_EQ(goal->allow_loss, absl::Minutes(1));
  EXPECT_EQ(goal->max_loss, absl::Seconds(5));
  EXPECT_EQ(goal->override_rules, std::set<std::string>{"LOG_GAP"});
  EXPECT_EQ(goal->salvage.at(HostId("hq-sql1")), "/mnt/hq-sql1/data");
  EXPECT_EQ(goal->discard_orphans, 0u);
  EXPECT_EQ(goal->quarantine_of.ToString(), "hq-sql1/mgc");
  EXPECT_EQ(goal->quarantine, "20261124");
  const absl::StatusOr<Goal> bare = [] {
    v1::CreatePlanRequest request;
    request.set_pool("p");
    request.set_kind(v1::PLAN_KIND_PROTECT);
    return GoalFrom(request);
  }();
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_FALSE(bare->max_loss.has_value());
  EXPECT_FALSE(bare->discard_orphans.has_value());
}

TEST(GoalTest, RefusesWhatNoOperatorCanMean) {
  const auto refused = [](const std::function<void(v1::CreatePlanRequest&)>& spoil) {
    v1::CreatePlanRequest request = FailoverRequest();
    spoil(request);
    const absl::Status status = GoalFrom(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << request.ShortDebugString();
    return std::string(status.message());
  };
  using Request = v1::CreatePlanRequest;
  EXPECT_NE(refused([](Request& r) { r.mutable_allow_loss()->set_seconds(-1); }).find("allow_loss"),
            std::string::npos);
  EXPECT_NE(refused([](Request& r) { r.mutable_max_loss()->set_nanos(-5); }).find("max_loss"),
            std::string::npos);
  EXPECT_NE(refused([](Request& r) { r.add_lost_hosts(""); }).find("lost_hosts"),
            std::string::npos);
  EXPECT_NE(refused([](Request& r) {
              r.mutable_salvage(0)->set_data_directory("data");
            }).find("absolute path"),
            std::string::npos);
  EXPECT_NE(refused([](Request& r) {
              for (int i = 0; i < 2000; ++i) r.add_override_rules("R");
            }).find("override_rules"),
            std::string::npos);
  EXPECT_NE(refused([](Request& r) { r.mutable_quarantine_of()->clear_host(); }).find("host"),
            std::string::npos);
  EXPECT_NE(refused([](Request& r) { r.set_kind(v1::PLAN_KIND_UNSPECIFIED); }).find("kind"),
            std::string::npos);
}

TEST(WireTest, PlanSaysWhatCanBeDoneWithIt) {
  Execution execution;
  Evolve(execution, Record{1, absl::UnixEpoch(),
                           PlanAdmitted{std::make_shared<Plan>(testing::SmallSwitchover())}});
  const v1::Plan plan = ToProto(execution);
  ASSERT_EQ(plan.options_size(), 3);
  EXPECT_EQ(plan.options(0).verb(), "pause");
  EXPECT_TRUE(plan.options(0).allowed());
  EXPECT_EQ(plan.options(1).verb(), "resume");
  EXPECT_FALSE(plan.options(1).allowed());
  EXPECT_EQ(plan.options(2).verb(), "abort");
  EXPECT_EQ(ToProto(execution, PlanDetail::kWithoutSteps).options_size(), 0);
}

TEST(WireTest, PlanNamesAndBareIdsBothFindThePlan) {
  EXPECT_EQ(PlanName(PoolId("chat.example.com"), PlanId("p1")), "pools/chat.example.com/plans/p1");
  EXPECT_EQ(PlanIdOf("pools/chat.example.com/plans/p1"), PlanId("p1"));
  EXPECT_EQ(PlanIdOf("p1"), PlanId("p1"));
}

}  // namespace
}  // namespace baton
