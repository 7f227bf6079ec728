// Where in its log a database stands.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

// A position in a database's transaction log. For PostgreSQL: timeline and LSN (a byte address);
// written "timeline:X/Y" with X and Y in hexadecimal as PostgreSQL writes them, e.g. "1:0/3000060".
// Positions of one timeline compare by `lsn`; comparing across timelines is the caller's to
// justify.
struct LogPosition {
  uint32_t timeline = 0;
  uint64_t lsn = 0;

  bool none() const { return timeline == 0 && lsn == 0; }
  std::string ToString() const;

  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

// "X/Y" ⇄ byte address. INVALID_ARGUMENT for anything else.
absl::StatusOr<uint64_t> ParseLsn(std::string_view text);
std::string FormatLsn(uint64_t lsn);

absl::StatusOr<LogPosition> ParseLogPosition(std::string_view text);

}  // namespace baton
