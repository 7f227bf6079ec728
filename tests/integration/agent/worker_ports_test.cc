#include "agent/worker_ports.h"

#include <cstdlib>
#include <fstream>
#include <future>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

#include "common/os/process.h"

namespace baton::agent {
namespace {

// Leads a process group, as every child that acts does, and waits to be ended.
pid_t StartChild() {
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    while (true) pause();
  }
  setpgid(pid, pid);
  return pid;
}

std::vector<ChildProcess> EndThem(std::vector<ChildProcess> children) {
  LeftChildren left;
  std::promise<std::vector<ChildProcess>> ended;
  left.End(std::move(children),
           [&](std::vector<ChildProcess> lingering) { ended.set_value(std::move(lingering)); });
  return ended.get_future().get();
}

TEST(LeftChildrenTest, EndsWhatAnAgentLeftBehind) {
  const pid_t pid = StartChild();
  const ProcessId process = IdentifyProcess(pid).value();
  EXPECT_TRUE(EndThem({{pid, process.start_ticks, CommandId("c1")}}).empty());
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(LeftChildrenTest, LeavesAnotherProcessOfTheSamePidAlone) {
  const pid_t pid = StartChild();
  const ProcessId process = IdentifyProcess(pid).value();
  EXPECT_TRUE(EndThem({{pid, process.start_ticks + 1, CommandId("c1")}}).empty());
  EXPECT_TRUE(IsAlive(process));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST(LeftChildrenTest, WhatIsGoneNeedsNoEnding) {
  const pid_t pid = StartChild();
  const ProcessId process = IdentifyProcess(pid).value();
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  EXPECT_TRUE(EndThem({{pid, process.start_ticks, CommandId("c1")}}).empty());
}

class HeldFence : public FenceStore {
 public:
  absl::StatusOr<FenceRecord> Read() override {
    if (lost) return absl::NotFoundError("no such file");
    return held;
  }
  absl::Status Write(const FenceRecord& record) override {
    held = record;
    return absl::OkStatus();
  }
  absl::Status PlaceStandbySignal() override {
    placed = true;
    return absl::OkStatus();
  }
  absl::Status ProveNothingRuns(absl::Duration) override { return proof; }
  absl::StatusOr<BootId> Boot() override { return BootId("boot-1"); }

  FenceRecord held;
  bool lost = false;
  bool placed = false;
  absl::Status proof;
};

class CountingManager : public ServiceManager {
 public:
  absl::Status Start(absl::Duration) override { return absl::OkStatus(); }
  absl::Status Stop(StopMode mode, absl::Duration) override {
    EXPECT_EQ(mode, StopMode::kClean);
    ++stops;
    return stopped;
  }
  absl::StatusOr<ServiceStatus> Status() override { return ServiceStatus(); }

  int stops = 0;
  absl::Status stopped;
};

TEST(LedgerFenceStoreTest, EveryFenceNamesTheLedgerItWasWrittenUnder) {
  HeldFence behind;
  LedgerFenceStore store(&behind, LedgerId("ledger-1"));
  FenceRecord record;
  record.phase = FencePhase::kOpen;
  record.ledger = LedgerId("older");
  ASSERT_TRUE(store.Write(record).ok());
  EXPECT_EQ(behind.held.ledger, LedgerId("ledger-1"));
  EXPECT_EQ(behind.held.phase, FencePhase::kOpen);
}

TEST(LedgerFenceStoreTest, ASupervisorIsSeenToBeforeAFenceOpensAndOnlyThen) {
  HeldFence behind;
  int asked = 0;
  LedgerFenceStore store(&behind, LedgerId("ledger-1"), nullptr, [&] {
    EXPECT_NE(behind.held.phase, FencePhase::kOpen);
    ++asked;
  });
  for (const FencePhase phase :
       {FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed, FencePhase::kOpen}) {
    FenceRecord record;
    record.phase = phase;
    ASSERT_TRUE(store.Write(record).ok());
    EXPECT_EQ(asked, phase == FencePhase::kOpen ? 1 : 0);
  }
}

// Writes `phase` where `folder` holds a database or does not; is standby.signal asked for?
bool PlacesSignal(FencePhase phase, const std::string& folder) {
  HeldFence behind;
  CountingManager manager;
  FenceWorker worker(&behind, &manager, folder);
  FenceRecord record;
  record.phase = phase;
  std::promise<absl::Status> written;
  worker.Write(record, [&](absl::Status status) { written.set_value(std::move(status)); });
  EXPECT_TRUE(written.get_future().get().ok());
  EXPECT_EQ(manager.stops, 0);
  return behind.placed;
}

absl::Status Enforce(HeldFence* behind, CountingManager* manager) {
  FenceWorker worker(behind, manager, "");
  std::promise<absl::Status> enforced;
  worker.Enforce([&](absl::Status status) { enforced.set_value(std::move(status)); });
  return enforced.get_future().get();
}

TEST(FenceWorkerTest, AFencedDatabaseGetsItsStandbySignalAndNothingElseDoes) {
  char folder[] = "/tmp/baton-fence-XXXXXX";
  const std::string data = mkdtemp(folder);
  EXPECT_FALSE(PlacesSignal(FencePhase::kClosing, data));  // nothing there: it is to be seeded
  std::ofstream(data + "/PG_VERSION") << "15\n";
  EXPECT_TRUE(PlacesSignal(FencePhase::kClosing, data));
  EXPECT_TRUE(PlacesSignal(FencePhase::kClosed, data));
  EXPECT_FALSE(PlacesSignal(FencePhase::kOpen, data));
  EXPECT_FALSE(PlacesSignal(FencePhase::kUnconfirmed, data));
  EXPECT_FALSE(PlacesSignal(FencePhase::kClosed, ""));
  unlink((data + "/PG_VERSION").c_str());
  rmdir(data.c_str());
}

TEST(FenceWorkerTest, OnlyAFenceThatNamesARightIsEnforced) {
  for (const FencePhase phase :
       {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    for (const bool right : {true, false}) {
      SCOPED_TRACE(testing::Message() << ToString(phase) << ", a right: " << right);
      HeldFence behind;
      CountingManager manager;
      behind.held.phase = phase;
      if (right) behind.held.write = Lineage{"1", {1, 3}, HostId("sql1"), ShareId("s"), {}};
      EXPECT_TRUE(Enforce(&behind, &manager).ok());
      EXPECT_EQ(manager.stops, right && phase >= FencePhase::kClosing ? 1 : 0);
    }
  }
}

TEST(FenceWorkerTest, AFenceIsEnforcedOnceNothingRunsAndNotBefore) {
  HeldFence behind;
  CountingManager manager;
  behind.lost = true;
  EXPECT_TRUE(absl::IsNotFound(Enforce(&behind, &manager)));
  EXPECT_EQ(manager.stops, 0);
  behind.lost = false;
  behind.held.phase = FencePhase::kClosing;
  behind.held.write = Lineage{"1", {1, 3}, HostId("sql1"), ShareId("s"), {}};
  manager.stopped = absl::DeadlineExceededError("still runs");
  EXPECT_TRUE(absl::IsDeadlineExceeded(Enforce(&behind, &manager)));
  manager.stopped = absl::OkStatus();
  behind.proof = absl::DeadlineExceededError("a backend is left");
  EXPECT_TRUE(absl::IsDeadlineExceeded(Enforce(&behind, &manager)));
  behind.proof = absl::OkStatus();
  EXPECT_TRUE(Enforce(&behind, &manager).ok());
}

TEST(LedgerFenceStoreTest, ALostFileIsReadAsClosedWithTheLineagesOfTheLedger) {
  FenceRecord known;
  known.phase = FencePhase::kOpen;
  known.ledger = LedgerId("ledger-1");
  known.write = Lineage{"1", {1, 3}, HostId("sql1"), ShareId("s"), std::nullopt};
  HeldFence behind;
  behind.held = known;
  LedgerFenceStore store(&behind, LedgerId("ledger-1"), [&] { return known; });
  EXPECT_EQ(*store.Read(), known);
  behind.lost = true;
  const absl::StatusOr<FenceRecord> lost = store.Read();
  ASSERT_TRUE(lost.ok());
  EXPECT_EQ(lost->phase, FencePhase::kClosed);
  EXPECT_EQ(lost->write, known.write);
  LedgerFenceStore plain(&behind, LedgerId("ledger-1"));
  EXPECT_TRUE(absl::IsNotFound(plain.Read().status()));
}

}  // namespace
}  // namespace baton::agent
