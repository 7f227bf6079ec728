#include "common/runtime/sqlite.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include <sqlite3.h>

#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

absl::Status ErrorOf(sqlite3* db, const std::string& path) {
  const int code = sqlite3_errcode(db);
  const std::string text = absl::StrCat(path, ": ", sqlite3_errmsg(db));
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::Status MakePrivate(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    const std::string text = absl::StrCat(path, ": cannot be opened: ", std::strerror(errno));
    return errno == EACCES ? absl::PermissionDeniedError(text) : absl::InternalError(text);
  }
  close(fd);
  return absl::OkStatus();
}

absl::Status CheckApplicationId(Sqlite& db, const std::string& path, int32_t wanted) {
  BATON_ASSIGN_OR_RETURN(SqliteStatement read, db.Prepare("PRAGMA application_id"));
  BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
  const int64_t found = row ? read.Int(0) : 0;
  if (found == wanted) return absl::OkStatus();
  BATON_ASSIGN_OR_RETURN(SqliteStatement tables, db.Prepare("SELECT count(*) FROM sqlite_schema"));
  BATON_ASSIGN_OR_RETURN(const bool counted, tables.Step());
  if (found == 0 && counted && tables.Int(0) == 0) {
    return db.Execute(absl::StrCat("PRAGMA application_id = ", wanted));
  }
  return absl::DataLossError(absl::StrCat(path, ": found application id ", found, ", wanted ",
                                          wanted, ": this file is not ours"));
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteStatement& SqliteStatement::Bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

SqliteStatement& SqliteStatement::BindText(int index, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int index, std::string_view value) {
  sqlite3_bind_blob64(statement_.get(), index, value.data() == nullptr ? "" : value.data(),
                      value.size(), SQLITE_TRANSIENT);
  return *this;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* db = sqlite3_db_handle(statement_.get());
  const char* path = sqlite3_db_filename(db, "main");
  absl::Status error = absl::OkStatus();
  if (code != SQLITE_DONE) error = ErrorOf(db, path == nullptr ? "database" : path);
  Reset();
  if (!error.ok()) return error;
  return false;
}

absl::Status SqliteStatement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  return row.status();
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string SqliteStatement::Text(int column) const { return Blob(column); }

std::string SqliteStatement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

absl::StatusOr<std::unique_ptr<Sqlite>> Sqlite::Open(const std::string& path,
                                                     int32_t application_id) {
  BATON_RETURN_IF_ERROR(MakePrivate(path));
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Sqlite> db(new Sqlite(raw, path));
  if (code != SQLITE_OK) return ErrorOf(raw, path);
  sqlite3_busy_timeout(raw, 2000);
  BATON_RETURN_IF_ERROR(CheckApplicationId(*db, path, application_id));
  BATON_RETURN_IF_ERROR(db->Execute("PRAGMA journal_mode = WAL"));
  BATON_RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL"));
  BATON_RETURN_IF_ERROR(db->Execute("PRAGMA foreign_keys = ON"));
  return db;
}

Sqlite::~Sqlite() { sqlite3_close_v2(db_); }

absl::Status Sqlite::CheckIntegrity() {
  BATON_ASSIGN_OR_RETURN(SqliteStatement check, Prepare("PRAGMA integrity_check(1)"));
  BATON_ASSIGN_OR_RETURN(const bool row, check.Step());
  const std::string finding = row ? check.Text(0) : "no answer";
  if (finding == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path_, ": integrity check found: ", finding));
}

absl::Status Sqlite::Execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return ErrorOf(db_, path_);
}

absl::StatusOr<SqliteStatement> Sqlite::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, nullptr) != SQLITE_OK) {
    return ErrorOf(db_, path_);
  }
  return SqliteStatement(statement);
}

}  // namespace baton
