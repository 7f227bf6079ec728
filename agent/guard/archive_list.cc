#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "agent/guard/archive.h"
#include "agent/guard/archived_file.h"
#include "agent/guard/log_file_name.h"
#include "agent/guard/share.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/protocol/position.h"

namespace baton {
namespace {

constexpr size_t kNamesMax = 4 << 20;
constexpr size_t kHistoryBytesMax = 64 * 1024;
constexpr size_t kTimelineDigits = 8;
constexpr size_t kSegmentNameBytes = 24;
// What a child at work on a share can say; runs come in order, so that what is cut off is the end.
constexpr size_t kSaidBytesMax = 3800;

using Lines = std::vector<std::string>;

// "TIMELINE LSN REASON" lines: where each ancestor was left by the next one, the last one by
// `timeline` itself. Those that begin timelines up to `known` are left out: with every move there
// is one more of them in every history, and a child at work on a share can say little.
void AppendForks(const std::string& text, uint32_t timeline, uint32_t known, size_t lineage,
                 Lines* lines) {
  std::vector<std::pair<uint32_t, uint64_t>> ancestors;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    uint32_t ancestor = 0;
    if (words.size() < 2 || !absl::SimpleAtoi(words[0], &ancestor)) continue;
    const absl::StatusOr<uint64_t> lsn = ParseLsn(words[1]);
    if (lsn.ok()) ancestors.emplace_back(ancestor, *lsn);
  }
  for (size_t i = 0; i < ancestors.size(); ++i) {
    const uint32_t child = i + 1 < ancestors.size() ? ancestors[i + 1].first : timeline;
    if (child <= known) continue;
    lines->push_back(absl::StrCat("fork ", lineage, " ", child, " ", ancestors[i].second));
  }
}

void AppendRuns(const std::set<std::pair<uint32_t, uint64_t>>& segments, size_t lineage,
                Lines* lines) {
  for (auto first = segments.begin(); first != segments.end();) {
    auto next = std::next(first);
    uint64_t last = first->second;
    while (next != segments.end() && next->first == first->first && next->second == last + 1) {
      last = next->second;
      ++next;
    }
    lines->push_back(
        absl::StrCat("run ", lineage, " ", first->first, " ", first->second, " ", last));
    first = next;
  }
}

// The timeline of the log file named `from`; 0: all are wanted.
uint32_t KnownTimeline(const std::string& from) {
  const absl::StatusOr<LogFileName> parsed = ParseLogFileName(from);
  return parsed.ok() ? parsed->timeline : 0;
}

bool IsBefore(const std::string& name, const std::string& from) {
  return from.size() == kSegmentNameBytes &&
         name.substr(kTimelineDigits) < from.substr(kTimelineDigits);
}

// A file without a right sum beside it counts as not there, as it does for whoever fetches it.
absl::StatusOr<Lines> ListFolder(const std::string& folder, const Lineage& lineage, size_t index,
                                 const std::string& from) {
  Lines lines;
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(folder, kNamesMax);
  if (absl::IsNotFound(names.status())) return lines;
  if (!names.ok()) return names.status();
  std::set<std::pair<uint32_t, uint64_t>> segments;
  for (const std::string& name : *names) {
    const absl::StatusOr<LogFileName> parsed = ParseLogFileName(name);
    if (!parsed.ok()) continue;
    const bool segment = parsed->kind == LogFileKind::kSegment;
    if (!segment && parsed->kind != LogFileKind::kHistory) continue;
    if (segment && IsBefore(name, from)) continue;
    const absl::StatusOr<uint64_t> bytes = PublishedBytes(folder, name);
    if (!bytes.ok()) continue;
    const absl::StatusOr<bool> served = IsServed(*parsed, *bytes, lineage.sealed);
    if (!served.ok() || !*served) continue;
    if (segment) {
      const absl::StatusOr<uint64_t> start = SegmentStart(*parsed, *bytes);
      if (start.ok()) segments.emplace(parsed->timeline, *start / *bytes);
    } else {
      BATON_ASSIGN_OR_RETURN(const std::string text,
                             ReadFile(absl::StrCat(folder, "/", name), kHistoryBytesMax));
      AppendForks(text, parsed->timeline, KnownTimeline(from), index, &lines);
    }
  }
  AppendRuns(segments, index, &lines);
  return lines;
}

absl::StatusOr<Lines> ListShare(const ResourceConfig& config, const ShareId& share,
                                const std::vector<Lineage>& fetch, const std::string& from) {
  BATON_ASSIGN_OR_RETURN(const std::string root, ShareRoot(config, share));
  BoundedWork work = WorkOnShare(config, share);
  work.work = [&](const ProgressFunction&) -> absl::StatusOr<std::string> {
    BATON_RETURN_IF_ERROR(CheckShareMarker(root, share));
    std::string said;
    for (size_t i = 0; i < fetch.size(); ++i) {
      if (fetch[i].share != share) continue;
      BATON_ASSIGN_OR_RETURN(const Lines lines,
                             ListFolder(LineageFolder(config, root, fetch[i]), fetch[i], i, from));
      for (const std::string& line : lines) {
        if (said.size() + line.size() < kSaidBytesMax) absl::StrAppend(&said, line, ";");
      }
    }
    return said;
  };
  BATON_ASSIGN_OR_RETURN(const std::string said, RunBounded(work));
  return Lines(absl::StrSplit(said, ';', absl::SkipEmpty()));
}

}  // namespace

absl::StatusOr<std::string> ListLogFiles(const ResourceConfig& config,
                                         const std::vector<Lineage>& fetch, const std::string& from,
                                         bool shares) {
  Lines all;
  std::set<ShareId> wanted;
  for (size_t i = 0; i < fetch.size(); ++i) {
    BATON_ASSIGN_OR_RETURN(
        const Lines lines,
        ListFolder(LineageFolder(config, config.copy_destination, fetch[i]), fetch[i], i, from));
    all.insert(all.end(), lines.begin(), lines.end());
    wanted.insert(fetch[i].share);
  }
  if (!shares) wanted.clear();
  for (const ShareId& share : wanted) {
    BATON_ASSIGN_OR_RETURN(const Lines lines, ListShare(config, share, fetch, from));
    all.insert(all.end(), lines.begin(), lines.end());
  }
  return absl::StrJoin(all, "\n");
}

}  // namespace baton
