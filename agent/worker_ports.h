// Ports of the core whose work blocks: each does it on a thread of its own.
#pragma once

#include <functional>
#include <vector>

#include "agent/chat/worker.h"
#include "agent/core/host_ports.h"
#include "agent/core/ports.h"

namespace baton::agent {

// A FenceStore that says in every record that it was written under this agent's ledger. Thread-safe
// as the store behind it.
class LedgerFenceStore : public FenceStore {
 public:
  LedgerFenceStore(FenceStore* behind, LedgerId ledger)
      : behind_(behind), ledger_(std::move(ledger)) {}

  absl::StatusOr<FenceRecord> Read() override { return behind_->Read(); }
  absl::Status Write(const FenceRecord& record) override;
  absl::Status PlaceStandbySignal() override { return behind_->PlaceStandbySignal(); }
  absl::Status ProveNothingRuns(absl::Duration timeout) override {
    return behind_->ProveNothingRuns(timeout);
  }
  absl::StatusOr<BootId> Boot() override { return behind_->Boot(); }

 private:
  FenceStore* behind_;
  const LedgerId ledger_;
};

// One resource's fence file. Thread-safe.
class FenceWorker : public FenceFile {
 public:
  explicit FenceWorker(FenceStore* store) : store_(store) {}
  void Read(std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) override;
  void Write(const FenceRecord& record, std::function<void(absl::Status)> done) override;

 private:
  FenceStore* store_;
  chat::Worker worker_;
};

// Ends what an agent before this one left behind, process group by process group. Thread-safe.
class LeftChildren : public Children {
 public:
  void End(std::vector<ChildProcess> children,
           std::function<void(std::vector<ChildProcess>)> done) override;

 private:
  chat::Worker worker_;
};

}  // namespace baton::agent
