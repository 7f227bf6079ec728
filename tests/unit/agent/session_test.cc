// Sessions, restarts, fences and reports.
#include "gtest/gtest.h"

#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

TEST(SessionTest, TheSessionsNumberIsDurableBeforeHello) {
  HostWorld world;
  world.ledger.disk.session_counter = 41;
  world.ledger.delay = absl::Milliseconds(5);
  world.Boot();
  EXPECT_TRUE(world.link.hellos.empty());
  world.loop.Advance(absl::Milliseconds(5));
  ASSERT_EQ(world.link.hellos.size(), 1u);
  EXPECT_EQ(world.link.hellos[0].session_counter, 42u);
  EXPECT_EQ(world.ledger.disk.session_counter, 42u);
}

TEST(SessionTest, WhatAnOlderStreamStillDeliversNeverActs) {
  HostWorld world;
  world.BootAndWelcome();
  const CoordinatorLink::Events old = world.link.streams.back();
  world.LoseLink();
  world.loop.Advance(absl::Seconds(1));
  old.message(world.MakeCommand("late"));
  world.loop.RunReady();
  world.WelcomeNow();
  old.message(world.MakeCommand("later"));
  world.loop.RunReady();
  EXPECT_TRUE(world.runners[kDatabase].starts.empty());
  EXPECT_FALSE(world.Told("late").has_value());
}

TEST(SessionTest, ACommandGoesOnWithoutItsSessionAndIsToldInTheNext) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.LoseLink();
  world.loop.Advance(absl::Seconds(1));
  ASSERT_EQ(world.link.hellos.size(), 2u);
  EXPECT_EQ(world.link.hellos[1].unfinished, std::vector<CommandId>{CommandId("c1")});
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  EXPECT_FALSE(world.Told("c1").has_value());
  world.WelcomeNow();
  EXPECT_TRUE(world.Told("c1")->ok());
}

TEST(SessionTest, ReconnectsForEverAndLogsOneReasonOnce) {
  HostWorld world;
  world.Boot();
  for (int i = 0; i < 50; ++i) {
    world.LoseLink(absl::NotFoundError("host h1 is not in the topology " + std::to_string(i)));
    world.loop.Advance(absl::Seconds(5));
  }
  EXPECT_EQ(world.link.hellos.size(), 51u);
  int told = 0;
  for (const std::string& line : world.log) {
    if (line.find("not in the topology") != std::string::npos) ++told;
  }
  EXPECT_EQ(told, 1);
}

TEST(SessionTest, ACommandBeforeWelcomeEndsTheStream) {
  HostWorld world;
  world.Boot();
  world.Deliver(world.MakeCommand("c1"));
  EXPECT_EQ(world.core->state().link, LinkPhase::kDown);
  EXPECT_TRUE(world.runners[kDatabase].starts.empty());
}

TEST(SessionTest, TwoJournalsInOneSessionEndIt) {
  HostWorld world;
  world.BootAndWelcome();
  world.WelcomeNow();
  EXPECT_EQ(world.core->state().link, LinkPhase::kWelcomed) << "the same once more changes nothing";
  world.WelcomeNow(JournalId("journal-2"));
  EXPECT_EQ(world.core->state().link, LinkPhase::kDown);
  world.loop.Advance(absl::Seconds(1));
  world.WelcomeNow();
  world.Deliver(world.MakeCommand("c1"));
  EXPECT_EQ(world.core->state().JournalOf(kPool), kJournal);
}

TEST(RestartTest, EndsChildrenThenLooksThenAnswersThenSaysHello) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(world.MakeCommand("c2", {1, 1}, kChat));
  world.ledger.disk.children.push_back({4711, 99, CommandId("c1")});
  world.runners[kChat].look.code = OutcomeCode::kUnknown;
  world.Boot();
  EXPECT_EQ(world.children.ended.size(), 1u);
  EXPECT_EQ(world.runners[kDatabase].looked.size(), 1u);
  EXPECT_TRUE(world.link.hellos.back().unfinished.empty());
  world.WelcomeNow();
  EXPECT_TRUE(world.Told("c1")->ok());
  EXPECT_FALSE(world.Told("c1")->message.empty());
  EXPECT_EQ(world.Told("c2")->code, OutcomeCode::kUnknown);
  EXPECT_EQ(world.Told("c2")->reason, "AGENT_RESTARTED");
  EXPECT_EQ(world.runners[kDatabase].starts[CommandId("c1")], 1);
}

TEST(RestartTest, AFreshLedgerLeavesWhatRunsAloneButUnconfirmed) {
  HostWorld world;
  world.fences[kDatabase].file = OpenFence({1, 3}, LedgerId("lost"));
  world.Boot();
  EXPECT_EQ(world.fences[kDatabase].file->phase, FencePhase::kUnconfirmed);
  EXPECT_EQ(world.fences[kDatabase].file->ledger, LedgerId("ledger-1"));
  EXPECT_EQ(world.ledger.disk.fences[0].second.phase, FencePhase::kUnconfirmed);
  EXPECT_EQ(world.ledger.EpochOf(kPool), (Epoch{1, 3}));
  EXPECT_TRUE(world.runners[kDatabase].starts.empty());
  world.WelcomeNow();
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
  EXPECT_EQ(world.fences[kDatabase].file->phase, FencePhase::kOpen);
}

TEST(ConfirmTest, OpensOnlyForThisBootThisEpochAndAnOpenFence) {
  HostWorld world;
  FenceRecord record = OpenFence({1, 3});
  record.confirmed_boot = BootId("boot-0");
  world.fences[kDatabase].file = record;
  world.ledger.disk.fences.emplace_back(kDatabase, record);
  world.BootAndWelcome();
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, BootId("boot-0")});
  world.Deliver(Confirm{kPool, kDatabase, {1, 2}, kBoot});
  world.Deliver(Confirm{kPool, kChat, {1, 3}, kBoot});
  for (const Confirmed& answer : world.link.All<Confirmed>()) EXPECT_FALSE(answer.outcome.ok());
  EXPECT_EQ(world.fences[kDatabase].writes, 0);
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
  EXPECT_TRUE(world.link.All<Confirmed>().back().outcome.ok());
  EXPECT_EQ(world.fences[kDatabase].file->confirmed_boot, kBoot);
  EXPECT_EQ(world.ledger.disk.fences[0].second.confirmed_boot, kBoot);
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
  EXPECT_TRUE(world.link.All<Confirmed>().back().outcome.ok());
  EXPECT_EQ(world.fences[kDatabase].writes, 1);
}

TEST(ConfirmTest, AFenceClosedByHandIsNeverOpenedByIt) {
  HostWorld world;
  world.fences[kDatabase].file = OpenFence({1, 3});
  world.ledger.disk.fences.emplace_back(kDatabase, OpenFence({1, 3}));
  world.BootAndWelcome();
  world.fences[kDatabase].file->phase = FencePhase::kClosing;
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
  EXPECT_EQ(world.link.All<Confirmed>().back().outcome.reason, "FENCED");
  EXPECT_EQ(world.fences[kDatabase].file->phase, FencePhase::kClosing);
}

TEST(ConfirmTest, WhatASupervisorUnconfirmedIsOpenedAgainWhetherTheAgentLivedThenOrNot) {
  for (const bool lived : {false, true}) {
    HostWorld world;
    FenceRecord unconfirmed = OpenFence({1, 3});
    unconfirmed.phase = FencePhase::kUnconfirmed;
    world.ledger.disk.fences.emplace_back(kDatabase, OpenFence({1, 3}));
    world.fences[kDatabase].file = lived ? OpenFence({1, 3}) : unconfirmed;
    world.BootAndWelcome();
    world.fences[kDatabase].file = unconfirmed;
    world.probes[kDatabase].seen.fence = {FencePhase::kUnconfirmed, {1, 3}, {1, 3}, true, false};
    world.loop.Advance(absl::Seconds(1));
    EXPECT_EQ(world.link.All<Report>().back().observations[0].fence.phase,
              FencePhase::kUnconfirmed);
    world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
    EXPECT_TRUE(world.link.All<Confirmed>().back().outcome.ok());
    EXPECT_EQ(world.fences[kDatabase].file, OpenFence({1, 3}));
    EXPECT_EQ(world.ledger.disk.fences[0].second, OpenFence({1, 3}));
  }
}

TEST(ConfirmTest, NothingIsConfirmedWhileACommandRunsAndNoCommandRunsMeanwhile) {
  HostWorld world;
  world.fences[kDatabase].file = OpenFence({1, 3});
  world.ledger.disk.fences.emplace_back(kDatabase, OpenFence({1, 3}));
  world.BootAndWelcome();
  world.fences[kDatabase].hangs = true;
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
  world.Deliver(world.MakeCommand("c1", {1, 4}));
  EXPECT_FALSE(world.runners[kDatabase].running.has_value());
  world.fences[kDatabase].waiting[0]();
  world.loop.RunReady();
  EXPECT_TRUE(world.runners[kDatabase].running.has_value());
  world.Deliver(Confirm{kPool, kDatabase, {1, 3}, kBoot});
  EXPECT_EQ(world.link.All<Confirmed>().back().outcome.reason, "BUSY");
}

TEST(ReportTest, BeginsWithEverythingThenChangesThenHeartbeats) {
  HostWorld world;
  world.BootAndWelcome();
  const std::vector<Report> first = world.link.All<Report>();
  ASSERT_GE(first.size(), 1u);
  EXPECT_TRUE(first[0].full);
  EXPECT_EQ(first[0].observations.size(), 2u);
  EXPECT_EQ(first[0].clock, world.loop.Now());
  world.link.sent.clear();
  world.loop.Advance(absl::Seconds(3));
  EXPECT_TRUE(world.link.All<Report>().empty());
  const std::vector<Heartbeat> beats = world.link.All<Heartbeat>();
  ASSERT_EQ(beats.size(), 3u);
  EXPECT_EQ(beats[2].clock - beats[1].clock, absl::Seconds(1));
}

TEST(ReportTest, AStateIsToldAtOnceAndAPositionInTheNextInterval) {
  HostWorld world;
  world.BootAndWelcome();
  world.loop.Advance(absl::Milliseconds(1100));
  world.link.sent.clear();
  DatabaseObservation moved;
  moved.position = {1, 4096};
  world.probes[kDatabase].seen.detail = moved;
  world.loop.Advance(absl::Milliseconds(1000));
  EXPECT_TRUE(world.link.All<Report>().empty());
  world.loop.Advance(absl::Milliseconds(1000));
  ASSERT_EQ(world.link.All<Report>().size(), 1u);
  EXPECT_EQ(world.link.All<Report>()[0].observations[0].database()->position.lsn, 4096u);

  world.link.sent.clear();
  moved.state = DatabaseState::kPrimary;
  world.probes[kDatabase].seen.detail = moved;
  world.loop.Advance(absl::Milliseconds(1000));
  ASSERT_EQ(world.link.All<Report>().size(), 1u);
}

TEST(ReportTest, ALookThatHangsIsNotDoubledAndDelaysOnlyTheFullReport) {
  HostWorld world;
  world.probes[kDatabase].hangs = true;
  world.BootAndWelcome();
  world.loop.Advance(absl::Seconds(10));
  EXPECT_EQ(world.probes[kDatabase].looks, 1);
  EXPECT_GE(world.link.All<Heartbeat>().size(), 9u);
  for (const Report& report : world.link.All<Report>()) EXPECT_FALSE(report.full);
  world.probes[kDatabase].Answer();
  world.loop.RunReady();
  world.probes[kDatabase].Answer();
  world.loop.RunReady();
  ASSERT_TRUE(world.link.All<Report>().back().full);
  EXPECT_GE(world.link.All<Report>().back().observations[0].age, absl::ZeroDuration());
}

TEST(ReportTest, ReportNowLooksAnewBeforeItTellsEverything) {
  HostWorld world;
  world.BootAndWelcome();
  world.probes[kDatabase].hangs = true;
  world.loop.Advance(absl::Seconds(1));
  world.link.sent.clear();
  world.Deliver(ReportNow{});
  // The look under way began before the question.
  world.probes[kDatabase].Answer();
  world.loop.RunReady();
  for (const Report& report : world.link.All<Report>()) EXPECT_FALSE(report.full);
  world.probes[kDatabase].Answer();
  world.loop.RunReady();
  ASSERT_FALSE(world.link.All<Report>().empty());
  EXPECT_TRUE(world.link.All<Report>().back().full);
}

TEST(ReportTest, AFenceByHandRaisesTheEpochForGood) {
  HostWorld world;
  world.BootAndWelcome();
  world.probes[kDatabase].seen.fence.fence_epoch = {1, 8};
  world.loop.Advance(absl::Seconds(1));
  EXPECT_EQ(world.ledger.EpochOf(kPool), (Epoch{1, 8}));
  world.Deliver(world.MakeCommand("c1", {1, 7}));
  EXPECT_EQ(world.Told("c1")->reason, "EPOCH_TOO_LOW");
}

TEST(ReportTest, EveryCommandIsFollowedByALook) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  const int before = world.probes[kDatabase].looks;
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  EXPECT_EQ(world.probes[kDatabase].looks, before + 1);
}

}  // namespace
}  // namespace baton::agent
