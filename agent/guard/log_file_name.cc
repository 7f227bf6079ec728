#include "agent/guard/log_file_name.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

constexpr uint64_t kSegmentBytesMin = uint64_t{1} << 20;
constexpr uint64_t kSegmentBytesMax = uint64_t{1} << 30;

// Eight hexadecimal digits in capitals, as PostgreSQL writes them.
bool TakeWord(std::string_view* text, uint32_t* value) {
  if (text->size() < 8) return false;
  const std::string_view word = text->substr(0, 8);
  if (word.find_first_not_of("0123456789ABCDEF") != std::string_view::npos) return false;
  std::from_chars(word.data(), word.data() + word.size(), *value, 16);
  text->remove_prefix(8);
  return true;
}

bool IsBackupSuffix(std::string_view rest) {
  uint32_t offset = 0;
  if (rest.empty() || rest.front() != '.') return false;
  rest.remove_prefix(1);
  return TakeWord(&rest, &offset) && rest == ".backup";
}

bool Parse(std::string_view rest, LogFileName* name) {
  if (!TakeWord(&rest, &name->timeline)) return false;
  if (rest == ".history") {
    name->kind = LogFileKind::kHistory;
    return true;
  }
  if (!TakeWord(&rest, &name->high) || !TakeWord(&rest, &name->segment)) return false;
  if (rest.empty()) {
    name->kind = LogFileKind::kSegment;
  } else if (rest == ".partial") {
    name->kind = LogFileKind::kPartialSegment;
  } else if (IsBackupSuffix(rest)) {
    name->kind = LogFileKind::kBackupLabel;
  } else {
    return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<LogFileName> ParseLogFileName(std::string_view text) {
  LogFileName name;
  if (Parse(text, &name)) return name;
  return absl::InvalidArgumentError(
      absl::StrCat("found \"", ToAbsl(text.substr(0, 200)), "\", wanted the name of a log file"));
}

absl::StatusOr<uint64_t> SegmentStart(const LogFileName& name, uint64_t segment_bytes) {
  const bool power = (segment_bytes & (segment_bytes - 1)) == 0;
  if (!power || segment_bytes < kSegmentBytesMin || segment_bytes > kSegmentBytesMax ||
      name.segment >= (uint64_t{1} << 32) / segment_bytes) {
    return absl::DataLossError(
        absl::StrCat("found a log segment of ", segment_bytes,
                     " bytes, wanted a power of two from 1 MiB to 1 GiB that fits its name"));
  }
  return (uint64_t{name.high} << 32) + uint64_t{name.segment} * segment_bytes;
}

absl::StatusOr<bool> IsServed(const LogFileName& name, uint64_t file_bytes,
                              const std::optional<LogPosition>& sealed) {
  if (!sealed.has_value()) return true;
  if (name.kind == LogFileKind::kHistory || name.kind == LogFileKind::kBackupLabel) {
    return name.timeline <= sealed->timeline;
  }
  BATON_ASSIGN_OR_RETURN(const uint64_t start, SegmentStart(name, file_bytes));
  return name.timeline <= sealed->timeline && start <= sealed->lsn;
}

size_t CountSettled(const std::vector<Lineage>& fetch) {
  size_t count = fetch.size();
  while (count > 0 && !fetch[count - 1].sealed.has_value()) --count;
  return count;
}

}  // namespace baton
