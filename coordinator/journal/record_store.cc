#include "coordinator/journal/record_store.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/crc32c.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/file.h"
#include "common/runtime/random.h"
#include "coordinator/wire/record_proto.h"

namespace baton {
namespace {

constexpr int32_t kApplicationId = 0x42544a31;  // "BTJ1"
constexpr int64_t kSchemaVersion = 1;
constexpr char kWayOut[] =
    "; restore the file from a copy, or move it away, start with a new journal and run `baton "
    "adopt POOL --reason ...` for each pool";

// Of the record and everything before it: a record that is gone, exchanged or moved shows in all
// that follow.
uint32_t Checksum(uint32_t before, uint64_t sequence, std::string_view body) {
  char number[8];
  for (int i = 0; i < 8; ++i) number[i] = static_cast<char>(sequence >> (8 * i));
  return Crc32c(body, Crc32c(std::string_view(number, sizeof(number)), before));
}

std::string LockPath(const std::string& path) { return absl::StrCat(path, ".lock"); }

absl::StatusOr<FileLock> TakeLock(const std::string& path) {
  absl::StatusOr<FileLock> lock =
      FileLock::Take(LockPath(path), LockMode::kExclusive, absl::ZeroDuration());
  if (lock.ok()) return lock;
  if (!absl::IsDeadlineExceeded(lock.status())) {
    return absl::Status(lock.status().code(),
                        absl::StrCat("journal ", path, ": ", lock.status().message(),
                                     "; its folder must exist and be this user's"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("journal ", path, ": another coordinator has it open (",
                   ToAbsl(ToStd(lock.status().message())),
                   "); a journal serves one coordinator: end the other one first"));
}

// A new journal comes into being whole, by rename: a file that is there is never an unfinished one.
absl::Status Create(const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".new");
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::remove(absl::StrCat(temporary, suffix).c_str());
  }
  {
    BATON_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> db, Sqlite::Open(temporary, kApplicationId));
    BATON_RETURN_IF_ERROR(db->Begin());
    BATON_RETURN_IF_ERROR(
        db->Execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"));
    BATON_RETURN_IF_ERROR(
        db->Execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, "
                    "checksum INTEGER NOT NULL)"));
    BATON_RETURN_IF_ERROR(
        db->Execute(absl::StrCat("INSERT INTO meta VALUES ('schema_version', '", kSchemaVersion,
                                 "'), ('journal_id', '", RandomId(), "')")));
    BATON_RETURN_IF_ERROR(db->Commit());
    BATON_RETURN_IF_ERROR(db->Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::InternalError(
        absl::StrCat("journal ", path, ": cannot be made: ", std::strerror(errno)));
  }
  return SyncDirectory(DirectoryOf(path));
}

// What SQLite would take for a new, empty database must not become one.
absl::Status CheckFiles(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT) {
      return absl::InternalError(absl::StrCat("journal ", path, ": ", std::strerror(errno)));
    }
    BATON_ASSIGN_OR_RETURN(const bool log_left, Exists(absl::StrCat(path, "-wal")));
    if (log_left) {
      return absl::DataLossError(absl::StrCat("journal ", path, ": the file is missing, but ", path,
                                              "-wal, which belongs to it, is there", kWayOut));
    }
    return absl::NotFoundError(path);
  }
  if (!S_ISREG(found.st_mode)) {
    return absl::DataLossError(absl::StrCat("journal ", path, ": found no regular file", kWayOut));
  }
  if (found.st_size < 512) {
    return absl::DataLossError(absl::StrCat("journal ", path, ": found ", found.st_size,
                                            " bytes, wanted a whole database", kWayOut));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordStore>> RecordStore::Open(const std::string& path) {
  BATON_ASSIGN_OR_RETURN(FileLock lock, TakeLock(path));
  const absl::Status files = CheckFiles(path);
  if (absl::IsNotFound(files)) {
    BATON_RETURN_IF_ERROR(Create(path));
  } else if (!files.ok()) {
    return files;
  }
  absl::StatusOr<std::unique_ptr<Sqlite>> db = Sqlite::Open(path, kApplicationId);
  absl::Status status = db.status();
  std::unique_ptr<RecordStore> store;
  if (status.ok()) {
    store.reset(new RecordStore(path, std::move(lock), *std::move(db)));
    status = store->db_->CheckIntegrity();
    if (status.ok()) status = store->ReadMeta();
    if (status.ok()) status = store->CheckRecords();
  }
  if (absl::IsDataLoss(status) && status.message().find("baton adopt") == std::string::npos) {
    return absl::DataLossError(absl::StrCat("journal ", status.message(), kWayOut));
  }
  if (!status.ok()) return status;
  BATON_ASSIGN_OR_RETURN(store->insert_,
                         store->db_->Prepare("INSERT INTO records VALUES (?, ?, ?)"));
  return store;
}

absl::Status RecordStore::Damaged(const std::string& found) const {
  return absl::DataLossError(absl::StrCat("journal ", path_, ": ", found, kWayOut));
}

absl::Status RecordStore::ReadMeta() {
  BATON_ASSIGN_OR_RETURN(SqliteStatement read, db_->Prepare("SELECT key, value FROM meta"));
  std::string version;
  for (;;) {
    BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) break;
    if (read.Text(0) == "schema_version") version = read.Text(1);
    if (read.Text(0) == "journal_id") id_ = JournalId(read.Text(1));
  }
  if (version.empty() || id_.empty()) return Damaged("its version or its id is missing");
  if (version == absl::StrCat(kSchemaVersion)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("journal ", path_, ": found schema version ", version, ", wanted ",
                   kSchemaVersion, "; run the version of baton-coordinator that wrote it"));
}

absl::StatusOr<Record> RecordStore::Decode(uint64_t sequence, const std::string& body) const {
  internal::v1::Record proto;
  if (!proto.ParseFromString(body)) {
    return Damaged(absl::StrCat("record ", sequence, " is not understood"));
  }
  absl::StatusOr<Record> record = FromProto(proto);
  if (!record.ok()) {
    return Damaged(absl::StrCat("record ", sequence,
                                " is not understood: ", ToAbsl(ToStd(record.status().message()))));
  }
  if (record->sequence != sequence) {
    return Damaged(absl::StrCat("record ", sequence, " says that it is record ", record->sequence));
  }
  return record;
}

absl::Status RecordStore::CheckRecords() {
  BATON_ASSIGN_OR_RETURN(
      SqliteStatement read,
      db_->Prepare("SELECT sequence, body, checksum FROM records ORDER BY sequence"));
  for (;;) {
    BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) return absl::OkStatus();
    const auto sequence = static_cast<uint64_t>(read.Int(0));
    if (sequence != last_sequence_ + 1) {
      return Damaged(absl::StrCat("record ", last_sequence_ + 1, " is missing, found ", sequence));
    }
    const std::string body = read.Blob(1);
    const uint32_t wanted = Checksum(last_checksum_, sequence, body);
    if (read.Int(2) != int64_t{wanted}) {
      return Damaged(
          absl::StrCat("record ", sequence, " has checksum ", read.Int(2), ", wanted ", wanted));
    }
    BATON_RETURN_IF_ERROR(Decode(sequence, body).status());
    last_sequence_ = sequence;
    last_checksum_ = wanted;
  }
}

absl::StatusOr<std::vector<Record>> RecordStore::Read(uint64_t first, size_t count) {
  BATON_ASSIGN_OR_RETURN(SqliteStatement read,
                         db_->Prepare("SELECT sequence, body FROM records WHERE sequence >= ? "
                                      "ORDER BY sequence LIMIT ?"));
  read.Bind(1, static_cast<int64_t>(first)).Bind(2, static_cast<int64_t>(count));
  std::vector<Record> records;
  for (;;) {
    BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) return records;
    BATON_ASSIGN_OR_RETURN(Record record, Decode(static_cast<uint64_t>(read.Int(0)), read.Blob(1)));
    records.push_back(std::move(record));
  }
}

absl::Status RecordStore::Insert(Record& record) {
  record.sequence = last_sequence_ + 1;
  const std::string body = ToProto(record).SerializeAsString();
  BATON_ASSIGN_OR_RETURN(record, Decode(record.sequence, body));
  const uint32_t checksum = Checksum(last_checksum_, record.sequence, body);
  insert_.Bind(1, static_cast<int64_t>(record.sequence)).BindBlob(2, body).Bind(3, checksum);
  BATON_RETURN_IF_ERROR(insert_.Run());
  last_sequence_ = record.sequence;
  last_checksum_ = checksum;
  return absl::OkStatus();
}

absl::Status RecordStore::Append(std::vector<Record>& records) {
  BATON_RETURN_IF_ERROR(db_->Begin());
  for (Record& record : records) {
    const absl::Status inserted = Insert(record);
    if (inserted.ok()) continue;
    const absl::Status undone = db_->Rollback();
    return undone.ok() ? inserted
                       : absl::Status(inserted.code(),
                                      absl::StrCat(inserted.message(), "; ", undone.message()));
  }
  return db_->Commit();
}

}  // namespace baton
