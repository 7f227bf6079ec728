#include "agent/ledger/ledger_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "agent/ledger/checked_row.h"
#include "baton/internal/v1/ledger.pb.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/rpc/action_proto.h"
#include "common/rpc/protocol_proto.h"
#include "common/runtime/random.h"

namespace baton {
namespace {

constexpr int32_t kApplicationId = 0x42744c67;  // "BtLg"
constexpr int64_t kSchemaVersion = 1;

// A command has no outcome until it is Finished; `due` is when that was, in Unix seconds. Each sum
// is the checksum of a row's name and the columns before it.
constexpr char kTables[] = R"(
  CREATE TABLE head (name TEXT PRIMARY KEY, body BLOB, sum INTEGER) WITHOUT ROWID;
  CREATE TABLE epoch (name TEXT PRIMARY KEY, body BLOB, sum INTEGER) WITHOUT ROWID;
  CREATE TABLE fence (name TEXT PRIMARY KEY, body BLOB, sum INTEGER) WITHOUT ROWID;
  CREATE TABLE command (name TEXT PRIMARY KEY, body BLOB, sum INTEGER,
                        due INTEGER, outcome BLOB, outcome_sum INTEGER);
  CREATE INDEX command_due ON command (due);
  CREATE TABLE child (pid INTEGER, start_ticks INTEGER, command TEXT,
                      PRIMARY KEY (pid, start_ticks)) WITHOUT ROWID;
)";

constexpr char kHead[] = "head";

absl::Status BadRow(std::string_view table, const std::string& name, const absl::Status& why) {
  return absl::DataLossError(
      absl::StrCat("ledger table ", ToAbsl(table), ", row \"", name, "\": ", why.message()));
}

absl::Status ReadCommand(const std::string& body, Command* command) {
  internal::v1::LedgerCommand parsed;
  if (!parsed.ParseFromString(body)) return absl::DataLossError("not understood");
  BATON_ASSIGN_OR_RETURN(*command, FromProto(parsed.command()));
  return absl::OkStatus();
}

absl::Status ReadOutcome(const std::string& body, Outcome* outcome) {
  v1::Outcome parsed;
  if (!parsed.ParseFromString(body)) return absl::DataLossError("not understood");
  BATON_ASSIGN_OR_RETURN(*outcome, FromProto(parsed));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LedgerStore>> LedgerStore::Open(const std::string& path,
                                                               const HostId& host) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> db, Sqlite::Open(path, kApplicationId));
  std::unique_ptr<LedgerStore> store(new LedgerStore(std::move(db)));
  BATON_RETURN_IF_ERROR(store->Prepare(host));
  return store;
}

absl::Status LedgerStore::Prepare(const HostId& host) {
  BATON_RETURN_IF_ERROR(db_->CheckIntegrity());
  BATON_ASSIGN_OR_RETURN(SqliteStatement read, db_->Prepare("PRAGMA user_version"));
  BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
  const int64_t version = row ? read.Int(0) : -1;
  read.Reset();
  if (version == 0) return MakeTables(host);
  if (version != kSchemaVersion) {
    return absl::DataLossError(
        absl::StrCat("ledger has schema version ", version, ", wanted ", kSchemaVersion));
  }
  BATON_RETURN_IF_ERROR(LoadHead());
  if (host_ != host) {
    return absl::DataLossError(
        absl::StrCat("ledger belongs to host ", host_.value(), ", this is ", host.value()));
  }
  return absl::OkStatus();
}

absl::Status LedgerStore::MakeTables(const HostId& host) {
  id_ = LedgerId(RandomId());
  host_ = host;
  fresh_ = true;
  BATON_RETURN_IF_ERROR(Begin());
  BATON_RETURN_IF_ERROR(db_->Execute(kTables));
  BATON_RETURN_IF_ERROR(db_->Execute(absl::StrCat("PRAGMA user_version = ", kSchemaVersion)));
  BATON_RETURN_IF_ERROR(WriteHead());
  return Commit();
}

absl::Status LedgerStore::WriteHead() {
  internal::v1::LedgerHead head;
  head.set_ledger_id(id_.value());
  head.set_host(host_.value());
  head.set_session_counter(session_counter_);
  return PutRow(*db_, "head", kHead, head.SerializeAsString());
}

absl::Status LedgerStore::LoadHead() {
  BATON_ASSIGN_OR_RETURN(std::vector<CheckedRow> rows, AllRows(*db_, "head"));
  internal::v1::LedgerHead head;
  if (rows.size() != 1 || !head.ParseFromString(rows[0].body) || head.ledger_id().empty()) {
    return absl::DataLossError("ledger table head: found no ledger id");
  }
  id_ = LedgerId(head.ledger_id());
  host_ = HostId(head.host());
  session_counter_ = head.session_counter();
  return absl::OkStatus();
}

absl::StatusOr<Ledger::Contents> LedgerStore::Load() {
  Ledger::Contents contents;
  contents.id = id_;
  contents.fresh = fresh_;
  contents.session_counter = session_counter_;
  BATON_RETURN_IF_ERROR(LoadEpochs(contents));
  BATON_RETURN_IF_ERROR(LoadFences(contents));
  BATON_RETURN_IF_ERROR(LoadCommands(contents));
  BATON_RETURN_IF_ERROR(LoadChildren(contents));
  return contents;
}

absl::Status LedgerStore::LoadEpochs(Ledger::Contents& contents) {
  BATON_ASSIGN_OR_RETURN(std::vector<CheckedRow> rows, AllRows(*db_, "epoch"));
  for (const CheckedRow& row : rows) {
    internal::v1::LedgerEpoch epoch;
    if (!epoch.ParseFromString(row.body)) {
      return BadRow("epoch", row.name, absl::DataLossError("not understood"));
    }
    contents.epochs.emplace_back(PoolId(row.name), FromProto(epoch.epoch()));
    if (!epoch.journal_id().empty()) {
      contents.journals.emplace_back(PoolId(row.name), JournalId(epoch.journal_id()));
    }
  }
  return absl::OkStatus();
}

absl::Status LedgerStore::LoadFences(Ledger::Contents& contents) {
  BATON_ASSIGN_OR_RETURN(std::vector<CheckedRow> rows, AllRows(*db_, "fence"));
  for (const CheckedRow& row : rows) {
    absl::StatusOr<FenceRecord> record = ParseFenceRecord(row.body);
    if (!record.ok()) return BadRow("fence", row.name, record.status());
    contents.fences.emplace_back(ResourceId(row.name), *std::move(record));
  }
  return absl::OkStatus();
}

absl::Status LedgerStore::LoadCommands(Ledger::Contents& contents) {
  BATON_ASSIGN_OR_RETURN(
      SqliteStatement read,
      db_->Prepare("SELECT name, body, sum, due, coalesce(outcome, x''), outcome_sum FROM command "
                   "ORDER BY due, rowid"));
  while (true) {
    BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) return absl::OkStatus();
    const std::string name = read.Text(0);
    const std::string body = read.Blob(1);
    const std::string outcome = read.Blob(4);
    LedgerCommand entry;
    absl::Status good = CheckSum(name, 0, body, read.Int(2));
    if (good.ok()) good = ReadCommand(body, &entry.command);
    if (good.ok() && !outcome.empty()) {
      good = CheckSum(name, read.Int(3), outcome, read.Int(5));
      if (good.ok()) good = ReadOutcome(outcome, &entry.outcome.emplace());
    }
    if (!good.ok()) return BadRow("command", name, good);
    contents.commands.push_back(std::move(entry));
  }
}

absl::Status LedgerStore::LoadChildren(Ledger::Contents& contents) {
  BATON_ASSIGN_OR_RETURN(SqliteStatement read,
                         db_->Prepare("SELECT pid, start_ticks, command FROM child"));
  while (true) {
    BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) return absl::OkStatus();
    ChildProcess child;
    child.pid = read.Int(0);
    child.start_ticks = static_cast<uint64_t>(read.Int(1));
    child.command = CommandId(read.Text(2));
    contents.children.push_back(std::move(child));
  }
}

absl::Status LedgerStore::Apply(const Ledger::Entry& entry, absl::Time now) {
  return std::visit([&](const auto& fact) { return ApplyOne(fact, now); }, entry);
}

absl::Status LedgerStore::ApplyOne(const Ledger::CommandAccepted& fact, absl::Time) {
  internal::v1::LedgerCommand row;
  *row.mutable_command() = ToProto(fact.command);
  row.set_journal_id(fact.journal.value());
  return PutRow(*db_, "command", fact.command.id.value(), row.SerializeAsString());
}

absl::Status LedgerStore::ApplyOne(const Ledger::CommandFinished& fact, absl::Time now) {
  const std::string& name = fact.command.value();
  const std::string body = ToProto(fact.outcome).SerializeAsString();
  const int64_t due = absl::ToUnixSeconds(now);
  BATON_ASSIGN_OR_RETURN(SqliteStatement put,
                         db_->Prepare("UPDATE command SET due = ?2, outcome = ?3, outcome_sum = ?4 "
                                      "WHERE name = ?1 AND outcome IS NULL"));
  put.BindText(1, name).Bind(2, due).BindBlob(3, body).Bind(4, SumOf(name, due, body));
  BATON_RETURN_IF_ERROR(put.Run());
  BATON_ASSIGN_OR_RETURN(SqliteStatement forget,
                         db_->Prepare("DELETE FROM child WHERE command = ?1"));
  return forget.BindText(1, name).Run();
}

absl::Status LedgerStore::ApplyOne(const Ledger::EpochSeen& fact, absl::Time) {
  BATON_ASSIGN_OR_RETURN(std::vector<CheckedRow> rows, AllRows(*db_, "epoch"));
  internal::v1::LedgerEpoch row;
  for (const CheckedRow& held : rows) {
    if (held.name == fact.pool.value() && !row.ParseFromString(held.body)) {
      return BadRow("epoch", held.name, absl::DataLossError("not understood"));
    }
  }
  const Epoch seen = FromProto(row.epoch());
  if (!fact.journal.empty() &&
      (row.journal_id().empty() || fact.epoch.generation > seen.generation)) {
    row.set_journal_id(fact.journal.value());
  }
  *row.mutable_epoch() = ToProto(std::max(seen, fact.epoch));
  return PutRow(*db_, "epoch", fact.pool.value(), row.SerializeAsString());
}

absl::Status LedgerStore::ApplyOne(const Ledger::FenceWritten& fact, absl::Time) {
  return PutRow(*db_, "fence", fact.resource.value(), FormatFenceRecord(fact.record));
}

absl::Status LedgerStore::ApplyOne(const Ledger::SessionOpened& fact, absl::Time) {
  session_counter_ = std::max(session_counter_, fact.counter);
  return WriteHead();
}

absl::Status LedgerStore::AddChild(const ChildProcess& child) {
  BATON_ASSIGN_OR_RETURN(SqliteStatement put,
                         db_->Prepare("INSERT OR REPLACE INTO child VALUES (?1, ?2, ?3)"));
  return put.Bind(1, child.pid)
      .Bind(2, static_cast<int64_t>(child.start_ticks))
      .BindText(3, child.command.value())
      .Run();
}

absl::Status LedgerStore::Prune(absl::Time now) {
  const int64_t oldest = absl::ToUnixSeconds(now - kLedgerTimeKept);
  return db_->Execute(absl::StrCat("DELETE FROM command WHERE outcome IS NOT NULL AND (due < ",
                                   oldest,
                                   " OR name IN (SELECT name FROM command WHERE outcome IS NOT "
                                   "NULL ORDER BY due DESC, rowid DESC "
                                   "LIMIT -1 OFFSET ",
                                   kLedgerCommandsKept, "))"));
}

absl::Status LedgerStore::Checkpoint() { return db_->Execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace baton
