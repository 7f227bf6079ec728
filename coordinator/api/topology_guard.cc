#include "coordinator/api/topology_guard.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "coordinator/config/topology_config.h"

namespace baton {
namespace {

absl::Status Gone(const std::string& what, const std::string& right) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, ": holds ", right,
                   " and is missing from the new topology; move the pool first: "
                   "`baton switchover POOL --reason ...`"));
}

// Null when the topology is, or names none.
const Instance* FindInstance(const Topology* topology, const PoolId& pool_id,
                             const DatabaseId& database_id, const HostId& host) {
  const Pool* pool = topology == nullptr ? nullptr : topology->FindPool(pool_id);
  const Database* database = pool == nullptr ? nullptr : pool->FindDatabase(database_id);
  return database == nullptr ? nullptr : database->OnHost(host);
}

bool HasChat(const Pool* pool, const ResourceRef& ref) {
  return pool != nullptr && std::any_of(pool->chat_servers.begin(), pool->chat_servers.end(),
                                        [&ref](const ChatServer& server) {
                                          return server.host == ref.host &&
                                                 server.service == ref.resource;
                                        });
}

bool HasResource(const Pool* pool, const ResourceRef& ref) {
  if (pool == nullptr) return false;
  return HasChat(pool, ref) ||
         std::any_of(pool->databases.begin(), pool->databases.end(),
                     [&ref](const Database& database) {
                       const Instance* found = database.OnHost(ref.host);
                       return found != nullptr && found->service == ref.resource;
                     });
}

// Of a database whose right is between two instances: the one that held it last, which alone can
// take it back.
absl::Status CheckHolderStays(const PoolId& id, const DatabaseId& database, const WriteRight& right,
                              const Topology* from, const Topology& to) {
  const bool between = right.writer.empty();
  if (between && right.lineages.empty()) return absl::OkStatus();
  const HostId& holder = between ? right.lineages.back().instance : right.writer;
  const Instance* before = FindInstance(from, id, database, holder);
  const Instance* after = FindInstance(&to, id, database, holder);
  // Another service on that host is another instance: the right is not its own.
  if (after != nullptr && (before == nullptr || before->service == after->service)) {
    return absl::OkStatus();
  }
  const std::string what =
      absl::StrCat("pool ", id.value(), ", database ", database.value(), " on ", holder.value());
  if (!between) return Gone(what, "the right to write");
  return absl::FailedPreconditionError(absl::StrCat(
      what,
      ": held the right to write last, which is between two instances, and is missing from the new "
      "topology; settle it first: `baton adopt ",
      id.value(), " --reason ...` gives it back, `baton failover ", id.value(),
      " --reason ...` takes it to the other site"));
}

absl::Status DueWouldLeave(const PoolId& id, const ResourceRef& ref, const Epoch& epoch) {
  return absl::FailedPreconditionError(absl::StrCat(
      "pool ", id.value(), ", ", ref.ToString(), ": is to be fenced under epoch ", epoch.ToString(),
      " when its host is back, and is missing from the new topology, where nothing would fence it; "
      "keep it until its host has answered: it is fenced then by itself, as `baton status ",
      id.value(),
      "` shows. Of a machine that is gone for good, the one that takes its place under "
      "that name answers for it"));
}

// No verb gives one database of an adopted pool its first right alone: the pool could not move.
absl::Status CheckNoneIsNew(const PoolId& id, const PoolState& known, const Topology& to) {
  const Pool* pool = to.FindPool(id);
  if (!known.adopted || pool == nullptr) return absl::OkStatus();
  for (const Database& database : pool->databases) {
    if (database.policy != DatabasePolicy::kProtect) continue;
    const auto right = known.rights.find(database.id);
    if (right != known.rights.end() && !right->second.lineages.empty()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "pool ", id.value(), ", database ", database.id.value(),
        ": `policy: protect` is new to a pool that is adopted already, which gives no database its "
        "first right alone, so that no move of the pool would be possible; name it with `policy: "
        "ignore`, or in a pool of its own and `baton protect` that one"));
  }
  return absl::OkStatus();
}

absl::Status CheckHoldersStay(const PoolId& id, const PoolState& known, const Topology* from,
                              const Topology& to) {
  const Pool* pool = to.FindPool(id);
  for (const auto& [database, right] : known.rights) {
    BATON_RETURN_IF_ERROR(CheckHolderStays(id, database, right, from, to));
  }
  for (const auto& [ref, epoch] : known.active_chat) {
    if (!HasChat(pool, ref)) {
      return Gone(absl::StrCat("pool ", id.value(), ", chat server ", ref.ToString()),
                  "the right to serve");
    }
  }
  for (const auto& [ref, epoch] : known.fence_due) {
    // One that left before is no matter of this change.
    const Pool* before = from == nullptr ? nullptr : from->FindPool(id);
    if (HasResource(before, ref) && !HasResource(pool, ref)) return DueWouldLeave(id, ref, epoch);
  }
  return CheckNoneIsNew(id, known, to);
}

}  // namespace

absl::Status CheckChangeAllowed(const CoordinatorState& state, const Topology* from,
                                const Topology& to) {
  if (from != nullptr) {
    for (const PoolId& pool : PoolsChanged(*from, to)) {
      const auto running = state.running.find(pool);
      if (running == state.running.end()) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("pool ", pool.value(), ": plan ", running->second.value(),
                       " has not ended, wanted none while the pool changes; see `baton plan show ",
                       running->second.value(), "` and apply the topology afterwards"));
    }
  }
  for (const auto& [id, known] : state.pools) {
    BATON_RETURN_IF_ERROR(CheckHoldersStay(id, known, from, to));
  }
  return absl::OkStatus();
}

}  // namespace baton
