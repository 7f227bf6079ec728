#include "common/protocol/position.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/base/strings.h"

namespace baton {
namespace {

bool ParseHex32(std::string_view text, uint32_t* value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, *value, 16);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

}  // namespace

std::string FormatLsn(uint64_t lsn) {
  return absl::StrFormat("%X/%X", lsn >> 32, lsn & 0xFFFFFFFFu);
}

absl::StatusOr<uint64_t> ParseLsn(std::string_view text) {
  const size_t slash = text.find('/');
  uint32_t high = 0;
  uint32_t low = 0;
  if (slash == std::string_view::npos || !ParseHex32(text.substr(0, slash), &high) ||
      !ParseHex32(text.substr(slash + 1), &low)) {
    return absl::InvalidArgumentError(
        absl::StrCat("log position: found \"", ToAbsl(text), "\", wanted X/Y in hexadecimal"));
  }
  return (uint64_t{high} << 32) | low;
}

std::string LogPosition::ToString() const { return absl::StrCat(timeline, ":", FormatLsn(lsn)); }

absl::StatusOr<LogPosition> ParseLogPosition(std::string_view text) {
  const size_t colon = text.find(':');
  LogPosition position;
  if (colon == std::string_view::npos ||
      !absl::SimpleAtoi(ToAbsl(text.substr(0, colon)), &position.timeline)) {
    return absl::InvalidArgumentError(
        absl::StrCat("log position: found \"", ToAbsl(text), "\", wanted TIMELINE:X/Y"));
  }
  absl::StatusOr<uint64_t> lsn = ParseLsn(text.substr(colon + 1));
  if (!lsn.ok()) return lsn.status();
  position.lsn = *lsn;
  return position;
}

}  // namespace baton
