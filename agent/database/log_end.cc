#include "agent/database/log_end.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "agent/database/wal_files.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/process.h"

namespace baton::postgresql {
namespace {

constexpr uint64_t kPageBytes = 8192;
constexpr off_t kPageAddressOffset = 8;  // of xlp_pageaddr in a log page's header
constexpr size_t kNamesMax = 1 << 20;

// Pages of the file, from its first on, that carry their own address. An error: it cannot be read,
// and may hold more.
absl::StatusOr<uint64_t> FilledPages(const std::string& path, uint64_t start,
                                     uint64_t segment_bytes) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot read", path);
  uint64_t pages = 0;
  while (pages < segment_bytes / kPageBytes) {
    uint64_t address = 0;
    const off_t offset = static_cast<off_t>(pages * kPageBytes);
    const ssize_t got = pread(fd.get(), &address, sizeof(address), offset + kPageAddressOffset);
    if (got < 0) return ErrnoStatus(errno, "cannot read", path);
    if (got != static_cast<ssize_t>(sizeof(address)) || address != start + pages * kPageBytes) {
      break;
    }
    ++pages;
  }
  return pages;
}

}  // namespace

absl::StatusOr<LogPosition> FindLogEnd(const std::string& data_directory,
                                       const ControlData& control) {
  if (control.stopped_as_primary()) return control.checkpoint;
  const WalFolder wal(data_directory, control.segment_bytes);
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         ListDirectory(data_directory + "/pg_wal", kNamesMax));
  std::optional<WalSegment> last;
  for (const std::string& name : names) {
    const auto segment = ParseWalSegmentName(name, control.segment_bytes);
    if (!segment.has_value() || segment->timeline < control.timeline()) continue;
    if (last.has_value() && !(*last < *segment)) continue;
    BATON_ASSIGN_OR_RETURN(const bool held, wal.Holds(*segment));
    if (held) last = segment;
  }
  if (!last.has_value()) {
    return absl::NotFoundError(absl::StrCat(data_directory, "/pg_wal: found no log in it"));
  }
  const uint64_t start = last->number * control.segment_bytes;
  BATON_ASSIGN_OR_RETURN(const uint64_t pages,
                         FilledPages(wal.Path(WalSegmentName(*last, control.segment_bytes)), start,
                                     control.segment_bytes));
  return LogPosition{last->timeline, start + pages * kPageBytes};
}

void TakeDumpLine(std::string_view line, LogBeyond* beyond) {
  constexpr std::string_view kCommit = "desc: COMMIT ";
  const size_t found = line.find(kCommit);
  if (line.find("rmgr: Transaction") == std::string_view::npos || found == std::string_view::npos) {
    return;
  }
  ++beyond->commits;
  std::string_view text = line.substr(found + kCommit.size());
  text = text.substr(0, text.find(" UTC"));
  absl::Time time;
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S", std::string(text), &time, nullptr)) return;
  if (beyond->first_commit == absl::InfinitePast()) beyond->first_commit = time;
  beyond->last_commit = time;
}

absl::StatusOr<LogBeyond> CountBeyond(const std::string& bin_directory,
                                      const std::string& data_directory, const LogPosition& fork,
                                      const LogPosition& end, absl::Duration timeout) {
  LogBeyond beyond;
  std::string rest;
  RunOptions options;
  options.argv = {bin_directory + "/pg_waldump",
                  "-p",
                  data_directory + "/pg_wal",
                  "-t",
                  absl::StrCat(end.timeline),
                  "-s",
                  FormatLsn(fork.lsn),
                  "-r",
                  "Transaction"};
  options.environment = {"LC_ALL=C", "TZ=UTC"};
  options.timeout = timeout;
  options.output_bytes_max = 4096;
  options.on_output = [&](std::string_view piece) {
    rest.append(piece);
    for (size_t at = rest.find('\n'); at != std::string::npos; at = rest.find('\n')) {
      TakeDumpLine(rest.substr(0, at), &beyond);
      rest.erase(0, at + 1);
    }
  };
  BATON_ASSIGN_OR_RETURN(const RunResult result, Run(options));
  // It ends with an error where the log ends; one that comes before any log is another matter.
  const bool at_end = result.error.find("error in WAL record") != std::string::npos;
  if (result.ok() || (at_end && !result.timed_out)) return beyond;
  return absl::DataLossError(absl::StrCat("pg_waldump of ", data_directory, ": ",
                                          result.Describe(timeout), ": ",
                                          std::string(absl::StripAsciiWhitespace(result.error))));
}

}  // namespace baton::postgresql
