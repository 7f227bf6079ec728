// What a pool owes, and how it is paid.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

std::string Typed(const char* verb, const v1::PoolStatus& pool) {
  return absl::StrCat("baton ", verb, " ", pool.pool(), " --reason \"...\"");
}

// "hq-sql1/mgc, hq-chat1/prosody", of the members that `counts` is true for.
template <class Predicate>
std::string Members(const v1::PoolStatus& pool, Predicate counts) {
  std::string text;
  for (const v1::MemberStatus& member : pool.members()) {
    if (counts(member)) absl::StrAppend(&text, text.empty() ? "" : ", ", Text(member.resource()));
  }
  return text;
}

std::string Protection(const v1::PoolStatus& pool) {
  const std::string what = pool.protection().empty() ? "" : ": " + pool.protection();
  if (pool.protected_()) return absl::StrCat("  protection: protected", what, "\n");
  std::string text =
      absl::StrCat("  protection: UNPROTECTED", what, "\n    next: ", Typed("protect", pool), "\n");
  if (pool.serving_site() == pool.backup_site()) {
    absl::StrAppend(&text, "      or: ", Typed("failback", pool), " (and then moves home)\n");
  }
  return text;
}

std::string IfFailedOver(const v1::PoolStatus& pool) {
  if (pool.losses().empty()) return "  failover now: no copy could take over\n";
  std::string text = "  failover now, ";
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(FormatLosses(pool.losses()), '\n'))) {
    if (!line.empty()) absl::StrAppend(&text, text.back() == ' ' ? "" : "  ", line, "\n");
  }
  return text;
}

// A copy whose fence is proven, and which doesn't follow.
bool StoppedFenced(const v1::MemberStatus& member) {
  const v1::FenceSummary& fence = member.observation().fence();
  const bool fenced =
      fence.phase() == v1::FENCE_PHASE_CLOSING || fence.phase() == v1::FENCE_PHASE_CLOSED;
  return member.agent_connected() && fenced && fence.proven() && !member.has_fence_due() &&
         member.observation().database().state() == v1::DATABASE_STATE_DOWN;
}

std::string Orphans(const v1::PoolStatus& pool) {
  std::string text;
  for (const v1::MemberStatus& member : pool.members()) {
    if (!member.observation().has_database()) continue;
    if (member.orphan_bytes() > 0) {
      absl::StrAppend(
          &text, "  returned, fenced: ", Text(member.resource()), " holds ",
          Bytes(member.orphan_bytes()),
          " of log beyond the fork; nothing overwrites it before it is in quarantine\n");
    } else if (!pool.protected_() && StoppedFenced(member)) {
      absl::StrAppend(&text, "  stopped, fenced: ", Text(member.resource()),
                      " holds no log beyond the fork that is known of\n");
    }
  }
  return text;
}

std::string Due(const v1::PoolStatus& pool) {
  const std::string members =
      Members(pool, [](const v1::MemberStatus& member) { return member.has_fence_due(); });
  if (members.empty()) return "";
  return absl::StrCat("  to be fenced on return, before anything else: ", members, "\n");
}

std::string Empty(const v1::PoolStatus& pool) {
  const std::string members = Members(pool, [](const v1::MemberStatus& member) {
    return member.observation().database().state() == v1::DATABASE_STATE_EMPTY;
  });
  if (members.empty()) return "";
  return absl::StrCat("  empty: ", members, "\n    next: ", Typed("protect", pool),
                      " fills it from the one that is served\n");
}

std::string Quarantined(const v1::PoolStatus& pool) {
  int entries = 0;
  for (const v1::MemberStatus& member : pool.members()) {
    entries += member.observation().database().quarantine_size();
  }
  if (entries == 0) return "";
  return absl::StrCat("  quarantine: ", entries, entries == 1 ? " entry" : " entries",
                      ", see: baton quarantine list ", pool.pool(), "\n");
}

}  // namespace

std::string FormatDebts(const v1::PoolStatus& pool) {
  return Printable(absl::StrCat(Protection(pool), IfFailedOver(pool), Due(pool), Orphans(pool),
                                Empty(pool), Quarantined(pool)));
}

}  // namespace baton
