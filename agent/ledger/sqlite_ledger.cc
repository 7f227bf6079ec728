#include "agent/ledger/sqlite_ledger.h"

#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton {
namespace {

constexpr absl::Duration kIdle = absl::Seconds(1);
constexpr int kFinishedPerPrune = 256;

// The files of the ledger at `path`, under a name that says what they are. Returns that name.
absl::StatusOr<std::string> MoveAside(const std::string& path, absl::Time now) {
  const std::string stamp = absl::FormatTime("%Y%m%dT%H%M%E6SZ", now, absl::UTCTimeZone());
  const std::string aside = absl::StrCat(path, ".damaged-", stamp);
  for (const char* part : {"-wal", "-shm", ""}) {
    const std::string from = absl::StrCat(path, part);
    const std::string to = absl::StrCat(aside, part);
    if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(errno, "cannot move aside", from);
    }
  }
  BATON_RETURN_IF_ERROR(SyncDirectory(DirectoryOf(path)));
  return aside;
}

struct Loaded {
  std::unique_ptr<LedgerStore> store;
  Ledger::Contents contents;
};

absl::StatusOr<Loaded> OpenAndLoad(const SqliteLedger::Options& options) {
  Loaded loaded;
  BATON_ASSIGN_OR_RETURN(loaded.store, LedgerStore::Open(options.path, options.host));
  BATON_RETURN_IF_ERROR(loaded.store->Prune(options.clock->Now()));
  BATON_ASSIGN_OR_RETURN(loaded.contents, loaded.store->Load());
  // From here on damage shows in the database's own pages and rows, not in a log cut short.
  BATON_RETURN_IF_ERROR(loaded.store->Checkpoint());
  return loaded;
}

absl::StatusOr<FileLock> LockOf(const SqliteLedger::Options& options) {
  absl::StatusOr<FileLock> lock =
      FileLock::Take(options.path + ".lock", LockMode::kExclusive, absl::ZeroDuration());
  if (lock.ok() || lock.status().code() != absl::StatusCode::kDeadlineExceeded) return lock;
  return absl::FailedPreconditionError(
      absl::StrCat("another agent uses the ledger ", options.path, " (", lock.status().message(),
                   "); end that one first, or give this host a ledger of its own"));
}

}  // namespace

absl::StatusOr<SqliteLedger::Opened> SqliteLedger::Open(const Options& options) {
  BATON_RETURN_IF_ERROR(MakeDirectories(DirectoryOf(options.path), 0700));
  BATON_ASSIGN_OR_RETURN(FileLock lock, LockOf(options));
  Opened opened;
  absl::StatusOr<Loaded> loaded = OpenAndLoad(options);
  if (!loaded.ok() && loaded.status().code() == absl::StatusCode::kDataLoss) {
    opened.why = std::string(loaded.status().message());
    BATON_ASSIGN_OR_RETURN(opened.moved_aside, MoveAside(options.path, options.clock->Now()));
    loaded = OpenAndLoad(options);
  }
  BATON_RETURN_IF_ERROR(loaded.status());
  opened.contents = std::move(loaded->contents);
  opened.ledger.reset(
      new SqliteLedger(std::move(lock), std::move(loaded->store), options.clock, opened.contents));
  return opened;
}

SqliteLedger::SqliteLedger(FileLock lock, std::unique_ptr<LedgerStore> store, const Clock* clock,
                           const Contents& contents)
    : lock_(std::move(lock)), store_(std::move(store)), clock_(clock) {
  for (const auto& [resource, record] : contents.fences) fences_[resource] = record;
  thread_ = std::thread([this] { Work(); });
}

SqliteLedger::~SqliteLedger() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void SqliteLedger::Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) {
  Enqueue({std::move(entries), {}, std::move(done)});
}

absl::Status SqliteLedger::RecordFence(const ResourceId& resource, const FenceRecord& record) {
  {
    MutexLock lock(&mutex_);
    const auto held = fences_.find(resource);
    if (held != fences_.end() && held->second == record) return absl::OkStatus();
  }
  return WriteAndWait({{FenceWritten{resource, record}}, {}, nullptr});
}

std::optional<FenceRecord> SqliteLedger::Fence(const ResourceId& resource) const {
  MutexLock lock(&mutex_);
  const auto held = fences_.find(resource);
  if (held == fences_.end()) return std::nullopt;
  return held->second;
}

absl::Status SqliteLedger::RecordChild(const ChildProcess& child) {
  return WriteAndWait({{}, {child}, nullptr});
}

absl::Status SqliteLedger::WriteAndWait(Job job) {
  struct Answer {
    Mutex mutex;
    CondVar came;
    std::optional<absl::Status> status ABSL_GUARDED_BY(mutex);
  } answer;
  job.done = [&answer](absl::Status status) {
    MutexLock lock(&answer.mutex);
    answer.status = std::move(status);
    answer.came.SignalAll();
  };
  Enqueue(std::move(job));
  MutexLock lock(&answer.mutex);
  while (!answer.status.has_value()) answer.came.Wait(&answer.mutex);
  return *answer.status;
}

void SqliteLedger::Enqueue(Job job) {
  {
    MutexLock lock(&mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.SignalAll();
}

bool SqliteLedger::NextBatch(std::vector<Job>& batch) {
  batch.clear();
  bool written = true;  // since the last checkpoint
  MutexLock lock(&mutex_);
  while (queue_.empty()) {
    if (ending_) return false;
    if (!written) {
      changed_.Wait(&mutex_);
    } else if (!changed_.WaitFor(&mutex_, kIdle) && queue_.empty() && !ending_) {
      written = false;
      mutex_.Unlock();
      // Best effort: the log is durable as it is.
      (void)store_->Checkpoint();
      mutex_.Lock();
    }
  }
  batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
  queue_.clear();
  return true;
}

void SqliteLedger::Work() {
  std::vector<Job> batch;
  int finished = 0;
  while (NextBatch(batch)) {
    const absl::Status status = Commit(batch);
    for (const Job& job : batch) {
      for (const Entry& entry : job.entries) {
        finished += std::holds_alternative<CommandFinished>(entry) ? 1 : 0;
        const auto* fence = std::get_if<FenceWritten>(&entry);
        if (!status.ok() || fence == nullptr) continue;
        MutexLock lock(&mutex_);
        fences_[fence->resource] = fence->record;
      }
      job.done(status);
    }
    if (finished < kFinishedPerPrune) continue;
    finished = 0;
    // Best effort: what stays longer than it must does no harm.
    (void)store_->Prune(clock_->Now());
  }
}

absl::Status SqliteLedger::Commit(const std::vector<Job>& batch) {
  const absl::Time now = clock_->Now();
  BATON_RETURN_IF_ERROR(store_->Begin());
  absl::Status status = absl::OkStatus();
  for (const Job& job : batch) {
    for (const Entry& entry : job.entries) {
      if (status.ok()) status = store_->Apply(entry, now);
    }
    for (const ChildProcess& child : job.children) {
      if (status.ok()) status = store_->AddChild(child);
    }
  }
  if (status.ok()) status = store_->Commit();
  // After a failed COMMIT nothing may be left open for the next batch to build on.
  if (!status.ok()) (void)store_->Rollback();
  return status;
}

}  // namespace baton
