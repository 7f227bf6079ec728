// The right to write, taken from a host that comes back.
#include <memory>

#include "gtest/gtest.h"

#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

constexpr Epoch kRight = {1, 3};  // under which the database may write
constexpr Epoch kTaken = {1, 5};  // under which that is taken

Revoke Take(const ResourceId& resource = kDatabase, Epoch epoch = kTaken) {
  return {kPool, resource, epoch};
}

FenceRecord In(FencePhase phase) {
  FenceRecord record = OpenFence(kRight);
  record.phase = phase;
  return record;
}

struct RevokeTest : testing::Test {
  void Renew() { world = std::make_unique<HostWorld>(); }
  void Hold(const FenceRecord& record, const ResourceId& resource = kDatabase) {
    world->fences[resource].file = record;
    world->ledger.disk.fences.emplace_back(resource, record);
  }
  std::optional<FenceRecord> InLedger(const ResourceId& resource = kDatabase) const {
    for (const auto& [id, record] : world->ledger.disk.fences) {
      if (id == resource) return record;
    }
    return std::nullopt;
  }
  Outcome Answer() const {
    const std::vector<Revoked> all = world->link.All<Revoked>();
    return all.empty() ? FailedOutcome("NO_ANSWER", "") : all.back().outcome;
  }
  // What waits at a fence file goes on.
  void GoOn(const ResourceId& resource = kDatabase) {
    FakeFenceFile& fence = world->fences[resource];
    std::vector<std::function<void()>> waiting = std::move(fence.waiting);
    fence.waiting.clear();
    for (const auto& work : waiting) work();
    world->loop.RunReady();
  }
  void ExpectFenced(FencePhase phase, const Epoch& epoch = kTaken) {
    ASSERT_TRUE(world->fences[kDatabase].file.has_value());
    EXPECT_EQ(world->fences[kDatabase].file->phase, phase);
    EXPECT_EQ(world->fences[kDatabase].file->fence_epoch, epoch);
    EXPECT_EQ(InLedger(), world->fences[kDatabase].file);
    EXPECT_GE(world->ledger.EpochOf(kPool), epoch);
  }

  std::unique_ptr<HostWorld> world = std::make_unique<HostWorld>();
};

TEST_F(RevokeTest, ClosesWhatHoldsAnUnshippedRightInEveryPhaseAndBoot) {
  for (const FencePhase phase :
       {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    for (const BootId& boot : {kBoot, BootId("boot-0"), BootId()}) {
      SCOPED_TRACE(testing::Message() << ToString(phase) << " of boot " << boot.value());
      Renew();
      FenceRecord record = In(phase);
      record.confirmed_boot = boot;
      Hold(record);
      world->BootAndWelcome();
      world->Deliver(Take());
      EXPECT_TRUE(Answer().ok()) << Answer().message;
      ExpectFenced(phase == FencePhase::kClosed ? FencePhase::kClosed : FencePhase::kClosing);
      EXPECT_EQ(world->fences[kDatabase].file->write, record.write);
    }
  }
}

TEST_F(RevokeTest, ClosesForGoodWhatHasNothingToShip) {
  FenceRecord sealed = In(FencePhase::kOpen);
  sealed.write->sealed = LogPosition{1, 4096};
  FenceRecord none = In(FencePhase::kClosed);
  none.write.reset();
  none.fetch.push_back(*OpenFence({1, 2}).write);
  for (const FenceRecord& record : {sealed, none}) {
    Renew();
    Hold(record);
    world->BootAndWelcome();
    world->Deliver(Take());
    EXPECT_TRUE(Answer().ok());
    ExpectFenced(FencePhase::kClosed);
    EXPECT_EQ(world->fences[kDatabase].file->write, record.write);
    EXPECT_EQ(world->fences[kDatabase].file->fetch, record.fetch);
  }
}

TEST_F(RevokeTest, AChatServerHoldsNoRightAnyMore) {
  FenceRecord record = OpenFence(kRight);
  record.resource = kChat;
  record.write = Lineage{"", kRight, HostId("h1"), ShareId(), std::nullopt};
  Hold(record, kChat);
  world->BootAndWelcome();
  world->Deliver(Take(kChat));
  EXPECT_TRUE(Answer().ok());
  EXPECT_EQ(world->fences[kChat].file->phase, FencePhase::kClosed);
  EXPECT_FALSE(world->fences[kChat].file->write.has_value());
}

TEST_F(RevokeTest, WithoutAFileWhatTheLedgerKnowsIsClosed) {
  for (const bool known : {false, true}) {
    for (const absl::Status& gone : {absl::OkStatus(), absl::DataLossError("garbage")}) {
      Renew();
      if (known) world->ledger.disk.fences.emplace_back(kDatabase, In(FencePhase::kOpen));
      world->BootAndWelcome();
      world->fences[kDatabase].file.reset();
      world->fences[kDatabase].unreadable = gone;
      world->Deliver(Take());
      EXPECT_TRUE(Answer().ok());
      ExpectFenced(FencePhase::kClosed);
      EXPECT_EQ(world->fences[kDatabase].file->write.has_value(), known);
    }
  }
}

TEST_F(RevokeTest, WhereTheFileCannotBeReadNothingIsClaimed) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].unreadable = absl::PermissionDeniedError("not yours");
  world->Deliver(Take());
  EXPECT_EQ(Answer().reason, "FENCE_UNREADABLE");
  world->fences[kDatabase].unreadable = absl::OkStatus();
  world->Deliver(Take());
  ExpectFenced(FencePhase::kClosing);
}

TEST_F(RevokeTest, TheLedgerKnowsBeforeTheFileAndTheFileBeforeTheAnswer) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->ledger.delay = absl::Milliseconds(5);
  world->fences[kDatabase].writes_hang = true;
  world->Deliver(Take());
  EXPECT_EQ(world->fences[kDatabase].writes, 0);
  world->loop.Advance(absl::Milliseconds(5));
  EXPECT_EQ(InLedger()->phase, FencePhase::kClosing);
  EXPECT_EQ(world->fences[kDatabase].writes, 1);
  EXPECT_TRUE(world->link.All<Revoked>().empty());
  GoOn();
  EXPECT_TRUE(Answer().ok());
  ExpectFenced(FencePhase::kClosing);
}

TEST_F(RevokeTest, AfterADeathBetweenLedgerAndFileTheFenceStandsInBoth) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].writes_hang = true;
  world->Deliver(Take());
  EXPECT_EQ(world->fences[kDatabase].file->phase, FencePhase::kOpen);
  world->fences[kDatabase].writes_hang = false;
  world->Boot();
  ExpectFenced(FencePhase::kClosing);
  EXPECT_EQ(world->link.hellos.back().fences.front().fence.fence_epoch, kTaken);
  world->WelcomeNow();
  world->Deliver(Confirm{kPool, kDatabase, kRight, kBoot});
  EXPECT_EQ(world->link.All<Confirmed>().back().outcome.reason, "FENCED");
}

TEST_F(RevokeTest, ALedgerOrFileThatTakesNothingIsToldAndTriedAgain) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->ledger.failure = absl::ResourceExhaustedError("disk full");
  world->Deliver(Take());
  EXPECT_EQ(Answer().reason, "LEDGER_FAILED");
  EXPECT_EQ(world->fences[kDatabase].file->phase, FencePhase::kOpen);
  world->ledger.failure = absl::OkStatus();
  world->fences[kDatabase].failure = absl::ResourceExhaustedError("disk full");
  world->Deliver(Take());
  EXPECT_EQ(Answer().reason, "FENCE_NOT_WRITTEN");
  world->fences[kDatabase].failure = absl::OkStatus();
  world->Deliver(Take());
  EXPECT_TRUE(Answer().ok());
  ExpectFenced(FencePhase::kClosing);
}

TEST_F(RevokeTest, RepeatedItChangesNothingAndIsAnswered) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->Deliver(Take());
  const FenceRecord once = *world->fences[kDatabase].file;
  const size_t entries = world->ledger.history.size();
  world->Deliver(Take());
  EXPECT_EQ(world->link.All<Revoked>().size(), 2u);
  EXPECT_TRUE(Answer().ok());
  EXPECT_EQ(world->fences[kDatabase].file, once);
  EXPECT_EQ(world->ledger.history.size(), entries);
}

TEST_F(RevokeTest, AskedForAgainWhileItIsWrittenItAnswersTheNewestSession) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].writes_hang = true;
  world->Deliver(Take());
  world->Deliver(Take(kDatabase, {1, 6}));
  EXPECT_EQ(Answer().reason, "BUSY");
  world->LoseLink();
  world->loop.Advance(absl::Seconds(1));
  world->WelcomeNow();
  world->link.sent.clear();
  world->Deliver(Take());
  GoOn();
  ASSERT_EQ(world->link.All<Revoked>().size(), 1u);
  EXPECT_TRUE(Answer().ok());
}

TEST_F(RevokeTest, ALowerEpochThanTheResourceHasSeenIsRefused) {
  for (const Epoch& late : {Epoch{1, 2}, kRight, Epoch{0, 9}}) {
    Renew();
    Hold(In(FencePhase::kOpen));
    world->BootAndWelcome();
    world->Deliver(Take(kDatabase, late));
    EXPECT_EQ(Answer().code, OutcomeCode::kRefused);
    EXPECT_EQ(Answer().reason, "STALE_EPOCH");
    EXPECT_EQ(world->fences[kDatabase].file->phase, FencePhase::kOpen);
  }
}

TEST_F(RevokeTest, AFenceByHandUnderAHigherEpochStands) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].file->phase = FencePhase::kClosing;
  world->fences[kDatabase].file->fence_epoch = {1, 9};
  world->Deliver(Take());
  GoOn();
  EXPECT_TRUE(Answer().ok()) << Answer().message;
  EXPECT_EQ(world->fences[kDatabase].file->phase, FencePhase::kClosing);
  EXPECT_EQ(world->fences[kDatabase].file->fence_epoch, (Epoch{1, 9}));
}

// Else what another resource of the host was told would keep this one from being fenced.
TEST_F(RevokeTest, WhatThePoolHasSeenElsewhereIsNoReasonToStayOpen) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->Deliver(world->MakeCommand("c1", {1, 7}, kChat));
  world->Deliver(Take());
  EXPECT_TRUE(Answer().ok());
  ExpectFenced(FencePhase::kClosing);
  EXPECT_EQ(world->ledger.EpochOf(kPool), (Epoch{1, 7}));
}

TEST_F(RevokeTest, TheWrongPoolResourceOrEpochIsAnswered) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->Deliver(Revoke{PoolId("other.example.com"), kDatabase, kTaken});
  EXPECT_EQ(Answer().reason, "RESOURCE_UNKNOWN");
  world->Deliver(Take(ResourceId("nothing")));
  EXPECT_EQ(Answer().reason, "RESOURCE_UNKNOWN");
  world->Deliver(Take(kDatabase, Epoch{}));
  EXPECT_EQ(Answer().reason, "INVALID_EPOCH");
  EXPECT_EQ(world->fences[kDatabase].writes, 0);
  EXPECT_EQ(world->core->state().link, LinkPhase::kWelcomed);
}

TEST_F(RevokeTest, AnotherJournalTakesNothingUntilItAdoptsThePool) {
  Hold(In(FencePhase::kOpen));
  world->ledger.disk.journals.emplace_back(kPool, kJournal);
  world->ledger.disk.epochs.emplace_back(kPool, kRight);
  world->BootAndWelcome(JournalId("journal-2"));
  world->Deliver(Take());
  EXPECT_EQ(Answer().reason, "JOURNAL_UNKNOWN");
  world->Deliver(Take(kDatabase, {2, 1}));
  EXPECT_TRUE(Answer().ok());
  EXPECT_EQ(world->core->state().JournalOf(kPool), JournalId("journal-2"));
}

TEST_F(RevokeTest, ACommandOfALowerEpochIsCancelledAndHoldsNothingUp) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->Deliver(world->MakeCommand("c1", {1, 4}));
  world->Deliver(Take());
  EXPECT_TRUE(Answer().ok());
  ExpectFenced(FencePhase::kClosing);
  ASSERT_EQ(world->runners[kDatabase].cancelled.size(), 1u);
  Outcome stopped;
  stopped.code = OutcomeCode::kCancelled;
  stopped.message = "Recover: cancelled; done: nothing";
  world->runners[kDatabase].Finish(stopped);
  world->loop.RunReady();
  EXPECT_EQ(world->Told("c1")->reason, "REVOKED");
  EXPECT_NE(world->Told("c1")->message.find("done: nothing"), std::string::npos);
  world->Deliver(world->MakeCommand("c2", {1, 4}));
  EXPECT_EQ(world->Told("c2")->reason, "EPOCH_TOO_LOW");
}

TEST_F(RevokeTest, TheRightThatTheCancelledCommandGaveMeanwhileIsNotForgotten) {
  FenceRecord standby = In(FencePhase::kClosed);
  standby.write.reset();
  Hold(standby);
  world->BootAndWelcome();
  world->Deliver(world->MakeCommand("c1", {1, 4}));
  world->fences[kDatabase].hangs = true;
  world->Deliver(Take());
  ASSERT_EQ(world->fences[kDatabase].waiting.size(), 1u);
  world->fences[kDatabase].writes_hang = true;
  GoOn();
  // Between our look and our write the runner has opened the fence.
  world->core->NoteFence(kDatabase, OpenFence({1, 4}));
  GoOn();
  EXPECT_TRUE(world->link.All<Revoked>().empty());
  world->fences[kDatabase].hangs = world->fences[kDatabase].writes_hang = false;
  GoOn();
  EXPECT_TRUE(Answer().ok());
  EXPECT_EQ(world->fences[kDatabase].file->write, OpenFence({1, 4}).write);
  EXPECT_EQ(world->fences[kDatabase].file->fence_epoch, kTaken);
}

TEST_F(RevokeTest, ARightThatAChatServerWasGivenMeanwhileIsTakenToo) {
  FenceRecord closed = In(FencePhase::kClosed);
  closed.resource = kChat;
  closed.write.reset();
  Hold(closed, kChat);
  world->BootAndWelcome();
  world->Deliver(world->MakeCommand("c1", {1, 4}, kChat));
  FakeFenceFile& fence = world->fences[kChat];
  fence.writes_hang = true;
  world->Deliver(Take(kChat));
  ASSERT_EQ(fence.waiting.size(), 1u);
  // Between our look and our write its runner has opened the fence.
  FenceRecord open = OpenFence({1, 4});
  open.resource = kChat;
  open.write = Lineage{"", {1, 4}, HostId("h1"), ShareId(), std::nullopt};
  world->core->NoteFence(kChat, open);
  for (int round = 0; round < 4 && !Answer().ok(); ++round) GoOn(kChat);
  EXPECT_TRUE(Answer().ok()) << Answer().message;
  EXPECT_TRUE(fence.waiting.empty());
  EXPECT_EQ(fence.file->phase, FencePhase::kClosed);
  EXPECT_FALSE(fence.file->write.has_value());
  EXPECT_EQ(fence.file->fence_epoch, kTaken);
}

TEST_F(RevokeTest, ACommandOfItsOwnEpochGoesFirstAndOneOfAHigherEpochOutdatesIt) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->Deliver(world->MakeCommand("c1", kTaken));
  world->Deliver(Take());
  EXPECT_EQ(Answer().reason, "BUSY");
  world->Deliver(Take(kDatabase, {1, 4}));
  EXPECT_EQ(Answer().reason, "STALE_EPOCH");
  EXPECT_TRUE(world->runners[kDatabase].cancelled.empty());
  EXPECT_EQ(world->fences[kDatabase].writes, 0);
}

TEST_F(RevokeTest, WhileAConfirmReadsTheFileTheRightIsNotConfirmedButTaken) {
  Hold(In(FencePhase::kUnconfirmed));
  world->BootAndWelcome();
  world->fences[kDatabase].hangs = true;
  world->Deliver(Confirm{kPool, kDatabase, kRight, kBoot});
  world->Deliver(Take());
  world->Deliver(world->MakeCommand("c1", kTaken));
  world->fences[kDatabase].hangs = false;
  GoOn();
  EXPECT_EQ(world->link.All<Confirmed>().back().outcome.reason, "REVOKED");
  EXPECT_TRUE(Answer().ok());
  ExpectFenced(FencePhase::kClosing);
  // What had waited for the file acts under the new fence.
  EXPECT_TRUE(world->runners[kDatabase].running.has_value());
}

TEST_F(RevokeTest, WhileAConfirmIsWrittenTheRightIsTakenRightAfter) {
  Hold(In(FencePhase::kUnconfirmed));
  world->BootAndWelcome();
  world->fences[kDatabase].writes_hang = true;
  world->Deliver(Confirm{kPool, kDatabase, kRight, kBoot});
  world->Deliver(Take());
  world->Deliver(world->MakeCommand("c1", kRight));
  EXPECT_TRUE(world->link.All<Revoked>().empty());
  world->fences[kDatabase].writes_hang = false;
  GoOn();
  EXPECT_TRUE(world->link.All<Confirmed>().back().outcome.ok());
  EXPECT_TRUE(Answer().ok());
  ExpectFenced(FencePhase::kClosing);
  EXPECT_EQ(world->Told("c1")->reason, "EPOCH_TOO_LOW");
}

TEST_F(RevokeTest, NothingIsConfirmedWhileTheRightIsTaken) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].hangs = true;
  world->Deliver(Take());
  world->Deliver(Confirm{kPool, kDatabase, kRight, kBoot});
  EXPECT_EQ(world->link.All<Confirmed>().back().outcome.reason, "REVOKED");
}

TEST_F(RevokeTest, GoesOnWithoutItsSession) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].hangs = true;
  world->Deliver(Take());
  world->LoseLink();
  GoOn();
  ExpectFenced(FencePhase::kClosing);
  EXPECT_TRUE(world->link.All<Revoked>().empty());
}

TEST_F(RevokeTest, IsFollowedByALook) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  const int before = world->probes[kDatabase].looks;
  world->Deliver(Take());
  EXPECT_EQ(world->probes[kDatabase].looks, before + 1);
}

TEST_F(RevokeTest, ACommandThatWaitsForTheFileCanBeAskedForAndCancelled) {
  Hold(In(FencePhase::kOpen));
  world->BootAndWelcome();
  world->fences[kDatabase].hangs = true;
  world->Deliver(Take());
  world->Deliver(world->MakeCommand("c1", kTaken));
  world->Deliver(QueryCommand{CommandId("c1")});
  EXPECT_EQ(world->link.All<CommandAnswer>().back().state, AnswerState::kRunning);
  world->Deliver(CancelCommand{CommandId("c1")});
  EXPECT_EQ(world->link.All<CommandAnswer>().back().state, AnswerState::kNotAccepted);
  world->fences[kDatabase].hangs = false;
  GoOn();
  EXPECT_TRUE(world->runners[kDatabase].starts.empty());
}

}  // namespace
}  // namespace baton::agent
