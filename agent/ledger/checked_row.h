// Rows that tell when their bytes were altered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/runtime/sqlite.h"

namespace baton {

struct CheckedRow {
  std::string name;
  std::string body;
};

// Over everything that is given: two rows that swapped their bodies are found too.
int64_t SumOf(std::string_view name, int64_t number, std::string_view body);
// DATA_LOSS: `sum` is another one.
absl::Status CheckSum(std::string_view name, int64_t number, std::string_view body, int64_t sum);

// Tables of (name, body, sum). `table` is a literal of ours. AllRows: DATA_LOSS names the row.
absl::Status PutRow(Sqlite& db, const std::string& table, std::string_view name,
                    std::string_view body);
absl::StatusOr<std::vector<CheckedRow>> AllRows(Sqlite& db, const std::string& table);

}  // namespace baton
