// The journal's file: checked when it is opened, appended to in whole transactions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/os/lock.h"
#include "common/protocol/ids.h"
#include "common/runtime/sqlite.h"
#include "coordinator/executor/record.h"

namespace baton {

// An open journal file, locked against other coordinators. One thread at a time.
class RecordStore {
 public:
  // Opens the journal at `path`, or makes a new one with a new random id where there is none, and
  // checks all of it: SQLite's own integrity, schema version, no gap in the sequence, each record's
  // checksum (which also covers everything before it) and meaning.
  // DATA_LOSS: truncated, corrupt, or not a journal. FAILED_PRECONDITION: another coordinator has
  // it, or it was written by a later version. Each names the file, what was found and what to do;
  // the file is left as it was found.
  static absl::StatusOr<std::unique_ptr<RecordStore>> Open(const std::string& path);

  const JournalId& id() const { return id_; }
  uint64_t last_sequence() const { return last_sequence_; }

  // Records from `first` on, in order, at most `count`. DATA_LOSS as in Open.
  absl::StatusOr<std::vector<Record>> Read(uint64_t first, size_t count);

  // Appends `records`, which carry their time; numbers them and leaves them exactly as they will
  // read back. On disk when it returns OK. After an error the store must not be written to again:
  // nobody knows what the disk holds.
  absl::Status Append(std::vector<Record>& records);

 private:
  RecordStore(std::string path, FileLock lock, std::unique_ptr<Sqlite> db)
      : path_(std::move(path)), lock_(std::move(lock)), db_(std::move(db)) {}

  absl::Status ReadMeta();
  absl::Status CheckRecords();
  absl::Status Insert(Record& record);
  absl::StatusOr<Record> Decode(uint64_t sequence, const std::string& body) const;
  // DATA_LOSS with what to do.
  absl::Status Damaged(const std::string& found) const;

  std::string path_;
  FileLock lock_;
  std::unique_ptr<Sqlite> db_;
  SqliteStatement insert_;
  JournalId id_;
  uint64_t last_sequence_ = 0;
  uint32_t last_checksum_ = 0;
};

}  // namespace baton
