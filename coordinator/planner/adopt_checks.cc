#include "coordinator/planner/adopt_checks.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/losses.h"

namespace baton {

namespace {

void RefuseRole(const Inquiry& ask, const ResourceRef& ref, const DatabaseObservation& seen,
                const std::string& wanted, const std::string& remedy) {
  std::string found(ToString(seen.state));
  if (seen.state == DatabaseState::kDown) {
    absl::StrAppend(&found, seen.clean_shutdown ? ", cleanly stopped" : ", not cleanly stopped",
                    seen.in_recovery ? " in recovery" : "");
  }
  absl::StrAppend(&found, seen.standby_signal ? ", with standby.signal" : ", no standby.signal");
  ask.refusals.Add("DATABASE_ROLE", ref.ToString(), found, wanted, remedy);
}

// An adoption gave it the right to write, and the other one was given none after it.
bool HoldsAlone(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other) {
  const Observation& seen = *ask.seen.Find(ref);
  const Observation* backup = ask.seen.Find(other);
  const DatabaseObservation* follower = backup == nullptr ? nullptr : backup->database();
  return follower != nullptr && !seen.fence.write_epoch.none() &&
         backup->fence.write_epoch < seen.fence.write_epoch &&
         follower->position.timeline <= seen.database()->position.timeline;
}

}  // namespace

bool BecameStandby(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other,
                   bool bare) {
  const Observation* seen = ask.seen.Find(ref);
  return !bare && seen != nullptr && seen->database() != nullptr &&
         IsInRecovery(*seen->database()) && HoldsAlone(ask, ref, other);
}

namespace {

// What was stopped as a primary goes on; one that crashed, where its fence names a right that it
// holds alone, or where it holds the only data. A fence by hand left standby.signal.
bool IsStoppedPrimary(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other,
                      bool bare) {
  const DatabaseObservation& seen = *ask.seen.Find(ref)->database();
  if (seen.state != DatabaseState::kDown || seen.in_recovery) return false;
  if (bare) return !seen.standby_signal;
  return seen.clean_shutdown || HoldsAlone(ask, ref, other);
}

}  // namespace

void CheckPrimary(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other, bool bare) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  if (seen->state != DatabaseState::kPrimary && !IsStoppedPrimary(ask, ref, other, bare) &&
      !BecameStandby(ask, ref, other, bare)) {
    RefuseRole(ask, ref, *seen, "primary: accepting writes, or stopped as one",
               "correct the roles in the topology, or bring the instance into its role");
  }
  if (seen->system_id.empty()) {
    ask.refusals.Add("SYSTEM_ID_MISSING", ref.ToString(), "no system identifier",
                     "one, to name its archive", absl::StrCat("mend it on ", ref.host.value()));
  }
}

void CheckBackup(const Inquiry& ask, const ResourceRef& ref) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  const bool stopped = seen->state == DatabaseState::kDown && seen->standby_signal;
  if (seen->state != DatabaseState::kStandby && !stopped) {
    RefuseRole(ask, ref, *seen, "backup: a standby, or stopped with standby.signal",
               seen->state == DatabaseState::kEmpty
                   ? absl::StrCat("baton protect ", ask.pool.id.value(),
                                  " --reason TEXT adopts the pool and seeds it")
                   : std::string("correct home, backup and roles in the topology if the pool was "
                                 "moved before, or seed it from the primary"));
  }
  const Observation& observation = *ask.seen.Find(ref);
  // One that is a primary may be the only one: to fence it is no advice.
  if (observation.fence.phase == FencePhase::kOpen && seen->state != DatabaseState::kPrimary) {
    ask.refusals.Add(
        "FENCE_STATE", ref.ToString(), "fence open", "a backup that may not write",
        absl::StrCat("see that nothing writes there, then baton-guard fence ", ref.resource.value(),
                     " ", observation.fence.fence_epoch.Next().ToString(), " on ",
                     ref.host.value()));
  }
}

void CheckBareBackup(const Inquiry& ask, const ResourceRef& ref) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr || seen->state == DatabaseState::kEmpty) return;
  ask.refusals.Add("DATABASE_ROLE", ref.ToString(), std::string(ToString(seen->state)),
                   "an empty instance, to seed from the primary",
                   absl::StrCat("baton adopt ", ask.pool.id.value(),
                                " --reason TEXT if it follows already; else see what it holds, and "
                                "move its data directory aside"));
}

void CheckLastHolder(const Inquiry& ask, const ResourceRef& ref, const WriteRight& right) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  if (seen->state == DatabaseState::kEmpty || seen->system_id != right.system_id) {
    ask.refusals.Add("SYSTEM_ID_DIFFERS", ref.ToString(),
                     seen->system_id.empty() ? "no data" : seen->system_id,
                     absl::StrCat(right.system_id, ", as adopted"),
                     absl::StrCat("put the adopted data directory back, or baton failover ",
                                  ask.pool.id.value(), " --reason TEXT"));
  }
}

bool CheckHolder(const Inquiry& ask, const ResourceRef& ref, const WriteRight& right) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return false;
  const FenceSummary& fence = ask.seen.Find(ref)->fence;
  const Epoch held = right.lineages.back().epoch;
  const Epoch raised = ask.seen.FindPoolState(ask.pool.id)->epoch;
  const bool given_up = fence.write_epoch > held && fence.write_epoch <= raised;
  if (!fence.write_epoch.none() && fence.write_epoch != held && !given_up) {
    ask.refusals.Add(
        "WRITE_EPOCH_DIFFERS", ref.ToString(),
        absl::StrCat("a fence with the right of epoch ", fence.write_epoch.ToString()),
        absl::StrCat("the right of epoch ", held.ToString(), ", which this journal gave, or none"),
        "this journal is not the one that moved the pool last: restore that one");
  }
  if (seen->system_id != right.system_id) {
    ask.refusals.Add("SYSTEM_ID_DIFFERS", ref.ToString(),
                     seen->system_id.empty() ? "no system identifier" : seen->system_id,
                     absl::StrCat(right.system_id, ", as adopted"),
                     "put the adopted data directory back");
  }
  const bool down = seen->state == DatabaseState::kDown;
  const bool standby = IsInRecovery(*seen);
  // A copy of a running primary looks like this too: its agent refuses that one.
  const bool untold =
      down && seen->standby_signal && !seen->clean_shutdown && fence.write_epoch.none();
  const bool lost_right = fence.write_epoch.none() && fence.file_readable;
  if ((seen->state != DatabaseState::kPrimary && !down && !standby) || (standby && lost_right)) {
    RefuseRole(ask, ref, *seen, "the primary that it was, running or stopped",
               "what has been in recovery can only be promoted: move the pool to the other "
               "instance, or restore this one's data directory as it was");
  }
  return standby || untold;
}

bool Promoted(const Observation& seen) {
  return seen.database() != nullptr && seen.database()->state == DatabaseState::kPrimary &&
         !seen.fence.write_epoch.none();
}

void CheckFollower(const Inquiry& ask, const Epoch& known, const ResourceRef& ref,
                   const Instance& holder, const WriteRight& right, bool between) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  const FenceSummary& fence = ask.seen.Find(ref)->fence;
  if (fence.write_epoch > known) {
    ask.refusals.Add("WRITE_EPOCH_DIFFERS", ref.ToString(),
                     absl::StrCat("a fence with the right of epoch ", fence.write_epoch.ToString()),
                     absl::StrCat("none above this journal's ", known.ToString()),
                     "this journal is not the one that moved the pool last: restore that one");
    return;
  }
  if (between && Promoted(*ask.seen.Find(ref))) {
    if (!ShippedToItsEnd(ask.seen, holder, right)) return;
    RefuseRole(ask, ref, *seen, "a standby, or stopped with standby.signal",
               absl::StrCat("the move that was given up promoted it, and it has all that ",
                            holder.host.value(), " wrote: baton failover ", ask.pool.id.value(),
                            " --reason TEXT goes on with it"));
    return;
  }
  const bool stopped = seen->state == DatabaseState::kDown && seen->standby_signal;
  if (seen->state != DatabaseState::kStandby && !stopped) {
    RefuseRole(ask, ref, *seen, "a standby, or stopped with standby.signal",
               absl::StrCat("see what runs on ", ref.host.value(), " and fence it there first"));
  }
  if (fence.phase != FencePhase::kClosed && fence.phase != FencePhase::kClosing) {
    ask.refusals.Add(
        "FENCE_STATE", ref.ToString(), absl::StrCat("fence ", std::string(ToString(fence.phase))),
        "a fence that lets nothing write",
        absl::StrCat("see that nothing writes there, then baton-guard fence ", ref.resource.value(),
                     " ", fence.fence_epoch.Next().ToString(), " on ", ref.host.value()));
  }
}

void CheckLogGoesOn(const Inquiry& ask, const ResourceRef& holder, const ResourceRef& ref,
                    bool own_log) {
  const Observation* one = ask.seen.Find(holder);
  const Observation* other = ask.seen.Find(ref);
  const DatabaseObservation* writer = one == nullptr ? nullptr : one->database();
  const DatabaseObservation* seen = other == nullptr ? nullptr : other->database();
  if (writer == nullptr || seen == nullptr) return;
  const bool ended = !own_log && writer->state == DatabaseState::kDown && writer->clean_shutdown &&
                     seen->position.timeline == writer->position.timeline &&
                     seen->position.lsn > writer->position.lsn;
  if (!ended && seen->position.timeline <= writer->position.timeline) return;
  ask.refusals.Add("LOG_SHIPPED_TO_ITS_END", holder.ToString(),
                   absl::StrCat("its log ends at ", writer->position.ToString(), ", ",
                                ref.ToString(), " has applied ", seen->position.ToString()),
                   "a standby that has not applied the end of that log",
                   "going on would write the shipped log with other bytes: start it as a "
                   "standby and promote one of the two by hand");
}

}  // namespace baton
