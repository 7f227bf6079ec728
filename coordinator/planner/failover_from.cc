#include "coordinator/planner/failover_from.h"

#include <optional>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/losses.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/word.h"

namespace baton {

std::string Again(const Inquiry& ask, const std::string& verb) {
  return absl::StrCat("baton ", verb, " ", ask.pool.id.value(), " --reason TEXT");
}

bool AllApplied(const Inquiry& ask, const DatabaseMove& move) {
  const std::optional<LogPosition>& sealed = move.right->lineages.back().sealed;
  const Observation* next = ask.seen.Find(RefOf(*move.to));
  if (next == nullptr || next->database() == nullptr) return false;
  const DatabaseObservation& seen = *next->database();
  return ShippedToItsEnd(ask.seen, *move.from, *move.right) &&
         seen.position.timeline == sealed->timeline && seen.position.lsn > sealed->lsn;
}

bool HoldsRight(const DatabaseMove& move, const Observation& seen) {
  return seen.fence.write_epoch == move.right->lineages.back().epoch;
}

namespace {

// Why the old instance counts as up, or as one that could be; empty: it does not.
std::string WhyUp(const Inquiry& ask, const DatabaseMove& move, const Observation& seen) {
  const DatabaseObservation* database = seen.database();
  const bool may_start =
      seen.fence.phase == FencePhase::kOpen || seen.fence.phase == FencePhase::kUnconfirmed;
  const std::string fence = absl::StrCat(", fence ", std::string(ToString(seen.fence.phase)));
  const DatabaseState state = database == nullptr ? DatabaseState::kUnknown : database->state;
  if (state == DatabaseState::kPrimary) return absl::StrCat("primary", fence);
  if (state == DatabaseState::kEmpty) return "";
  if (!may_start && !HoldsRight(move, seen) && !AllApplied(ask, move)) {
    return absl::StrCat(std::string(ToString(state)), ", with its data, but not with its right");
  }
  if (!may_start || state == DatabaseState::kStandby) return "";
  std::string why = absl::StrCat(std::string(ToString(state)), fence);
  if (database != nullptr && !database->problem.empty()) {
    absl::StrAppend(&why, ", ", database->problem);
  }
  return why;
}

std::string RemedyOfUp(const Inquiry& ask, const DatabaseMove& move, const Observation& seen) {
  const std::string up = move.from->host.value();
  const DatabaseObservation* database = seen.database();
  const bool may_start =
      seen.fence.phase == FencePhase::kOpen || seen.fence.phase == FencePhase::kUnconfirmed;
  const bool runs = database != nullptr && database->state == DatabaseState::kPrimary;
  const bool told = !seen.fence.write_epoch.none() || !seen.fence.file_readable;
  if (database != nullptr && !told && !move.right->writer.empty() && IsInRecovery(*database)) {
    return "nothing tells that it wrote, so that baton adopt cannot give it its right back";
  }
  if ((!runs && !may_start) || (runs && move.right->writer.empty())) {
    return absl::StrCat(Again(ask, "adopt"), " gives it its right back");
  }
  if (!runs) {
    return absl::StrCat("start it where it is: baton-guard run ", move.from->service.value(),
                        " on ", up,
                        seen.fence.phase == FencePhase::kUnconfirmed
                            ? absl::StrCat(", baton agents accept ", up, " --reason TEXT")
                            : std::string());
  }
  if (!move.right->followers.contains(move.to->host)) return Again(ask, "protect");
  return Again(ask, "switchover");
}

}  // namespace

bool CheckFrom(const Inquiry& ask, const PoolState& state, const DatabaseMove& move,
               Overrides& overrides) {
  const ResourceRef ref = RefOf(*move.from);
  if (!ask.seen.Connected(ref.host)) {
    if (!SaidLost(ask, ref.host)) RefuseWithoutWord(ask, ref, "it may be writable");
    return false;
  }
  const Observation* seen = CheckSeen(ask, ref);
  if (seen == nullptr) return true;
  CheckEpoch(ask, state, ref);
  const std::string up = WhyUp(ask, move, *seen);
  if (up.empty()) return true;
  if (overrides.Accepts(
          "HOME_DATABASE_UP",
          absl::StrCat(ref.ToString(), " is ", up,
                       HoldsRight(move, *seen) ? ": it is fenced and ships its log to the end"
                                               : ": it is fenced, what it did not ship is lost"))) {
    return true;
  }
  ask.refusals.Add(
      "HOME_DATABASE_UP", ref.ToString(), up, "an instance that is down and cannot be started",
      absl::StrCat(RemedyOfUp(ask, move, *seen), "; ", Overrides::Flag("HOME_DATABASE_UP"),
                   HoldsRight(move, *seen)
                       ? " takes its right away all the same, and ships its log first"
                       : " loses what it did not ship"));
  return true;
}

}  // namespace baton
