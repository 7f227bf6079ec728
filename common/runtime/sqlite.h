// SQLite for the two things that must survive: journal and ledger.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace baton {

// A prepared statement. Bind from 1, step, read columns from 0. Errors of Bind show at Step.
// Thread-compatible; must not outlive its database.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  SqliteStatement& Bind(int index, int64_t value);
  SqliteStatement& BindText(int index, std::string_view value);
  SqliteStatement& BindBlob(int index, std::string_view value);
  // True: a row is there. False: done, and ready to be bound and run again.
  absl::StatusOr<bool> Step();
  // Runs to the end, whatever rows come, and is ready to be run again.
  absl::Status Run();
  void Reset();

  int64_t Int(int column) const;
  std::string Text(int column) const;
  std::string Blob(int column) const;

 private:
  friend class Sqlite;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One connection. Every commit is on disk when Commit returns (WAL, synchronous=FULL). One thread
// at a time. Errors: DATA_LOSS for a corrupt or foreign file, RESOURCE_EXHAUSTED for a full disk,
// UNAVAILABLE for a locked one, INTERNAL otherwise; all name the file.
class Sqlite {
 public:
  // Opens or makes `path`, mode 0600. `application_id` marks the file as ours: another one is
  // DATA_LOSS.
  static absl::StatusOr<std::unique_ptr<Sqlite>> Open(const std::string& path,
                                                      int32_t application_id);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // Every page and index in order; DATA_LOSS with SQLite's first finding otherwise.
  absl::Status CheckIntegrity();
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<SqliteStatement> Prepare(std::string_view sql);
  absl::Status Begin() { return Execute("BEGIN IMMEDIATE"); }
  absl::Status Commit() { return Execute("COMMIT"); }
  absl::Status Rollback() { return Execute("ROLLBACK"); }

 private:
  Sqlite(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  sqlite3* db_;
  std::string path_;
};

}  // namespace baton
