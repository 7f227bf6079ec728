#include "agent/database/wal_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr size_t kSegmentNameBytes = 24;
constexpr uint64_t kPageAddressOffset = 8;  // of xlp_pageaddr in a log page's header
constexpr std::string_view kReady = ".ready";
constexpr size_t kNamesMax = 1 << 20;
constexpr size_t kHistoryBytesMax = 1 << 20;

bool IsUpperHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

uint64_t HexValue(std::string_view digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

std::string WalSegmentName(const WalSegment& segment, uint64_t segment_bytes) {
  const uint64_t per_log = (uint64_t{1} << 32) / segment_bytes;
  return absl::StrFormat("%08X%08X%08X", segment.timeline, segment.number / per_log,
                         segment.number % per_log);
}

std::optional<WalSegment> ParseWalSegmentName(std::string_view name, uint64_t segment_bytes) {
  if (name.size() != kSegmentNameBytes || !IsUpperHex(name)) return std::nullopt;
  const uint64_t per_log = (uint64_t{1} << 32) / segment_bytes;
  const uint64_t low = HexValue(name.substr(16));
  if (low >= per_log) return std::nullopt;
  return WalSegment{static_cast<uint32_t>(HexValue(name.substr(0, 8))),
                    HexValue(name.substr(8, 8)) * per_log + low};
}

WalSegment WalSegmentOf(const LogPosition& position, uint64_t segment_bytes) {
  return {position.timeline, position.lsn / segment_bytes};
}

std::optional<StartupTitle> ParseStartupTitle(std::string_view title) {
  for (const std::string_view verb : {"waiting for ", "recovering "}) {
    const size_t found = title.rfind(verb);
    if (found == std::string_view::npos) continue;
    const std::string_view name = title.substr(found + verb.size(), kSegmentNameBytes);
    if (name.size() != kSegmentNameBytes || !IsUpperHex(name)) continue;
    return StartupTitle{std::string(name), verb.front() == 'w'};
  }
  return std::nullopt;
}

absl::StatusOr<LogPosition> ParseTimelineStart(std::string_view history, uint32_t timeline) {
  std::string last;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(history), '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (!text.empty() && text.front() != '#') last = std::string(text);
  }
  const std::vector<std::string> words = absl::StrSplit(last, absl::ByAnyChar("\t "));
  if (words.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("history of timeline ", timeline,
                     ": wanted a line \"PARENT X/Y REASON\", found \"", last, "\""));
  }
  BATON_ASSIGN_OR_RETURN(const uint64_t lsn, ParseLsn(words[1]));
  return LogPosition{timeline, lsn};
}

void SortAsArchiver(std::vector<std::string>* names) {
  std::sort(names->begin(), names->end(), [](const std::string& a, const std::string& b) {
    const bool a_history = absl::EndsWith(a, ".history");
    const bool b_history = absl::EndsWith(b, ".history");
    return a_history != b_history ? a_history : a < b;
  });
}

WalFolder::WalFolder(std::string data_directory, uint64_t segment_bytes)
    : folder_(std::move(data_directory) + "/pg_wal"), segment_bytes_(segment_bytes) {}

absl::StatusOr<std::vector<std::string>> WalFolder::Ready() const {
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         ListDirectory(Path("archive_status"), kNamesMax));
  std::vector<std::string> ready;
  for (const std::string& name : names) {
    absl::string_view rest = name;
    if (absl::ConsumeSuffix(&rest, ToAbsl(kReady))) ready.emplace_back(rest);
  }
  SortAsArchiver(&ready);
  return ready;
}

absl::Status WalFolder::MarkDone(const std::string& name) const {
  const std::string ready = Path("archive_status/" + name + std::string(kReady));
  const std::string done = Path("archive_status/" + name + ".done");
  if (rename(ready.c_str(), done.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot mark as shipped", ready);
  }
  return SyncDirectory(Path("archive_status"));
}

bool WalFolder::IsDone(const std::string& name) const {
  return access(Path("archive_status/" + name + ".done").c_str(), F_OK) == 0;
}

bool WalFolder::IsReady(const std::string& name) const {
  return access(Path("archive_status/" + name + std::string(kReady)).c_str(), F_OK) == 0;
}

absl::StatusOr<bool> WalFolder::Holds(const WalSegment& segment) const {
  const std::string path = Path(WalSegmentName(segment, segment_bytes_));
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return false;
  if (!fd.valid()) return ErrnoStatus(errno, "cannot read", path);
  uint64_t address = 0;
  const ssize_t got = pread(fd.get(), &address, sizeof(address), kPageAddressOffset);
  if (got < 0) return ErrnoStatus(errno, "cannot read", path);
  return got == static_cast<ssize_t>(sizeof(address)) && address == segment.number * segment_bytes_;
}

absl::StatusOr<std::vector<WalSegment>> WalFolder::NotDone(uint32_t timeline) const {
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(folder_, kNamesMax));
  std::vector<WalSegment> segments;
  for (const std::string& name : names) {
    const std::optional<WalSegment> segment = ParseWalSegmentName(name, segment_bytes_);
    if (!segment.has_value() || segment->timeline != timeline || IsDone(name)) continue;
    BATON_ASSIGN_OR_RETURN(const bool held, Holds(*segment));
    if (held) segments.push_back(*segment);
  }
  std::sort(segments.begin(), segments.end());
  return segments;
}

absl::StatusOr<LogPosition> WalFolder::TimelineStart(uint32_t timeline) const {
  BATON_ASSIGN_OR_RETURN(
      const std::string text,
      ReadFile(Path(absl::StrFormat("%08X.history", timeline)), kHistoryBytesMax));
  return ParseTimelineStart(text, timeline);
}

}  // namespace baton::postgresql
