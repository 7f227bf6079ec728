#include <algorithm>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "coordinator/cli/commands.h"
#include "tests/unit/cli/fake_console.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StatusVerbsTest : public ::testing::Test {
 protected:
  StatusVerbsTest()
      : client_({{"fake:1", coordinator_.Channel()}}, terminal_.terminal(), absl::Seconds(30), 1) {
    coordinator_.SetPools(SamplePools());
    coordinator_.SetAgents(SampleAgents());
  }

  ExitCode Do(Verb verb) {
    options_.verb = verb;
    return RunVerb(options_, client_, terminal_.terminal());
  }
  v1::Event Event(uint64_t sequence) {
    v1::Event event;
    event.set_sequence(sequence);
    event.set_kind("EPOCH_RAISED");
    return event;
  }

  FakeTerminal terminal_;
  FakeCoordinator coordinator_;
  Client client_;
  Options options_;
};

TEST_F(StatusVerbsTest, StatusOfOneAndOfAllPools) {
  EXPECT_EQ(Do(Verb::kStatus), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("chat.example.com: served at hq (home)"));
  options_.pool = "other.example.com";
  EXPECT_EQ(Do(Verb::kStatus), ExitCode::kUsage);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("found \"other.example.com\""));
}

TEST_F(StatusVerbsTest, AgesCountFromTheCoordinatorsTimeNotFromThisHosts) {
  v1::ListPoolsResponse pools = SamplePools();
  v1::MemberStatus& member = *pools.mutable_pools(0)->mutable_members(0);
  const int64_t far_off = 4000000000;
  member.mutable_observe_time()->set_seconds(far_off - 7);
  member.mutable_observe_time()->set_nanos(0);
  pools.mutable_as_of()->set_seconds(far_off);
  coordinator_.SetPools(pools);
  EXPECT_EQ(Do(Verb::kStatus), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.out(), HasSubstr("7.0 s ago"));
}

TEST_F(StatusVerbsTest, StatusIsDrawnAnewUntilCtrlC) {
  options_.watch = true;
  options_.output = Output::kJson;
  std::thread person([this] {
    EXPECT_TRUE(terminal_.console.WaitForOutput("}\n{"));
    EXPECT_TRUE(terminal_.interrupt.Trigger());
  });
  EXPECT_EQ(Do(Verb::kStatus), ExitCode::kDone);
  person.join();
}

TEST_F(StatusVerbsTest, AcceptingALedgerShowsBothAndAsks) {
  terminal_.console.set_interactive(true);
  options_.host = "dr-sql1";
  options_.reason = "disk replaced";
  options_.request_id = "r1";
  EXPECT_EQ(Do(Verb::kAgentsAccept), ExitCode::kDeclined);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("shows ledger 77aa00ff"));
  EXPECT_THAT(coordinator_.accept_requests(), IsEmpty());
  terminal_.console.Answer(true);
  EXPECT_EQ(Do(Verb::kAgentsAccept), ExitCode::kDone);
  ASSERT_EQ(coordinator_.accept_requests().size(), 1u);
  EXPECT_EQ(coordinator_.accept_requests()[0].reason(), "disk replaced");
  EXPECT_EQ(coordinator_.accept_requests()[0].request_id(), "r1");
  EXPECT_THAT(terminal_.console.out(), HasSubstr("ledger 77aa00ff is its own from now on"));
}

TEST_F(StatusVerbsTest, EventsEndWithoutFollow) {
  for (const uint64_t sequence : {1, 2, 3}) coordinator_.AddEvent(Event(sequence));
  options_.from_sequence = 2;
  options_.output = Output::kJson;
  EXPECT_EQ(Do(Verb::kEvents), ExitCode::kDone);
  const std::string out = terminal_.console.out();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2);
  EXPECT_THAT(out, HasSubstr("\"sequence\":\"3\""));
}

TEST_F(StatusVerbsTest, FollowedEventsGoOnWhereTheyWereAfterALoss) {
  coordinator_.AddEvent(Event(1));
  options_.follow = true;
  std::thread person([this] {
    EXPECT_TRUE(terminal_.console.WaitForOutput("1  "));
    coordinator_.EndStreams(grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting"));
    EXPECT_TRUE(coordinator_.WaitForStreams(2));
    coordinator_.AddEvent(Event(2));
    EXPECT_TRUE(terminal_.console.WaitForOutput("\n2  "));
    EXPECT_TRUE(terminal_.interrupt.Trigger());
  });
  EXPECT_EQ(Do(Verb::kEvents), ExitCode::kDone);
  person.join();
  EXPECT_EQ(coordinator_.watch_requests()[1].from_sequence(), 2u);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("lost the coordinator at fake:1"));
  EXPECT_THAT(terminal_.console.err(), HasSubstr("is back"));
}

TEST_F(StatusVerbsTest, ErrorsHaveTheirExitCodes) {
  const std::pair<grpc::StatusCode, ExitCode> codes[] = {
      {grpc::StatusCode::NOT_FOUND, ExitCode::kUsage},
      {grpc::StatusCode::FAILED_PRECONDITION, ExitCode::kRefused},
      {grpc::StatusCode::DEADLINE_EXCEEDED, ExitCode::kUnreachable},
      {grpc::StatusCode::INTERNAL, ExitCode::kFailed},
  };
  for (const auto& [status, code] : codes) {
    coordinator_.FailNext(grpc::Status(status, "words"));
    EXPECT_EQ(Do(Verb::kAgentsList), code) << status;
  }
}

}  // namespace
}  // namespace baton
