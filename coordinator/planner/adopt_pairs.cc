#include "coordinator/planner/adopt_pairs.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/candidates.h"

namespace baton {
namespace {

void RefuseRole(const Inquiry& ask, const ResourceRef& ref, const DatabaseObservation& seen,
                const std::string& wanted, const std::string& remedy) {
  std::string found(ToString(seen.state));
  if (seen.state == DatabaseState::kDown) {
    absl::StrAppend(&found, seen.clean_shutdown ? ", cleanly stopped" : ", not cleanly stopped");
  }
  absl::StrAppend(&found, seen.standby_signal ? ", with standby.signal" : ", no standby.signal");
  ask.refusals.Add("DATABASE_ROLE", ref.ToString(), found, wanted, remedy);
}

// A primary that crashed goes on when an adoption gave it the right to write and the other one was
// given none after it, or when there is no other data. Whether it was in recovery is in its control
// file, where Unfence reads it.
bool MayGoOnCrashed(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other,
                    bool bare) {
  const Observation& seen = *ask.seen.Find(ref);
  const DatabaseObservation& database = *seen.database();
  if (database.state != DatabaseState::kDown || database.standby_signal) return false;
  if (bare) return true;
  const Observation* backup = ask.seen.Find(other);
  const DatabaseObservation* follower = backup == nullptr ? nullptr : backup->database();
  return follower != nullptr && !seen.fence.write_epoch.none() &&
         backup->fence.write_epoch < seen.fence.write_epoch &&
         follower->position.timeline <= database.position.timeline;
}

void CheckPrimary(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other, bool bare) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  const bool stopped =
      seen->state == DatabaseState::kDown && seen->clean_shutdown && !seen->standby_signal;
  if (seen->state != DatabaseState::kPrimary && !stopped &&
      !MayGoOnCrashed(ask, ref, other, bare)) {
    RefuseRole(ask, ref, *seen,
               "primary: accepting writes, or cleanly stopped without standby.signal",
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

// What lost its right to a move that was given up. Whatever it did since, it is fenced, stopped and
// promoted out of its own log.
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

// What holds the right by the journal must be what it was when it lost it: stopped or running as a
// primary, under no other right than one that this journal raised since, for an adoption that was
// given up.
void CheckHolder(const Inquiry& ask, const ResourceRef& ref, const WriteRight& right) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
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
  if (seen->state != DatabaseState::kPrimary && !down) {
    RefuseRole(ask, ref, *seen, "the primary that it was, running or stopped",
               "what has been in recovery can only be promoted: move the pool to the other "
               "instance, or restore this one's data directory as it was");
  } else if (down && seen->standby_signal && !seen->clean_shutdown && fence.write_epoch != held) {
    // Of one that stopped cleanly the agent reads in the control file what it was.
    RefuseRole(
        ask, ref, *seen,
        absl::StrCat("a clean stop, or a fence that names the right of epoch ", held.ToString()),
        "it cannot be told from a standby any more: let the other instance be promoted, and "
        "keep this one's data aside");
  }
}

// Neither can it write, nor has it applied the end of a log that must then not go on.
void CheckFollower(const Inquiry& ask, const Epoch& known, const ResourceRef& ref,
                   const ResourceRef& holder, bool own_log) {
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return;
  const FenceSummary& fence = ask.seen.Find(ref)->fence;
  if (own_log && seen->state == DatabaseState::kPrimary && !fence.write_epoch.none()) {
    RefuseRole(ask, ref, *seen, "a standby, or stopped with standby.signal",
               absl::StrCat("the move that was given up promoted it: baton failover ",
                            ask.pool.id.value(), " --reason TEXT goes on with it"));
    return;
  }
  if (fence.write_epoch > known) {
    ask.refusals.Add("WRITE_EPOCH_DIFFERS", ref.ToString(),
                     absl::StrCat("a fence with the right of epoch ", fence.write_epoch.ToString()),
                     absl::StrCat("none above this journal's ", known.ToString()),
                     "this journal is not the one that moved the pool last: restore that one");
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
  if (own_log) return;
  const Observation* other = ask.seen.Find(holder);
  const DatabaseObservation* writer = other == nullptr ? nullptr : other->database();
  if (writer == nullptr) return;
  const bool ended = writer->state == DatabaseState::kDown && writer->clean_shutdown &&
                     seen->position.timeline == writer->position.timeline &&
                     seen->position.lsn > writer->position.lsn;
  if (ended || seen->position.timeline > writer->position.timeline) {
    ask.refusals.Add("LOG_SHIPPED_TO_ITS_END", holder.ToString(),
                     absl::StrCat("its log ends at ", writer->position.ToString(), ", ",
                                  ref.ToString(), " has applied ", seen->position.ToString()),
                     "a standby that has not applied the end of that log",
                     "going on would write the shipped log with other bytes: start it as a "
                     "standby and promote one of the two by hand");
  }
}

}  // namespace

std::vector<RolePair> PairsOfTopology(const Inquiry& ask, bool bare) {
  std::vector<RolePair> pairs;
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    const RolePair pair{database, database->Find(InstanceRole::kPrimary),
                        database->Find(InstanceRole::kBackup)};
    if (pair.primary == nullptr || pair.backup == nullptr) {
      ask.refusals.Add("NO_TARGET_INSTANCE", database->id.value(),
                       pair.primary == nullptr ? "no primary" : "no backup",
                       "a primary at the home site and a backup at the other",
                       "baton topology apply FILE --reason TEXT");
      continue;
    }
    CheckPrimary(ask, RefOf(*pair.primary), RefOf(*pair.backup), bare);
    bare ? CheckBareBackup(ask, RefOf(*pair.backup)) : CheckBackup(ask, RefOf(*pair.backup));
    CheckTwins(ask, RefOf(*pair.primary), RefOf(*pair.backup));
    pairs.push_back(pair);
  }
  return pairs;
}

namespace {

// Its log is part of the one that `right` was held for: it followed, and was not promoted since.
bool Follows(const Inquiry& ask, const WriteRight& right, const Instance& other) {
  const Observation* seen = ask.seen.Find(RefOf(other));
  return right.followers.contains(other.host) && seen != nullptr &&
         seen->fence.write_epoch <= right.lineages.back().epoch;
}

bool Empty(const Inquiry& ask, const Instance& instance) {
  const Observation* seen = ask.seen.Find(RefOf(instance));
  return seen != nullptr && seen->database() != nullptr &&
         seen->database()->state == DatabaseState::kEmpty;
}

}  // namespace

std::vector<RolePair> PairsOfJournal(const Inquiry& ask, const PoolState& state) {
  std::vector<RolePair> pairs;
  const Topology& topology = *ask.seen.topology;
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    const auto right = state.rights.find(database->id);
    const bool known = right != state.rights.end() && !right->second.lineages.empty();
    const bool between = known && right->second.writer.empty();
    const Instance* holder = !known
                                 ? nullptr
                                 : database->OnHost(between ? right->second.lineages.back().instance
                                                            : right->second.writer);
    if (holder == nullptr) {
      ask.refusals.Add("WRITER_UNKNOWN", database->id.value(),
                       "no instance that the journal gave the right to write",
                       "one, to give it back to",
                       "see baton history for what became of it; a database that is new to an "
                       "adopted pool cannot be adopted alone");
      continue;
    }
    const Instance* other = OtherInstance(topology, *database, *holder);
    if (other == nullptr) {
      ask.refusals.Add("NO_TARGET_INSTANCE", database->id.value(), "no instance at the other site",
                       "one that follows", "baton topology apply FILE --reason TEXT");
      continue;
    }
    if (RefuseAbsentWriter(ask, RefOf(*holder))) continue;
    if (between) {
      CheckLastHolder(ask, RefOf(*holder), right->second);
      // Nothing there could be promoted.
      if (Empty(ask, *other) && CheckDatabaseSeen(ask, RefOf(*other)) != nullptr) other = nullptr;
    } else {
      CheckHolder(ask, RefOf(*holder), right->second);
      if (!right->second.followers.contains(other->host)) other = nullptr;
    }
    if (other != nullptr) {
      CheckFollower(ask, state.epoch, RefOf(*other), RefOf(*holder), between);
      CheckTwins(ask, RefOf(*holder), RefOf(*other));
    }
    const bool follows = other != nullptr && (!between || Follows(ask, right->second, *other));
    pairs.push_back({database, holder, other, between, follows});
    const SiteId first = topology.SiteOf(pairs.front().primary->host);
    if (topology.SiteOf(holder->host) != first) {
      ask.refusals.Add("DATABASES_SPLIT", database->id.value(),
                       absl::StrCat("writable at ", topology.SiteOf(holder->host).value()),
                       absl::StrCat("all of the pool's databases at ", first.value()),
                       absl::StrCat("baton failover ", ask.pool.id.value(),
                                    " --reason TEXT brings those that are on their way there"));
    }
  }
  return pairs;
}

bool NothingToGiveBack(const Inquiry& ask, const PoolState& state,
                       const std::vector<RolePair>& pairs) {
  for (const RolePair& pair : pairs) {
    const Observation& holder = *ask.seen.Find(RefOf(*pair.primary));
    if (holder.database()->state != DatabaseState::kPrimary ||
        holder.fence.phase != FencePhase::kOpen ||
        holder.fence.write_epoch != state.rights.at(pair.database->id).lineages.back().epoch ||
        pair.own_log ||
        (pair.backup != nullptr && !ask.seen.Find(RefOf(*pair.backup))->fence.file_readable)) {
      return false;
    }
  }
  for (const auto& [ref, epoch] : state.active_chat) {
    const Observation* seen = ask.seen.Find(ref);
    if (seen == nullptr || seen->chat() == nullptr || seen->chat()->state != ChatState::kServing ||
        seen->fence.phase != FencePhase::kOpen) {
      return false;
    }
  }
  return !state.active_chat.empty() || ask.pool.chat_servers.empty();
}

}  // namespace baton
