#include "coordinator/journal/sqlite_journal.h"

#include "common/base/status_macros.h"

namespace baton {
namespace {

constexpr size_t kReplayChunk = 512;

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::string& path,
                                                                   const Clock& clock,
                                                                   Scheduler& loop) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<RecordStore> store, RecordStore::Open(path));
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(store), clock, loop));
}

SqliteJournal::SqliteJournal(std::unique_ptr<RecordStore> store, const Clock& clock,
                             Scheduler& loop)
    : id_(store->id()), clock_(clock), loop_(loop), store_(std::move(store)) {
  thread_ = std::thread([this] { Run(); });
}

SqliteJournal::~SqliteJournal() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.SignalAll();
  }
  thread_.join();
}

// The thread touches the store only for queued work, and there is none yet.
absl::Status SqliteJournal::ReadAll(const std::function<void(const Record&)>& each) {
  for (uint64_t next = 1; next <= store_->last_sequence();) {
    BATON_ASSIGN_OR_RETURN(const std::vector<Record> records, store_->Read(next, kReplayChunk));
    for (const Record& record : records) each(record);
    next += records.size();
  }
  return absl::OkStatus();
}

void SqliteJournal::Append(std::vector<Fact> facts, Done done) {
  Work work;
  const absl::Time now = clock_.Now();
  for (Fact& fact : facts) {
    Record record;
    record.time = now;
    record.fact = std::move(fact);
    work.append.push_back(std::move(record));
  }
  work.done = std::move(done);
  Enqueue(std::move(work));
}

void SqliteJournal::Read(uint64_t first, size_t count, Done done) {
  Work work;
  work.first = first;
  work.count = count;
  work.done = std::move(done);
  Enqueue(std::move(work));
}

void SqliteJournal::Enqueue(Work work) {
  MutexLock lock(&mutex_);
  queue_.push_back(std::move(work));
  wake_.SignalAll();
}

void SqliteJournal::Run() {
  for (;;) {
    std::vector<Work> batch;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) wake_.Wait(&mutex_);
      if (queue_.empty()) return;
      for (Work& work : queue_) batch.push_back(std::move(work));
      queue_.clear();
    }
    Write(batch);
  }
}

void SqliteJournal::Write(std::vector<Work>& batch) {
  std::vector<Record> records;
  for (const Work& work : batch) {
    records.insert(records.end(), work.append.begin(), work.append.end());
  }
  if (failure_.ok() && !records.empty()) failure_ = store_->Append(records);
  size_t next = 0;
  for (Work& work : batch) {
    if (!failure_.ok()) {
      Finish(work, failure_);
    } else if (work.count > 0) {
      Finish(work, store_->Read(work.first, work.count));
    } else {
      const auto begin = records.begin() + static_cast<std::ptrdiff_t>(next);
      next += work.append.size();
      Finish(work,
             std::vector<Record>(begin, begin + static_cast<std::ptrdiff_t>(work.append.size())));
    }
  }
}

void SqliteJournal::Finish(Work& work, absl::StatusOr<std::vector<Record>> result) {
  loop_.Post([done = std::move(work.done), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

}  // namespace baton
