#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "common/rpc/protocol_proto.h"
#include "common/rpc/status_proto.h"
#include "coordinator/transport/session_registry.h"
#include "tests/unit/config/topology_text.h"
#include "tests/unit/executor/sim.h"

namespace baton {
namespace {

class VirtualClock : public Clock {
 public:
  explicit VirtualClock(const testing::SimScheduler& scheduler) : scheduler_(scheduler) {}
  absl::Time Now() const override { return absl::FromUnixSeconds(1'700'000'000) + SinceBoot(); }
  absl::Duration SinceBoot() const override { return scheduler_.now(); }

 private:
  const testing::SimScheduler& scheduler_;
};

// An agent's end of a stream.
class FakeLink : public SessionLink {
 public:
  void Send(v1::CoordinatorMessage message) override { received.push_back(std::move(message)); }
  void Close(const absl::Status& status) override { closed = status; }
  std::string Peer() const override { return "fake"; }

  bool open() const { return !closed.has_value(); }
  bool welcomed() const { return !received.empty() && received.front().has_welcome(); }
  std::vector<v1::Confirm> confirms() const {
    std::vector<v1::Confirm> found;
    for (const auto& message : received) {
      if (message.has_confirm()) found.push_back(message.confirm());
    }
    return found;
  }

  std::vector<v1::CoordinatorMessage> received;
  std::optional<absl::Status> closed;
};

v1::AgentMessage HelloOf(const std::string& host, const std::string& ledger, uint64_t counter) {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_host(host);
  hello.set_boot_id("boot-1");
  hello.set_version("0.1.0");
  hello.set_protocol(1);
  hello.set_ledger_id(ledger);
  hello.set_session_counter(counter);
  return message;
}

v1::AgentMessage ReportOf(const Observation& seen, bool full) {
  v1::AgentMessage message;
  message.mutable_report()->set_full(full);
  *message.mutable_report()->add_observations() = ToProto(seen);
  return message;
}

Observation DatabaseSeen(FencePhase phase = FencePhase::kOpen) {
  Observation seen;
  seen.resource = ResourceId("mgc");
  seen.pool = PoolId("pool");
  seen.fence.phase = phase;
  seen.detail = DatabaseObservation();
  seen.age = absl::Milliseconds(200);
  return seen;
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    registry_.Attach(driver_);
    driver_.Start();
  }

  void ApplyTopology() {
    registry_.SetTopology(
        std::make_shared<const Topology>(Parse(Edited({{"chat.example.com:", "pool:"}})).value()));
  }
  // Runs what is due now, timers aside.
  void Settle() {
    while (scheduler_.Step(scheduler_.now())) {
    }
  }
  void Pass(absl::Duration time) {
    const absl::Duration until = scheduler_.now() + time;
    scheduler_.After(time, [] {});
    while (scheduler_.Step(until)) {
    }
  }
  FakeLink& Open(const v1::AgentMessage& hello) {
    links_.push_back(std::make_unique<FakeLink>());
    FakeLink& link = *links_.back();
    registry_.OnOpened(&link);
    registry_.OnMessage(&link, hello);
    Pass(absl::Milliseconds(50));
    return link;
  }
  FakeLink& Open(const std::string& host, const std::string& ledger, uint64_t counter) {
    return Open(HelloOf(host, ledger, counter));
  }
  // A pool at epoch 1.1 whose primary is hq-sql1, by records.
  void Adopt() {
    Plan plan = testing::SmallAdopt();
    plan.id = PlanId("adoption");
    absl::StatusOr<PlanId> id = absl::UnknownError("no answer");
    driver_.Admit(plan, [&](absl::StatusOr<PlanId> admitted) { id = admitted; });
    Pass(absl::Milliseconds(50));
    ASSERT_TRUE(id.ok()) << id.status();
  }

  testing::SimScheduler scheduler_;
  testing::SimJournal journal_{scheduler_};
  VirtualClock clock_{scheduler_};
  SessionRegistry registry_{
      clock_, scheduler_, {.journal = JournalId("j1"), .report_interval = absl::Seconds(1)}};
  Driver driver_{journal_,
                 registry_,
                 scheduler_,
                 {.on_record = [this](const Record& record) { registry_.OnRecord(record); },
                  .on_fatal = [](const absl::Status&) {}}};
  std::vector<std::unique_ptr<FakeLink>> links_;
};

TEST_F(SessionTest, RefusesEveryoneWithoutATopology) {
  FakeLink& link = Open("hq-sql1", "l1", 1);
  ASSERT_FALSE(link.open());
  EXPECT_EQ(link.closed->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(*link.closed), "NO_TOPOLOGY");
}

TEST_F(SessionTest, RefusesHostsThatTheTopologyDoesNotName) {
  ApplyTopology();
  FakeLink& link = Open("stranger", "l1", 1);
  ASSERT_FALSE(link.open());
  EXPECT_EQ(link.closed->code(), absl::StatusCode::kNotFound);
  EXPECT_NE(link.closed->ToString().find("stranger"), std::string::npos);
}

TEST_F(SessionTest, RefusesAnotherProtocol) {
  ApplyTopology();
  v1::AgentMessage hello = HelloOf("hq-sql1", "l1", 1);
  hello.mutable_hello()->set_protocol(2);
  FakeLink& link = Open(hello);
  ASSERT_FALSE(link.open());
  EXPECT_EQ(ErrorReason(*link.closed), "PROTOCOL_MISMATCH");
}

TEST_F(SessionTest, FirstContactPinsTheLedgerBeforeWelcome) {
  ApplyTopology();
  auto link = std::make_unique<FakeLink>();
  registry_.OnOpened(link.get());
  registry_.OnMessage(link.get(), HelloOf("hq-sql1", "l1", 1));
  EXPECT_FALSE(link->welcomed()) << "before the record was durable";
  Pass(absl::Milliseconds(50));
  ASSERT_TRUE(link->welcomed());
  EXPECT_EQ(link->received[0].welcome().journal_id(), "j1");
  EXPECT_EQ(link->received[0].welcome().report_interval().seconds(), 1);
  ASSERT_EQ(journal_.records.size(), 1u);
  EXPECT_EQ(std::get<LedgerAccepted>(journal_.records[0].fact).ledger, LedgerId("l1"));
  registry_.OnClosed(link.get());
}

TEST_F(SessionTest, OfTwoFirstContactsOnlyThePinnedOneIsServed) {
  ApplyTopology();
  FakeLink first, second;
  registry_.OnOpened(&first);
  registry_.OnOpened(&second);
  registry_.OnMessage(&first, HelloOf("hq-sql1", "l1", 1));
  registry_.OnMessage(&second, HelloOf("hq-sql1", "l2", 1));
  Pass(absl::Milliseconds(50));
  EXPECT_TRUE(first.welcomed());
  ASSERT_FALSE(second.open());
  EXPECT_EQ(ErrorReason(*second.closed), "LEDGER_UNKNOWN");
  EXPECT_EQ(journal_.records.size(), 1u);
  registry_.OnClosed(&first);
}

TEST_F(SessionTest, AnUnknownLedgerWaitsUntilItIsAccepted) {
  ApplyTopology();
  FakeLink& first = Open("hq-sql1", "l1", 1);
  FakeLink& second = Open("hq-sql1", "l2", 1);
  ASSERT_FALSE(second.open());
  EXPECT_EQ(ErrorReason(*second.closed), "LEDGER_UNKNOWN");
  EXPECT_NE(second.closed->ToString().find("baton agents accept hq-sql1 --reason"),
            std::string::npos);
  EXPECT_TRUE(first.open()) << "the known one is not disturbed";
  ASSERT_NE(registry_.FindRefused(HostId("hq-sql1")), nullptr);
  EXPECT_EQ(registry_.FindRefused(HostId("hq-sql1"))->ledger, LedgerId("l2"));

  driver_.Append(LedgerAccepted{HostId("hq-sql1"), LedgerId("l2"), "ada", "new disk", "r1"},
                 [](const absl::StatusOr<Record>&) {});
  Pass(absl::Milliseconds(50));
  EXPECT_FALSE(first.open());
  EXPECT_EQ(registry_.FindRefused(HostId("hq-sql1")), nullptr);
  EXPECT_TRUE(Open("hq-sql1", "l2", 2).welcomed());
}

TEST_F(SessionTest, AHigherCounterReplacesAndALowerOneIsRefused) {
  ApplyTopology();
  FakeLink& first = Open("hq-sql1", "l1", 5);
  FakeLink& stale = Open("hq-sql1", "l1", 4);
  ASSERT_FALSE(stale.open());
  EXPECT_EQ(ErrorReason(*stale.closed), "SESSION_STALE");
  EXPECT_TRUE(first.open());
  FakeLink& newer = Open("hq-sql1", "l1", 6);
  EXPECT_TRUE(newer.welcomed());
  ASSERT_FALSE(first.open());
  EXPECT_EQ(first.closed->code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(*first.closed), "SESSION_REPLACED");
}

TEST_F(SessionTest, AMalformedMessageEndsItsOwnSessionOnly) {
  ApplyTopology();
  FakeLink& good = Open("dr-sql1", "l2", 1);
  const std::vector<v1::AgentMessage> garbage = [] {
    v1::AgentMessage nothing, role, endless, unnamed;
    role.mutable_report()->add_observations()->set_resource("mgc");
    endless = ReportOf(DatabaseSeen(), true);
    endless.mutable_report()->mutable_observations(0)->set_pool(std::string(10'000, 'x'));
    unnamed.mutable_finished();
    return std::vector<v1::AgentMessage>{nothing, role, endless, unnamed};
  }();
  uint64_t counter = 0;
  for (const v1::AgentMessage& message : garbage) {
    FakeLink& bad = Open("hq-sql1", "l1", ++counter);
    ASSERT_TRUE(bad.welcomed());
    registry_.OnMessage(&bad, message);
    ASSERT_FALSE(bad.open()) << message.ShortDebugString();
    EXPECT_EQ(bad.closed->code(), absl::StatusCode::kInvalidArgument);
  }
  FakeLink& twice = Open("hq-sql1", "l1", ++counter);
  registry_.OnMessage(&twice, HelloOf("hq-sql1", "l1", ++counter));
  EXPECT_FALSE(twice.open());
  EXPECT_TRUE(good.open());
}

TEST_F(SessionTest, NothingIsHeardBeforeHello) {
  ApplyTopology();
  FakeLink& link = Open(ReportOf(DatabaseSeen(), true));
  ASSERT_FALSE(link.open());
  EXPECT_EQ(link.closed->code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SessionTest, AHostIsConnectedFromItsWelcomeOn) {
  ApplyTopology();
  EXPECT_FALSE(registry_.Connected(HostId("hq-sql1")));
  FakeLink& link = Open("hq-sql1", "l1", 1);
  EXPECT_TRUE(registry_.Connected(HostId("hq-sql1")));
  registry_.OnMessage(&link, ReportOf(DatabaseSeen(), true));
  const SeenResource& seen = registry_.resources().at({HostId("hq-sql1"), ResourceId("mgc")});
  EXPECT_EQ(seen.looked, clock_.SinceBoot() - absl::Milliseconds(200));
  registry_.OnClosed(&link);
  EXPECT_FALSE(registry_.Connected(HostId("hq-sql1")));
  EXPECT_FALSE(registry_.agents().at(HostId("hq-sql1")).connected);
}

TEST_F(SessionTest, AHostsOwnClockRunsOnWhateverTheCoordinatorsSays) {
  ApplyTopology();
  FakeLink& link = Open("hq-sql1", "l1", 1);
  v1::AgentMessage report = ReportOf(DatabaseSeen(), true);
  const absl::Time theirs = clock_.Now() + absl::Hours(5);
  *report.mutable_report()->mutable_clock_time() = ToProto(theirs);
  registry_.OnMessage(&link, report);
  registry_.OnClosed(&link);
  Pass(absl::Seconds(9));
  Snapshot seen;
  seen.as_of = clock_.Now() - absl::Hours(1);  // it was set back meanwhile
  seen.agents = registry_.agents();
  seen.resources = registry_.resources();
  seen.since_boot = clock_.SinceBoot();
  seen.Date();
  EXPECT_EQ(seen.ClockOf(HostId("hq-sql1")).At(seen.since_boot), theirs + absl::Seconds(9));
  EXPECT_EQ(seen.ClockOf(HostId("dr-sql1")), HostClock());
  const absl::Time at = seen.resources.at({HostId("hq-sql1"), ResourceId("mgc")}).at;
  EXPECT_EQ(seen.as_of - at, absl::Milliseconds(9200));
}

TEST_F(SessionTest, WhatTheTopologyDoesNotNameIsNotKept) {
  ApplyTopology();
  FakeLink& link = Open("hq-sql1", "l1", 1);
  Observation other = DatabaseSeen();
  other.resource = ResourceId("payroll");
  registry_.OnMessage(&link, ReportOf(other, true));
  EXPECT_TRUE(link.open());
  EXPECT_TRUE(registry_.resources().empty());
}

TEST_F(SessionTest, ASilentSessionIsLostAndAHeartbeatKeepsIt) {
  ApplyTopology();
  FakeLink& silent = Open("hq-sql1", "l1", 1);
  FakeLink& lively = Open("dr-sql1", "l2", 1);
  v1::AgentMessage heartbeat;
  heartbeat.mutable_heartbeat()->mutable_age();
  for (int i = 0; i < 6; ++i) {
    Pass(absl::Seconds(1));
    registry_.OnMessage(&lively, heartbeat);
  }
  ASSERT_FALSE(silent.open());
  EXPECT_EQ(silent.closed->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(lively.open());
}

TEST_F(SessionTest, ConfirmsTheRightThatAHostHoldsAndRepeatsItWhileItIsUnconfirmed) {
  ApplyTopology();
  FakeLink& link = Open("hq-sql1", "l1", 1);
  registry_.OnMessage(&link, ReportOf(DatabaseSeen(), true));
  EXPECT_TRUE(link.confirms().empty()) << "nobody holds a right before adoption";
  // Answers every command of the adoption on every host.
  std::map<std::string, FakeLink*> agents = {{"hq-sql1", &link}};
  for (const char* host : {"dr-sql1", "hq-chat1", "dr-chat1"}) {
    agents[host] = &Open(host, host, 1);
    registry_.OnMessage(agents[host], ReportOf(DatabaseSeen(), true));
  }
  Adopt();
  std::map<FakeLink*, size_t> handled;
  for (int round = 0; round < 200; ++round) {
    for (auto& [host, agent] : agents) {
      for (size_t& next = handled[agent]; next < agent->received.size(); ++next) {
        if (!agent->received[next].has_command()) continue;
        v1::AgentMessage answer;
        answer.mutable_finished()->set_command(agent->received[next].command().id());
        *answer.mutable_finished()->mutable_outcome() = ToProto(OkOutcome());
        registry_.OnMessage(agent, answer);
      }
    }
    Pass(absl::Milliseconds(5));
  }
  ASSERT_TRUE(driver_.state().running.empty());
  ASSERT_EQ(link.confirms().size(), 1u);
  EXPECT_EQ(link.confirms()[0].resource(), "mgc");
  EXPECT_EQ(link.confirms()[0].boot_id(), "boot-1");
  EXPECT_EQ(link.confirms()[0].epoch().generation(), 1u);
  EXPECT_TRUE(agents["dr-sql1"]->confirms().empty());
  EXPECT_EQ(agents["hq-chat1"]->confirms().size(), 1u);

  FakeLink& rebooted = Open("hq-sql1", "l1", 2);
  EXPECT_EQ(rebooted.confirms().size(), 1u) << "with Welcome";
  registry_.OnMessage(&rebooted, ReportOf(DatabaseSeen(FencePhase::kUnconfirmed), true));
  EXPECT_EQ(rebooted.confirms().size(), 2u);
  registry_.OnMessage(&rebooted, ReportOf(DatabaseSeen(FencePhase::kUnconfirmed), false));
  EXPECT_EQ(rebooted.confirms().size(), 2u) << "not more often than reports are due";
  v1::AgentMessage heartbeat;
  heartbeat.mutable_heartbeat()->mutable_age();
  registry_.OnMessage(&rebooted, heartbeat);
  EXPECT_EQ(rebooted.confirms().size(), 2u);
  Pass(absl::Seconds(2));
  registry_.OnMessage(&rebooted, heartbeat);
  EXPECT_EQ(rebooted.confirms().size(), 3u) << "what was refused has nothing new to report";
}

TEST_F(SessionTest, WhoComesBackIsFencedBeforeAnythingElseUntilThatIsSeen) {
  ApplyTopology();
  const Plan plan = testing::SmallFailover();
  uint64_t sequence = 0;
  for (const Fact& fact : {Fact(PlanAdmitted{std::make_shared<const Plan>(plan)}),
                           Fact(EpochRaised{plan.id, plan.pool, 2, plan.epoch}),
                           Fact(PlanEnded{plan.id, PlanState::kSucceeded, ""})}) {
    driver_.Replay(Record{++sequence, absl::UnixEpoch(), fact});
  }
  FakeLink& link = Open("hq-sql1", "l1", 1);
  const auto revokes = [&link] {
    return std::count_if(link.received.begin(), link.received.end(),
                         [](const v1::CoordinatorMessage& one) { return one.has_revoke(); });
  };
  ASSERT_EQ(link.received.size(), 2u);
  EXPECT_TRUE(link.received[0].has_welcome());
  ASSERT_TRUE(link.received[1].has_revoke());
  EXPECT_EQ(link.received[1].revoke().resource(), "mgc");
  EXPECT_EQ(FromProto(link.received[1].revoke().epoch()), plan.epoch);

  registry_.OnMessage(&link, ReportOf(DatabaseSeen(), true));
  EXPECT_EQ(revokes(), 1) << "not more often than reports are due";
  v1::AgentMessage heartbeat;
  heartbeat.mutable_heartbeat()->mutable_age();
  Pass(absl::Seconds(2));
  registry_.OnMessage(&link, heartbeat);
  EXPECT_EQ(revokes(), 2) << "it is open still";
  Observation fenced = DatabaseSeen(FencePhase::kClosing);
  fenced.fence.fence_epoch = plan.epoch;
  fenced.fence.proven = false;
  Pass(absl::Seconds(2));
  registry_.OnMessage(&link, ReportOf(fenced, false));
  EXPECT_EQ(revokes(), 3) << "something may write still";
  const size_t records = journal_.records.size();
  fenced.fence.proven = true;
  fenced.fence.fence_epoch = plan.epoch.Next();  // a higher one does
  registry_.OnMessage(&link, ReportOf(fenced, false));
  registry_.OnMessage(&link, ReportOf(fenced, false));
  Pass(absl::Seconds(2));
  registry_.OnMessage(&link, heartbeat);
  EXPECT_EQ(revokes(), 3);
  ASSERT_EQ(journal_.records.size(), records + 1) << "noted once";
  EXPECT_TRUE(std::holds_alternative<ReturnFenced>(journal_.records.back().fact));
  const PoolState& pool = *driver_.state().FindPool(plan.pool);
  ASSERT_EQ(pool.fence_due.size(), 1u);
  EXPECT_EQ(pool.fence_due.begin()->first.host, HostId("hq-chat1"));
  EXPECT_TRUE(link.confirms().empty());
}

TEST_F(SessionTest, NobodyAnswersForCommandsOfAnotherHost) {
  ApplyTopology();
  std::map<std::string, FakeLink*> agents;
  for (const char* host : {"hq-sql1", "dr-sql1", "hq-chat1", "dr-chat1"}) {
    agents[host] = &Open(host, host, 1);
    registry_.OnMessage(agents[host], ReportOf(DatabaseSeen(), true));
  }
  Adopt();
  const auto command = [&](FakeLink& link) -> std::string {
    for (const auto& message : link.received) {
      if (message.has_command()) return message.command().id();
    }
    return "";
  };
  const std::string id = command(*agents["hq-sql1"]);
  ASSERT_FALSE(id.empty());
  const size_t before = journal_.records.size();
  v1::AgentMessage answer;
  answer.mutable_finished()->set_command(id);
  *answer.mutable_finished()->mutable_outcome() = ToProto(OkOutcome());
  registry_.OnMessage(agents["dr-sql1"], answer);
  Pass(absl::Milliseconds(50));
  EXPECT_EQ(journal_.records.size(), before);
  EXPECT_TRUE(agents["dr-sql1"]->open());
  registry_.OnMessage(agents["hq-sql1"], answer);
  Pass(absl::Milliseconds(50));
  EXPECT_GT(journal_.records.size(), before);
}

TEST_F(SessionTest, DryRunsEndWithAnAnswerATimeLimitOrTheSession) {
  ApplyTopology();
  const ResourceRef target{HostId("hq-sql1"), ResourceId("mgc")};
  std::vector<std::string> ends;
  const auto end = [&](const Outcome& outcome) { ends.push_back(outcome.reason); };
  registry_.DryRun(target, Fence{}, absl::Seconds(1), end);
  EXPECT_EQ(ends, std::vector<std::string>{"AGENT_NOT_CONNECTED"});

  FakeLink& link = Open("hq-sql1", "l1", 1);
  registry_.DryRun(target, Fence{}, absl::Seconds(1), end);
  ASSERT_TRUE(link.received.back().has_dry_run());
  v1::AgentMessage answer;
  answer.mutable_dry_run_result()->set_id(link.received.back().dry_run().id());
  *answer.mutable_dry_run_result()->mutable_outcome() = ToProto(OkOutcome());
  registry_.OnMessage(&link, answer);
  registry_.OnMessage(&link, answer);
  EXPECT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends.back(), "");

  registry_.DryRun(target, Fence{}, absl::Seconds(1), end);
  Pass(absl::Milliseconds(1100));
  EXPECT_EQ(ends.back(), "NO_ANSWER");
  registry_.DryRun(target, Fence{}, absl::Seconds(1), end);
  registry_.OnClosed(&link);
  EXPECT_EQ(ends.back(), "AGENT_LOST");
  EXPECT_EQ(ends.size(), 4u);
}

}  // namespace
}  // namespace baton
