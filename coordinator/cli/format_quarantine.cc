// What was moved aside.
#include <string>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

// Log beyond the fork: both positions are addresses in the same log.
uint64_t BeyondFork(const v1::QuarantineEntry& entry) {
  return entry.end().lsn() > entry.fork().lsn() ? entry.end().lsn() - entry.fork().lsn() : 0;
}

// After a clean stop some of the log that held them may be gone from the instance; what they did is
// in its data all the same.
std::string Commits(const v1::QuarantineEntry& entry) {
  const std::string text = entry.has_commits() ? absl::StrCat(entry.commits()) : "not known";
  if (!entry.has_first_commit_time()) return text;
  return absl::StrCat(text, ", ", entry.has_commits() ? "" : "those that were found ",
                      LocalTimeToMillis(entry.first_commit_time()), " to ",
                      LocalTimeToMillis(entry.last_commit_time()));
}

}  // namespace

std::string FormatQuarantine(const v1::ListPoolsResponse& pools) {
  TextTable table({"INSTANCE", "NAME", "MOVED", "BEYOND THE FORK", "COMMITS THERE", "ON DISK",
                   "POOL", "AGENT"});
  for (const v1::PoolStatus& pool : pools.pools()) {
    for (const v1::MemberStatus& member : pool.members()) {
      for (const v1::QuarantineEntry& entry : member.observation().database().quarantine()) {
        table.Add({Text(member.resource()), entry.name(), LocalTime(entry.move_time()),
                   Bytes(BeyondFork(entry)), Commits(entry), Bytes(entry.disk_bytes()), pool.pool(),
                   member.agent_connected() ? "connected" : "not connected"});
      }
    }
  }
  return table.empty() ? "nothing is in quarantine\n" : table.ToString();
}

std::string FormatQuarantineEntry(const v1::ResourceRef& of, const v1::QuarantineEntry& entry) {
  return Printable(absl::StrCat(
      "quarantine ", entry.name(), " of ", Text(of), "\n  moved aside:      ",
      LocalTime(entry.move_time()), "\n  fork:             ", Text(entry.fork()),
      "; what lies beyond exists here alone\n  end of its log:   ", Text(entry.end()), ", ",
      Bytes(BeyondFork(entry)), " beyond the fork\n  commits there:    ", Commits(entry),
      "\n  on disk:          ", Bytes(entry.disk_bytes()), "\n"));
}

}  // namespace baton
