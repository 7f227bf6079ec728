// The journal in a SQLite file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/scheduler.h"
#include "coordinator/executor/ports.h"
#include "coordinator/journal/record_store.h"

namespace baton {

// Appends on a thread of its own, which drains what is queued into one transaction: many appends
// share one sync, and a single one waits for nobody. Completions run on the loop, in order.
// `clock` and `loop` must outlive it.
class SqliteJournal : public Journal {
 public:
  // Errors as RecordStore::Open.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const std::string& path,
                                                             const Clock& clock, Scheduler& loop);
  // What is queued is written first; its completions are posted.
  ~SqliteJournal() override;

  const JournalId& id() const { return id_; }

  // Calls `each` with every record, in order. Before the first Append only.
  absl::Status ReadAll(const std::function<void(const Record&)>& each);

  void Append(std::vector<Fact> facts,
              std::function<void(absl::StatusOr<std::vector<Record>>)> done) override;

  // Records from `first` on, at most `count`; after everything appended before this call. `done`
  // runs on the loop.
  void Read(uint64_t first, size_t count,
            std::function<void(absl::StatusOr<std::vector<Record>>)> done);

 private:
  using Done = std::function<void(absl::StatusOr<std::vector<Record>>)>;
  struct Work {
    std::vector<Record> append;  // empty: a read
    uint64_t first = 0;
    size_t count = 0;
    Done done;
  };

  SqliteJournal(std::unique_ptr<RecordStore> store, const Clock& clock, Scheduler& loop);
  void Enqueue(Work work);
  void Run();
  // Writes the appends of `batch` in one transaction.
  void Write(std::vector<Work>& batch);
  void Finish(Work& work, absl::StatusOr<std::vector<Record>> result);

  const JournalId id_;
  const Clock& clock_;
  Scheduler& loop_;
  std::unique_ptr<RecordStore> store_;  // the thread's, once it runs
  absl::Status failure_;                // the thread's; sticks

  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Work> queue_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace baton
