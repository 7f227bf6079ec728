// The agent's ledger in SQLite: durable before it says so, checked before it is believed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/core/ports.h"
#include "agent/ledger/ledger_store.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/os/lock.h"

namespace baton {

// One writer thread drains whatever waits into one transaction (WAL, synchronous=FULL).
// Thread-safe; completions run on the writer thread, in the order of the calls.
class SqliteLedger : public Ledger {
 public:
  struct Options {
    std::string path;
    HostId host;
    const Clock* clock = nullptr;  // outlives the ledger
  };
  struct Opened {
    std::unique_ptr<SqliteLedger> ledger;
    Contents contents;
    // The damaged or foreign ledger that was there is under this name now; empty: there was none.
    std::string moved_aside;
    std::string why;  // what was wrong with it
  };
  // Opens the ledger, or begins a fresh one (mode 0600) when there is none or the one there is
  // corrupt or another host's. FAILED_PRECONDITION: another agent uses it. Other errors: the file
  // cannot be opened or written; nothing was moved.
  static absl::StatusOr<Opened> Open(const Options& options);
  // Writes what waits, then closes.
  ~SqliteLedger() override;

  void Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) override;

  // For threads that may block: returns when it is durable. A record that the ledger holds already
  // costs nothing.
  absl::Status RecordFence(const ResourceId& resource, const FenceRecord& record);
  // The last fence of `resource` that is durable here; none: never entered.
  std::optional<FenceRecord> Fence(const ResourceId& resource) const;
  // A child is about to act; forgotten once its command is Finished.
  absl::Status RecordChild(const ChildProcess& child);

 private:
  struct Job {
    std::vector<Entry> entries;
    std::vector<ChildProcess> children;
    std::function<void(absl::Status)> done;
  };

  SqliteLedger(FileLock lock, std::unique_ptr<LedgerStore> store, const Clock* clock,
               const Contents& contents);
  absl::Status WriteAndWait(Job job);
  void Enqueue(Job job);
  void Work();
  // Takes what waits; false: the end. Moves the log into the database when nothing came for long.
  bool NextBatch(std::vector<Job>& batch);
  absl::Status Commit(const std::vector<Job>& batch);

  FileLock lock_;
  std::unique_ptr<LedgerStore> store_;  // used on thread_ only
  const Clock* clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<ResourceId, FenceRecord> fences_ ABSL_GUARDED_BY(mutex_);  // durable
  std::thread thread_;
};

}  // namespace baton
