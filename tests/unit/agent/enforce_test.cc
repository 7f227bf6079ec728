// What runs under a fence that forbids it, and for no command, is stopped.
#include "gtest/gtest.h"

#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

constexpr Epoch kRight = {1, 3};
constexpr Epoch kTaken = {1, 5};

struct EnforceTest : testing::Test {
  EnforceTest() {
    FenceRecord record = OpenFence(kRight);
    record.phase = FencePhase::kClosing;
    fence().file = record;
    world.ledger.disk.fences.emplace_back(kDatabase, record);
    See(FencePhase::kClosing, kRight, false);
  }
  FakeFenceFile& fence() { return world.fences[kDatabase]; }
  void See(FencePhase phase, const Epoch& write, bool proven) {
    FenceSummary& seen = world.probes[kDatabase].seen.fence;
    seen.file_readable = true;
    seen.phase = phase;
    seen.fence_epoch = kRight;
    seen.write_epoch = write;
    seen.proven = proven;
  }
  // What is being stopped ends with `status`.
  void End(const absl::Status& status) {
    ASSERT_EQ(fence().enforcing.size(), 1u);
    const auto done = fence().enforcing.front();
    fence().enforcing.clear();
    done(status);
    world.loop.RunReady();
  }
  int Said(const std::string& words) const {
    int times = 0;
    for (const std::string& line : world.log) times += line.find(words) != std::string::npos;
    return times;
  }

  HostWorld world;
};

TEST_F(EnforceTest, WhatRunsThoughItsRightWasTakenIsStoppedAndSeenToBe) {
  world.BootAndWelcome();
  const int looks = world.probes[kDatabase].looks;
  See(FencePhase::kClosing, kRight, true);
  End(absl::OkStatus());
  EXPECT_EQ(world.probes[kDatabase].looks, looks + 1);
  EXPECT_TRUE(fence().enforcing.empty());
  EXPECT_TRUE(world.link.All<Report>().back().observations.front().fence.proven);
}

TEST_F(EnforceTest, NeitherSessionNorCommandIsNeeded) {
  world.Boot();
  EXPECT_EQ(fence().enforcing.size(), 1u);
  world.Boot();  // the one before died as it stopped it
  EXPECT_EQ(fence().enforcing.size(), 1u);
}

TEST_F(EnforceTest, NothingElseIsStopped) {
  const auto stops = [this] {
    world.Boot();
    return !fence().enforcing.empty();
  };
  EXPECT_TRUE(stops());
  See(FencePhase::kClosed, kRight, false);
  EXPECT_TRUE(stops());
  See(FencePhase::kClosed, Epoch(), false);  // a standby
  EXPECT_FALSE(stops());
  See(FencePhase::kClosed, kRight, true);  // nothing runs
  EXPECT_FALSE(stops());
  See(FencePhase::kUnconfirmed, kRight, false);
  EXPECT_FALSE(stops());
  See(FencePhase::kOpen, kRight, false);
  EXPECT_FALSE(stops());
  See(FencePhase::kClosing, kRight, false);
  world.probes[kDatabase].seen.detail = ChatObservation{};
  EXPECT_FALSE(stops());
}

TEST_F(EnforceTest, WhatACommandMayNeedRunsOnUntilItHasEnded) {
  See(FencePhase::kClosing, kRight, true);
  world.BootAndWelcome();
  Command ship = world.MakeCommand("c1", kTaken);
  ship.action = ShipTail{};
  world.Deliver(ship);
  ASSERT_TRUE(world.runners[kDatabase].running.has_value());
  See(FencePhase::kClosing, kRight, false);  // it recovers, to find the end of its log
  world.loop.Advance(absl::Seconds(5));
  EXPECT_TRUE(fence().enforcing.empty());
  world.runners[kDatabase].Finish(FailedOutcome("SHARE", "the share is gone"));
  world.loop.RunReady();
  EXPECT_EQ(fence().enforcing.size(), 1u);
}

TEST_F(EnforceTest, ALookFromBeforeACommandEndedDecidesNothing) {
  See(FencePhase::kClosing, kRight, true);
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1", kTaken));
  world.probes[kDatabase].hangs = true;
  world.loop.Advance(absl::Seconds(1));
  ASSERT_EQ(world.probes[kDatabase].waiting.size(), 1u);
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  See(FencePhase::kClosing, kRight, false);
  world.probes[kDatabase].Answer();
  world.loop.RunReady();
  EXPECT_TRUE(fence().enforcing.empty());
  world.probes[kDatabase].Answer();
  world.loop.RunReady();
  EXPECT_EQ(fence().enforcing.size(), 1u);
}

TEST_F(EnforceTest, ACommandWaitsWhileItIsStopped) {
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1", kTaken));
  EXPECT_FALSE(world.runners[kDatabase].running.has_value());
  world.Deliver(QueryCommand{CommandId("c1")});
  EXPECT_EQ(world.link.All<CommandAnswer>().back().state, AnswerState::kRunning);
  End(absl::DeadlineExceededError("still stopping"));
  EXPECT_TRUE(world.runners[kDatabase].running.has_value());
}

TEST_F(EnforceTest, ARevocationStopsWhatRunsUnderTheFenceThatItRaised) {
  See(FencePhase::kClosing, kRight, true);
  world.BootAndWelcome();
  // Started for a command that is as good as dead: it comes up when the right is taken.
  See(FencePhase::kClosing, kRight, false);
  world.Deliver(Revoke{kPool, kDatabase, kTaken});
  EXPECT_TRUE(world.link.All<Revoked>().back().outcome.ok());
  EXPECT_EQ(fence().enforcing.size(), 1u);
  // Asked again, as a coordinator does that sees it run still.
  world.Deliver(Revoke{kPool, kDatabase, kTaken});
  EXPECT_TRUE(world.link.All<Revoked>().back().outcome.ok());
  EXPECT_EQ(fence().enforcing.size(), 1u);
}

TEST_F(EnforceTest, WhatDoesNotStopIsTriedAgainWithEachReportAndSaidOnce) {
  world.BootAndWelcome();
  for (int i = 0; i < 3; ++i) {
    End(absl::DeadlineExceededError("still stopping"));
    EXPECT_TRUE(fence().enforcing.empty());
    world.loop.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(Said("stops it"), 1);
  EXPECT_EQ(Said("still stopping"), 1);
  See(FencePhase::kClosing, kRight, true);
  End(absl::OkStatus());
  See(FencePhase::kClosing, kRight, false);
  world.loop.Advance(absl::Seconds(1));
  EXPECT_EQ(Said("stops it"), 2);
}

}  // namespace
}  // namespace baton::agent
