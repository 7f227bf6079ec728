#include "coordinator/planner/adopt_pairs.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/adopt_checks.h"
#include "coordinator/planner/candidates.h"

namespace baton {

std::vector<RolePair> PairsOfTopology(const Inquiry& ask, bool bare) {
  std::vector<RolePair> pairs;
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    RolePair pair{database, database->Find(InstanceRole::kPrimary),
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
    pair.own_log = BecameStandby(ask, RefOf(*pair.primary), RefOf(*pair.backup), bare);
    const Observation* primary = ask.seen.Find(RefOf(*pair.primary));
    const bool signal =
        primary != nullptr && primary->database() != nullptr && primary->database()->standby_signal;
    if (!bare && signal && !pair.own_log) {
      CheckLogGoesOn(ask, RefOf(*pair.primary), RefOf(*pair.backup), false);
    }
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
                       known ? "name the instance of that host again: baton topology apply FILE "
                               "--reason TEXT"
                             : absl::StrCat("a database that is new to an adopted pool gets no "
                                            "first right alone: baton topology apply FILE --reason "
                                            "TEXT with policy: ignore for ",
                                            database->id.value(), ", or without it"));
      continue;
    }
    const Instance* other = OtherInstance(topology, *database, *holder);
    if (other == nullptr) {
      ask.refusals.Add("NO_TARGET_INSTANCE", database->id.value(), "no instance at the other site",
                       "one that follows", "baton topology apply FILE --reason TEXT");
      continue;
    }
    if (RefuseAbsentWriter(ask, RefOf(*holder))) continue;
    bool own_log = between;
    if (between) {
      CheckLastHolder(ask, RefOf(*holder), right->second);
      // Nothing there could be promoted.
      if (Empty(ask, *other) && CheckDatabaseSeen(ask, RefOf(*other)) != nullptr) other = nullptr;
    } else {
      own_log = CheckHolder(ask, RefOf(*holder), right->second);
      if (!right->second.followers.contains(other->host)) other = nullptr;
    }
    if (other != nullptr) {
      CheckFollower(ask, state.epoch, RefOf(*other), *holder, right->second, between);
      if (!between) CheckLogGoesOn(ask, RefOf(*holder), RefOf(*other), own_log);
      CheckTwins(ask, RefOf(*holder), RefOf(*other));
    }
    const bool follows = other != nullptr && (!own_log || Follows(ask, right->second, *other));
    const Observation* seen = other == nullptr ? nullptr : ask.seen.Find(RefOf(*other));
    const bool promoted = between && seen != nullptr && Promoted(*seen);
    pairs.push_back({database, holder, other, own_log, follows, promoted});
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
    if (!ask.seen.Connected(ref.host)) return false;
    const Observation* seen = ask.seen.Find(ref);
    if (seen == nullptr || seen->chat() == nullptr || seen->chat()->state != ChatState::kServing ||
        seen->fence.phase != FencePhase::kOpen) {
      return false;
    }
  }
  return !state.active_chat.empty() || ask.pool.chat_servers.empty();
}

}  // namespace baton
