// The agent's ports over the guard's work.
#include <atomic>
#include <filesystem>
#include <sys/stat.h>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/archived_file.h"
#include "agent/guard/fence_file.h"
#include "agent/guard/host/guard_archive_store.h"
#include "agent/guard/host/guard_fence_store.h"
#include "agent/guard/share.h"
#include "common/base/mutex.h"
#include "common/os/monotonic.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kSegment[] = "000000010000000000000003";
constexpr uint64_t kMiB = 1 << 20;

TEST(GuardFenceStoreTest, EntersTheLedgerThenWritesTheFile) {
  GuardWorld world;
  std::vector<FenceRecord> ledger;
  GuardFenceStore store(world.config(), [&](const FenceRecord& record) {
    EXPECT_FALSE(ReadFenceFile(world.config()).ok());
    ledger.push_back(record);
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsNotFound(store.Read().status()));
  ASSERT_TRUE(store.Write(world.Open(3)).ok());
  EXPECT_THAT(ledger, ElementsAre(world.Open(3)));
  EXPECT_EQ(*store.Read(), world.Open(3));
  EXPECT_EQ(*store.Boot(), BootId("boot-1"));
  EXPECT_TRUE(absl::IsFailedPrecondition(store.Write(world.Open(2))));
  EXPECT_EQ(ledger.size(), 1u);
  EXPECT_TRUE(store.PlaceStandbySignal().ok());
  EXPECT_TRUE(store.ProveNothingRuns(absl::Seconds(60)).ok());
}

TEST(GuardFenceStoreTest, DoesNotOpenWhatWasFencedByHandMeanwhile) {
  GuardWorld world;
  world.Write(world.Open(3));
  GuardFenceStore store(world.config(), nullptr);
  ASSERT_TRUE(store.Read().ok());
  EXPECT_EQ(world.Guard({"fence", world.config_file(), "1.3"}).exit_status, 0);
  const absl::Status refused = store.Write(world.Open(3));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("closing"));
  EXPECT_TRUE(store.Write(world.InPhase(FencePhase::kClosed, 3)).ok());  // stricter: always
  EXPECT_TRUE(store.Write(world.Open(4)).ok());                          // seen now
}

// The ledger hangs while it takes the entry, and the fence is closed by hand meanwhile.
TEST(GuardFenceStoreTest, AFenceByHandDoesNotWaitForTheLedgerAndIsNotUndoneByIt) {
  GuardWorld world;
  world.Write(world.Open(3));
  std::vector<FenceRecord> ledger;
  GuardFenceStore store(world.config(), [&](const FenceRecord& record) {
    ledger.push_back(record);
    EXPECT_EQ(world.Guard({"fence", world.config_file(), "1.4"}).exit_status, 0);
    return absl::OkStatus();
  });
  ASSERT_TRUE(store.Read().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(store.Write(world.Open(4))));
  EXPECT_THAT(ledger, ElementsAre(world.Open(4)));  // the file is the stricter of the two
  EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosing);
  EXPECT_TRUE(store.Write(world.InPhase(FencePhase::kClosed, 5)).ok());
}

// Ledger and file must not end on different ones of two records that are written at a time.
TEST(GuardFenceStoreTest, WritesOneRecordAfterTheOther) {
  GuardWorld world;
  world.Write(world.InPhase(FencePhase::kClosed, 4));
  Mutex mutex;
  FenceRecord ledger;
  std::atomic<bool> entering{false};
  GuardFenceStore slow(world.config(), [&](const FenceRecord& record) {
    {
      MutexLock lock(&mutex);
      ledger = record;
    }
    entering = true;
    Pause(absl::Milliseconds(100));  // room for the other one, were it let in
    return absl::OkStatus();
  });
  GuardFenceStore quick(world.config(), [&](const FenceRecord& record) {
    MutexLock lock(&mutex);
    ledger = record;
    return absl::OkStatus();
  });
  std::thread first([&] { EXPECT_TRUE(slow.Write(world.InPhase(FencePhase::kClosed, 5)).ok()); });
  EXPECT_TRUE(GuardWorld::Eventually([&] { return entering.load(); }));
  EXPECT_TRUE(quick.Write(world.InPhase(FencePhase::kClosed, 6)).ok());
  first.join();
  EXPECT_EQ(*ReadFenceFile(world.config()), ledger);
  EXPECT_EQ(ledger.fence_epoch, (Epoch{1, 6}));
}

TEST(GuardArchiveStoreTest, PushesAndGivesTheCodeAndTheReason) {
  GuardWorld world;
  GuardArchiveStore store(world.config(), world.config_file(), world.guard());
  const std::string path = world.Log(kSegment, 'a');
  const absl::Status closed = store.Push(path);
  EXPECT_TRUE(absl::IsFailedPrecondition(closed));
  EXPECT_THAT(std::string(closed.message()), HasSubstr("shipping is refused"));
  world.Write(world.Open(3));
  EXPECT_TRUE(store.Push(path).ok());
  EXPECT_TRUE(store.Push(path).ok());
  world.Log(kSegment, 'b');
  EXPECT_TRUE(absl::IsAlreadyExists(store.Push(path)));
  EXPECT_TRUE(store.CheckShares().ok());
  std::filesystem::remove(world.root() + "/home/.baton-share");
  EXPECT_TRUE(absl::IsUnavailable(store.Push(path)));
  EXPECT_TRUE(absl::IsUnavailable(store.CheckShares()));
}

TEST(GuardArchiveStoreTest, CopiesWhatIsPendingAndTellsItsProgress) {
  GuardWorld world;
  GuardArchiveStore store(world.config(), world.config_file(), world.guard());
  const Lineage lineage = GuardWorld::MakeLineage(7, "dr-sql1", "dr");
  ASSERT_TRUE(PublishFile(world.Log(kSegment, 'a'),
                          LineageFolder(world.config(), world.root() + "/dr", lineage), kSegment,
                          std::nullopt, nullptr)
                  .ok());
  std::vector<std::pair<uint64_t, uint64_t>> progress;
  const absl::StatusOr<uint64_t> copied = store.CopyPending(
      {lineage}, {[&](uint64_t done, uint64_t total) { progress.emplace_back(done, total); }, {}});
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(*copied, kMiB);
  ASSERT_FALSE(progress.empty());
  EXPECT_THAT(progress.back(), Pair(kMiB, kMiB));
  EXPECT_EQ(*store.CopyPending({lineage}, {}), 0u);
  std::filesystem::remove(world.root() + "/dr/.baton-share");
  EXPECT_TRUE(absl::IsUnavailable(store.CopyPending({lineage}, {}).status()));
}

TEST(GuardArchiveStoreTest, ACopyEndsWithWhoeverAskedForIt) {
  GuardWorld world;
  // As one that copies for hours, or waits for a share that does not answer.
  const std::string patient = world.root() + "/patient";
  world.Put(patient, "#!/bin/sh\necho progress 1 2\nexec sleep 1000\n");
  std::filesystem::permissions(patient, std::filesystem::perms(0755));
  std::vector<ProcessId> started;
  GuardArchiveStore store(world.config(), world.config_file(), patient,
                          [&](const ProcessId& guard) {
                            started.push_back(guard);
                            return absl::OkStatus();
                          });
  std::atomic<bool> cancelled{false};
  const ArchiveStore::CopyWatch watch = {
      [&](uint64_t, uint64_t) { cancelled = true; },
      [&] { return cancelled ? absl::CancelledError("enough") : absl::OkStatus(); }};
  EXPECT_TRUE(absl::IsCancelled(store.CopyPending({}, watch).status()));
  cancelled = false;
  EXPECT_TRUE(absl::IsCancelled(store.Salvage({}, "/dead", kSegment, watch).status()));
  ASSERT_EQ(started.size(), 2u);
  for (const ProcessId& guard : started) EXPECT_FALSE(IsAlive(guard));
}

TEST(GuardArchiveStoreTest, AGuardThatCannotBeRunIsAnError) {
  GuardWorld world;
  GuardArchiveStore store(world.config(), world.config_file(), "/none/baton-guard");
  EXPECT_FALSE(store.Push(world.Log(kSegment, 'a')).ok());
  EXPECT_FALSE(store.CopyPending({}, {}).ok());
}

}  // namespace
}  // namespace baton
