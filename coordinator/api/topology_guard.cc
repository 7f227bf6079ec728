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

absl::Status CheckHoldersStay(const PoolId& id, const PoolState& known, const Topology* from,
                              const Topology& to) {
  const Pool* pool = to.FindPool(id);
  for (const auto& [database_id, right] : known.rights) {
    if (right.writer.empty()) continue;
    const Instance* before = FindInstance(from, id, database_id, right.writer);
    const Instance* after = FindInstance(&to, id, database_id, right.writer);
    // Another service on that host is another instance: the right is not its own.
    if (after == nullptr || (before != nullptr && before->service != after->service)) {
      return Gone(absl::StrCat("pool ", id.value(), ", database ", database_id.value(), " on ",
                               right.writer.value()),
                  "the right to write");
    }
  }
  for (const auto& [ref, epoch] : known.active_chat) {
    const bool stays =
        pool != nullptr && std::any_of(pool->chat_servers.begin(), pool->chat_servers.end(),
                                       [&, &ref = ref](const ChatServer& server) {
                                         return server.host == ref.host &&
                                                server.service == ref.resource;
                                       });
    if (!stays) {
      return Gone(absl::StrCat("pool ", id.value(), ", chat server ", ref.ToString()),
                  "the right to serve");
    }
  }
  return absl::OkStatus();
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
