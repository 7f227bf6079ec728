#include "agent/guard/fence_file.h"

#include <filesystem>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/gate.h"
#include "common/os/file.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status Write(const GuardWorld& world, const FenceRecord& record) {
  return UpdateFenceFile(
      world.config(), [&](const absl::StatusOr<FenceRecord>&) { return record; }, nullptr);
}

TEST(FenceFileTest, IsWorldReadableAndReadBack) {
  GuardWorld world;
  EXPECT_TRUE(absl::IsNotFound(ReadFenceFile(world.config()).status()));
  ASSERT_TRUE(Write(world, world.Open(3)).ok());
  EXPECT_EQ(*ReadFenceFile(world.config()), world.Open(3));
  struct stat found = {};
  ASSERT_EQ(stat(world.config().fence_file.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0644u);
}

TEST(FenceFileTest, NeverLowersItsEpoch) {
  GuardWorld world;
  ASSERT_TRUE(Write(world, world.InPhase(FencePhase::kClosed, 5)).ok());
  const absl::Status lower = Write(world, world.Open(4));
  EXPECT_TRUE(absl::IsFailedPrecondition(lower));
  EXPECT_THAT(std::string(lower.message()), AllOf(HasSubstr("1.5"), HasSubstr("1.4")));
  EXPECT_EQ(ReadFenceFile(world.config())->fence_epoch, (Epoch{1, 5}));
  EXPECT_TRUE(Write(world, world.Open(5)).ok());
}

TEST(FenceFileTest, EntersTheLedgerFirstAndStopsWhereThatFails) {
  GuardWorld world;
  ASSERT_TRUE(Write(world, world.InPhase(FencePhase::kClosed, 5)).ok());
  const FenceRecord next = world.Open(6);
  const absl::Status status = UpdateFenceFile(
      world.config(), [&](const absl::StatusOr<FenceRecord>&) { return next; },
      [&](const FenceRecord& entered) {
        EXPECT_EQ(entered, next);
        EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosed);
        return absl::AbortedError("disk");
      });
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosed);
}

// The ledger may hang for as long as its disk does, and with it an agent that has to write a fence.
TEST(FenceFileTest, KeepsNobodyFromTheFileWhileItEntersTheLedger) {
  GuardWorld world;
  ASSERT_TRUE(Write(world, world.Open(3)).ok());
  std::vector<FencePhase> decided_on;
  std::vector<FenceRecord> entered;
  const absl::Status status = UpdateFenceFile(
      world.config(),
      [&](const absl::StatusOr<FenceRecord>& before) -> absl::StatusOr<FenceRecord> {
        decided_on.push_back(before->phase);
        if (before->phase == FencePhase::kOpen) return world.Open(4);
        return absl::AbortedError("fenced meanwhile");
      },
      [&](const FenceRecord& record) {
        entered.push_back(record);
        const FenceRecord by_hand = world.InPhase(FencePhase::kClosing, 4);
        return UpdateFenceFile(
            world.config(), [&](const absl::StatusOr<FenceRecord>&) { return by_hand; }, nullptr,
            absl::ZeroDuration());
      });
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(decided_on, ElementsAre(FencePhase::kOpen, FencePhase::kClosing));
  EXPECT_THAT(entered, ElementsAre(world.Open(4)));
  EXPECT_EQ(ReadFenceFile(world.config())->phase, FencePhase::kClosing);
}

TEST(FenceFileTest, SaysThatNothingWasWrittenWhileOthersHoldIt) {
  GuardWorld world;
  ASSERT_TRUE(Write(world, world.Open(3)).ok());
  const absl::StatusOr<FileLock> held =
      FileLock::Take(FenceEditLockFile(world.config()), LockMode::kExclusive, absl::ZeroDuration());
  ASSERT_TRUE(held.ok());
  const absl::Status status = UpdateFenceFile(
      world.config(), [&](const absl::StatusOr<FenceRecord>&) { return world.Open(4); }, nullptr,
      absl::Milliseconds(20));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("not written"));
  EXPECT_EQ(*ReadFenceFile(world.config()), world.Open(3));
}

TEST(FenceFileTest, DamagedOrForeignFilesAreNotUnderstood) {
  GuardWorld world;
  world.Put(world.config().fence_file, "phase = open\n");
  EXPECT_TRUE(absl::IsDataLoss(ReadFenceFile(world.config()).status()));
  FenceRecord foreign = world.Open(3);
  foreign.resource = ResourceId("other");
  world.Write(foreign);
  EXPECT_TRUE(absl::IsDataLoss(ReadFenceFile(world.config()).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Write(world, foreign)));
}

TEST(FenceFileTest, StandbySignalIsPlacedOnceAndOnlyForDatabases) {
  GuardWorld world;
  EXPECT_TRUE(PlaceStandbySignal(world.config()).ok());
  EXPECT_TRUE(PlaceStandbySignal(world.config()).ok());
  EXPECT_TRUE(*Exists(world.root() + "/data/standby.signal"));
  GuardWorld::Shape chat;
  chat.database = false;
  EXPECT_TRUE(absl::IsFailedPrecondition(PlaceStandbySignal(GuardWorld(chat).config())));
}

// Between the gate's look and the server's start there must be no gap that a fence misses.
TEST(FenceProofTest, IsWithheldWhileSomethingHasPassedTheGate) {
  GuardWorld world;
  world.Write(world.Open(3));
  const pid_t passer = fork();
  if (passer == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const absl::StatusOr<GatePass> pass = PassGate(world.config(), absl::Seconds(10));
    if (pass.ok()) WriteFileDurably(world.root() + "/passed", "", 0644).IgnoreError();
    while (true) pause();
  }
  ASSERT_TRUE(GuardWorld::Eventually([&] { return *Exists(world.root() + "/passed"); }));
  ASSERT_TRUE(Write(world, world.InPhase(FencePhase::kClosing, 4)).ok());
  const absl::Status proof = ProveNothingRuns(world.config(), absl::Milliseconds(50));
  EXPECT_TRUE(absl::IsDeadlineExceeded(proof));
  EXPECT_THAT(std::string(proof.message()), HasSubstr(absl::StrCat(passer)));
  kill(passer, SIGKILL);
  EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Seconds(60)).ok());
  world.Kill(passer, SIGKILL);
}

TEST(FenceProofTest, IsWithheldWhileAServerRunsPastTheGate) {
  GuardWorld world;
  std::filesystem::copy_file("/bin/sleep", world.root() + "/postgres");
  const pid_t server = world.Spawn(
      {"/usr/bin/env", "-C", world.root() + "/data", world.root() + "/postgres", "1000"},
      "server.log");
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    return ReadFile(absl::StrCat("/proc/", server, "/comm"), 64).value_or("") == "postgres\n";
  }));
  world.Put(world.root() + "/data/postmaster.pid", absl::StrCat(server, "\n/data\n"));
  const absl::Status proof = ProveNothingRuns(world.config(), absl::Milliseconds(50));
  EXPECT_TRUE(absl::IsFailedPrecondition(proof));
  EXPECT_THAT(std::string(proof.message()), HasSubstr(absl::StrCat("pid ", server)));
  world.Kill(server, SIGKILL);
  EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Milliseconds(50)).ok());
}

TEST(FenceProofTest, AnotherServerUnderAStalePidIsNotThisOne) {
  GuardWorld world;
  std::filesystem::copy_file("/bin/sleep", world.root() + "/postgres");
  const pid_t other =
      world.Spawn({"/usr/bin/env", "-C", world.root() + "/log", world.root() + "/postgres", "1000"},
                  "server.log");
  ASSERT_TRUE(GuardWorld::Eventually([&] {
    return ReadFile(absl::StrCat("/proc/", other, "/comm"), 64).value_or("") == "postgres\n";
  }));
  world.Put(world.root() + "/data/postmaster.pid", absl::StrCat(other, "\n/data\n"));
  EXPECT_TRUE(ProveNothingRuns(world.config(), absl::Milliseconds(50)).ok());
}

TEST(GateTest, TellsWhatItFoundAndHoldsTheLock) {
  GuardWorld world;
  EXPECT_EQ(PassGate(world.config(), absl::Seconds(1))->decision.verdict, GateVerdict::kRefuse);
  world.Write(world.Open(3));
  EXPECT_EQ(PassGate(world.config(), absl::Seconds(1))->decision.verdict, GateVerdict::kReadWrite);
  world.Put(world.root() + "/data/standby.signal", "");
  EXPECT_EQ(PassGate(world.config(), absl::Seconds(1))->decision.verdict, GateVerdict::kStandby);
  world.Put(IncompleteMarker(world.config()), "");
  EXPECT_EQ(PassGate(world.config(), absl::Seconds(1))->decision.verdict, GateVerdict::kRefuse);
  std::filesystem::remove(IncompleteMarker(world.config()));
  std::filesystem::remove_all(world.root() + "/data");
  EXPECT_EQ(PassGate(world.config(), absl::Seconds(1))->decision.verdict, GateVerdict::kRefuse);
}

TEST(GateTest, AnUnknownBootConfirmsNothing) {
  GuardWorld world;
  world.Write(world.Open(3));
  std::filesystem::remove(world.root() + "/boot");
  EXPECT_EQ(PassGate(world.config(), absl::Seconds(1))->decision.verdict, GateVerdict::kRefuse);
}

}  // namespace
}  // namespace baton
