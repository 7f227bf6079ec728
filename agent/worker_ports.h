// Ports of the core whose work blocks: each does it on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/chat/worker.h"
#include "agent/core/host_ports.h"
#include "agent/core/ports.h"
#include "common/base/mutex.h"

namespace baton::agent {

// A FenceStore that says in every record that it was written under this agent's ledger. Thread-safe
// as the store behind it.
class LedgerFenceStore : public FenceStore {
 public:
  // What the ledger holds of this fence; none: nothing.
  using EnteredFunction = std::function<std::optional<FenceRecord>()>;

  // With `entered`, Read makes good what a lost file held (WithoutFile, agent/core/reconcile.h).
  // `before_open` sees to it that a supervisor is there: one that begins later takes what it finds
  // open for a remnant, and unconfirms it.
  LedgerFenceStore(FenceStore* behind, LedgerId ledger, EnteredFunction entered = nullptr,
                   std::function<void()> before_open = nullptr)
      : behind_(behind),
        ledger_(std::move(ledger)),
        entered_(std::move(entered)),
        before_open_(std::move(before_open)) {}

  absl::StatusOr<FenceRecord> Read() override;
  absl::Status Write(const FenceRecord& record) override;
  absl::Status PlaceStandbySignal() override { return behind_->PlaceStandbySignal(); }
  absl::Status ProveNothingRuns(absl::Duration timeout) override {
    return behind_->ProveNothingRuns(timeout);
  }
  absl::StatusOr<BootId> Boot() override { return behind_->Boot(); }

 private:
  FenceStore* behind_;
  const LedgerId ledger_;
  const EnteredFunction entered_;
  const std::function<void()> before_open_;
};

// Which command a resource's runner carries out, if any. Thread-safe.
class RunningCommand {
 public:
  void Set(const CommandId& id);
  CommandId Get() const;

 private:
  mutable Mutex mutex_;
  CommandId id_ ABSL_GUARDED_BY(mutex_);
};

// One resource's fence file. Thread-safe.
class FenceWorker : public FenceFile {
 public:
  // `data_directory` of a PostgreSQL database; empty: of something else.
  FenceWorker(FenceStore* store, ServiceManager* service, std::string data_directory)
      : store_(store), service_(service), data_directory_(std::move(data_directory)) {}
  void Read(std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) override;
  void Write(const FenceRecord& record, std::function<void(absl::Status)> done) override;
  void Enforce(std::function<void(absl::Status)> done) override;

 private:
  absl::Status EnforceNow() const;
  // An empty directory stays empty: it is to be seeded.
  void PlaceStandbySignal(const FenceRecord& record) const;

  FenceStore* store_;
  ServiceManager* service_;
  const std::string data_directory_;
  chat::Worker worker_;
};

// A runner of which it is known what it runs. Thread-safe.
class NotedRunner : public ActionRunner {
 public:
  NotedRunner(std::unique_ptr<ActionRunner> behind, std::shared_ptr<RunningCommand> running)
      : behind_(std::move(behind)), running_(std::move(running)) {}
  void Start(const Command& command, std::function<void(Progress)> progress,
             std::function<void(Outcome)> done) override;
  void Cancel(const CommandId& id) override { behind_->Cancel(id); }
  void Look(const Command& command, std::function<void(Outcome)> done) override {
    behind_->Look(command, std::move(done));
  }
  void Check(const Action& action, std::function<void(Outcome)> done) override {
    behind_->Check(action, std::move(done));
  }

 private:
  std::unique_ptr<ActionRunner> behind_;
  std::shared_ptr<RunningCommand> running_;
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
