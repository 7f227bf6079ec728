// The ledger's tables. Every row carries a checksum of all it says: SQLite's own check finds broken
// pages, not altered bytes.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/core/ports.h"
#include "common/runtime/sqlite.h"

namespace baton {

inline constexpr int kLedgerCommandsKept = 2000;  // finished ones
inline constexpr absl::Duration kLedgerTimeKept = absl::Hours(24);

// Used by one thread at a time. Changes take place between Begin and Commit.
class LedgerStore {
 public:
  // DATA_LOSS: the file is damaged, of an unknown version, or keeps the ledger of another host.
  static absl::StatusOr<std::unique_ptr<LedgerStore>> Open(const std::string& path,
                                                           const HostId& host);

  // All of it. DATA_LOSS: a row is not what was written.
  absl::StatusOr<Ledger::Contents> Load();

  absl::Status Begin() { return db_->Begin(); }
  absl::Status Commit() { return db_->Commit(); }
  absl::Status Rollback() { return db_->Rollback(); }
  // `now` is wall time: when a command ended.
  absl::Status Apply(const Ledger::Entry& entry, absl::Time now);
  absl::Status AddChild(const ChildProcess& child);
  // Drops finished commands that are older than kLedgerTimeKept or more than kLedgerCommandsKept.
  absl::Status Prune(absl::Time now);
  // Moves the write-ahead log into the database and empties it.
  absl::Status Checkpoint();

 private:
  explicit LedgerStore(std::unique_ptr<Sqlite> db) : db_(std::move(db)) {}
  absl::Status Prepare(const HostId& host);
  absl::Status MakeTables(const HostId& host);
  absl::Status LoadHead();
  absl::Status WriteHead();
  absl::Status LoadEpochs(Ledger::Contents& contents);
  absl::Status LoadFences(Ledger::Contents& contents);
  absl::Status LoadCommands(Ledger::Contents& contents);
  absl::Status LoadChildren(Ledger::Contents& contents);

  absl::Status ApplyOne(const Ledger::CommandAccepted& fact, absl::Time now);
  absl::Status ApplyOne(const Ledger::CommandFinished& fact, absl::Time now);
  absl::Status ApplyOne(const Ledger::EpochSeen& fact, absl::Time now);
  absl::Status ApplyOne(const Ledger::FenceWritten& fact, absl::Time now);
  absl::Status ApplyOne(const Ledger::SessionOpened& fact, absl::Time now);

  std::unique_ptr<Sqlite> db_;
  LedgerId id_;
  HostId host_;
  uint64_t session_counter_ = 0;
  bool fresh_ = false;
};

}  // namespace baton
