#include "agent/core/reconcile.h"

#include "gtest/gtest.h"

#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

FenceFacts Facts(std::optional<FenceRecord> file, std::optional<FenceRecord> ledger) {
  return {kPool, kDatabase, std::move(file), std::move(ledger), LedgerId("ledger-1"), kBoot};
}

FenceRecord With(FencePhase phase, Epoch epoch = {1, 1}) {
  FenceRecord record = OpenFence(epoch);
  record.phase = phase;
  return record;
}

TEST(ReconcileTest, KnowsNothingWhereThereIsNeitherFileNorLedger) {
  const FenceReconciliation result = ReconcileFence(Facts(std::nullopt, std::nullopt));
  EXPECT_FALSE(result.record.has_value());
  EXPECT_FALSE(result.write_file || result.write_ledger);
}

TEST(ReconcileTest, LeavesWhatAgreesAlone) {
  for (const FencePhase phase :
       {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    const FenceReconciliation result = ReconcileFence(Facts(With(phase), With(phase)));
    EXPECT_FALSE(result.write_file || result.write_ledger) << ToString(phase);
    EXPECT_EQ(result.record, With(phase));
  }
}

TEST(ReconcileTest, TheStricterOfFileAndLedgerHoldsInBoth) {
  const FencePhase phases[] = {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing,
                               FencePhase::kClosed};
  for (const FencePhase file : phases) {
    for (const FencePhase ledger : phases) {
      const FenceReconciliation result = ReconcileFence(Facts(With(file), With(ledger)));
      EXPECT_EQ(result.record->phase, std::max(file, ledger));
      EXPECT_EQ(result.write_file, file < ledger);
      EXPECT_EQ(result.write_ledger, ledger < file);
    }
  }
}

TEST(ReconcileTest, TakesTheHigherEpochOfBoth) {
  FenceRecord by_hand = With(FencePhase::kClosing);
  by_hand.fence_epoch = {1, 9};
  EXPECT_EQ(ReconcileFence(Facts(by_hand, With(FencePhase::kOpen))).record->fence_epoch,
            (Epoch{1, 9}));
  EXPECT_EQ(ReconcileFence(Facts(With(FencePhase::kClosed), With(FencePhase::kOpen, {2, 1})))
                .record->fence_epoch,
            (Epoch{2, 1}));
}

TEST(ReconcileTest, AMissingFileStaysClosedAndKeepsItsLineages) {
  FenceRecord open = With(FencePhase::kOpen);
  open.fetch.push_back(*open.write);
  const FenceReconciliation result = ReconcileFence(Facts(std::nullopt, open));
  EXPECT_EQ(result.record->phase, FencePhase::kClosed);
  EXPECT_EQ(result.record->fetch.size(), 1u);
  EXPECT_TRUE(result.write_file && result.write_ledger);
}

TEST(ReconcileTest, AnOpenFenceOfAnotherLedgerBecomesUnconfirmed) {
  const FenceRecord foreign = OpenFence({1, 1}, LedgerId("another"));
  const FenceReconciliation result = ReconcileFence(Facts(foreign, std::nullopt));
  EXPECT_EQ(result.record->phase, FencePhase::kUnconfirmed);
  EXPECT_EQ(result.record->ledger, LedgerId("ledger-1"));
  EXPECT_TRUE(result.write_file && result.write_ledger);
}

TEST(ReconcileTest, AFencedFileOfAnotherLedgerStaysFenced) {
  FenceRecord foreign = With(FencePhase::kClosed);
  foreign.ledger = LedgerId("another");
  EXPECT_EQ(ReconcileFence(Facts(foreign, std::nullopt)).record->phase, FencePhase::kClosed);
}

TEST(ReconcileTest, AnAgentThatDiesBetweenLedgerAndFileStopsNothingThatRuns) {
  for (const bool file_newer : {false, true}) {
    const FenceRecord older = With(FencePhase::kOpen, {1, 1});
    const FenceRecord newer = With(FencePhase::kOpen, {1, 2});
    const FenceReconciliation result =
        ReconcileFence(file_newer ? Facts(newer, older) : Facts(older, newer));
    EXPECT_EQ(result.record->phase, FencePhase::kUnconfirmed);
    EXPECT_EQ(result.record->write, newer.write);
    EXPECT_EQ(result.record->fence_epoch, newer.fence_epoch);
  }
}

// The file's write was refused, or never came.
TEST(ReconcileTest, AnOpenedLedgerWithoutItsFileOpensNothing) {
  for (const FencePhase phase :
       {FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    const FenceRecord file = With(phase, {1, 1});
    const FenceReconciliation result = ReconcileFence(Facts(file, With(FencePhase::kOpen, {1, 2})));
    EXPECT_EQ(result.record->phase, phase);
    EXPECT_EQ(result.record->fence_epoch, (Epoch{1, 2}));
    if (phase == FencePhase::kUnconfirmed) continue;
    EXPECT_EQ(result.record->write, file.write);
  }
}

TEST(ReconcileTest, AFenceByHandWhereTheFileWasLostKeepsWhatTheLedgerKnows) {
  FenceRecord by_hand;
  by_hand.pool = kPool;
  by_hand.resource = kDatabase;
  by_hand.phase = FencePhase::kClosed;
  by_hand.fence_epoch = {1, 9};
  const FenceReconciliation result =
      ReconcileFence(Facts(by_hand, With(FencePhase::kOpen, {1, 2})));
  EXPECT_EQ(result.record->phase, FencePhase::kClosed);
  EXPECT_EQ(result.record->write, With(FencePhase::kOpen, {1, 2}).write);
  EXPECT_EQ(result.record->fence_epoch, (Epoch{1, 9}));
  EXPECT_TRUE(result.write_file && result.write_ledger);
}

TEST(ReconcileTest, AConfirmationThatTheFileMissedDoesNotCount) {
  FenceRecord older = With(FencePhase::kOpen);
  older.confirmed_boot = BootId("boot-0");
  const FenceReconciliation result = ReconcileFence(Facts(older, With(FencePhase::kOpen)));
  EXPECT_EQ(result.record->confirmed_boot, BootId("boot-0"));
  EXPECT_FALSE(result.write_file);
}

TEST(StricterTest, TheLedgerMakesWhatWasSeenStricterButNeverLooser) {
  FenceSummary seen;
  seen.phase = FencePhase::kOpen;
  seen.proven = true;
  EXPECT_EQ(Stricter(seen, With(FencePhase::kClosing), kBoot).phase, FencePhase::kClosing);
  EXPECT_FALSE(Stricter(seen, With(FencePhase::kClosing), kBoot).proven);
  seen.phase = FencePhase::kClosed;
  EXPECT_EQ(Stricter(seen, With(FencePhase::kOpen), kBoot).phase, FencePhase::kClosed);
  EXPECT_TRUE(Stricter(seen, With(FencePhase::kOpen), kBoot).proven);
}

TEST(StricterTest, TheEndOfALogIsToldByWhatHoldsItsRight) {
  FenceRecord shipped = With(FencePhase::kClosed);
  shipped.write->sealed = LogPosition{1, 0x5000028};
  EXPECT_EQ(Summarize(shipped, kBoot).sealed, shipped.write->sealed);
  FenceSummary lost;  // closed, since its file cannot be read
  EXPECT_FALSE(Stricter(lost, With(FencePhase::kOpen), kBoot).sealed.has_value());
  EXPECT_EQ(Stricter(lost, shipped, kBoot).sealed, shipped.write->sealed);
  EXPECT_EQ(Stricter(lost, shipped, kBoot).write_epoch, shipped.write->epoch);
}

}  // namespace
}  // namespace baton::agent
