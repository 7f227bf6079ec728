#include "agent/ledger/checked_row.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/crc32c.h"
#include "common/base/status_macros.h"

namespace baton {

int64_t SumOf(std::string_view name, int64_t number, std::string_view body) {
  const std::string frame = absl::StrCat(name.size(), " ", number, " ");
  return Crc32c(body, Crc32c(name, Crc32c(frame)));
}

absl::Status CheckSum(std::string_view name, int64_t number, std::string_view body, int64_t sum) {
  if (SumOf(name, number, body) == sum) return absl::OkStatus();
  return absl::DataLossError("its checksum is wrong");
}

absl::Status PutRow(Sqlite& db, const std::string& table, std::string_view name,
                    std::string_view body) {
  BATON_ASSIGN_OR_RETURN(SqliteStatement put,
                         db.Prepare(absl::StrCat("INSERT OR REPLACE INTO ", table,
                                                 " (name, body, sum) VALUES (?1, ?2, ?3)")));
  return put.BindText(1, name).BindBlob(2, body).Bind(3, SumOf(name, 0, body)).Run();
}

absl::StatusOr<std::vector<CheckedRow>> AllRows(Sqlite& db, const std::string& table) {
  BATON_ASSIGN_OR_RETURN(SqliteStatement read,
                         db.Prepare(absl::StrCat("SELECT name, body, sum FROM ", table)));
  std::vector<CheckedRow> rows;
  while (true) {
    BATON_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) return rows;
    CheckedRow held;
    held.name = read.Text(0);
    held.body = read.Blob(1);
    absl::Status good = CheckSum(held.name, 0, held.body, read.Int(2));
    if (!good.ok()) {
      return absl::DataLossError(
          absl::StrCat("ledger table ", table, ", row \"", held.name, "\": ", good.message()));
    }
    rows.push_back(std::move(held));
  }
}

}  // namespace baton
