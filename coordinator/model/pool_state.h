// What the journal knows of a pool: who may write, under which epoch, and the archive it left
// behind. Changes only by executor records, live and in replay alike.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/protocol/epoch.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/ids.h"

namespace baton {

// The right to write one database.
struct WriteRight {
  HostId writer;  // empty while it is between two instances: from the Fence command on, which may
                  // have taken effect unseen, until Recover is seen to have succeeded
  std::string system_id;
  // Oldest first; the last one is the writer's while it has one. Only the latest eight are kept:
  // what a standby may still need.
  std::vector<Lineage> lineages;
  // Where the writer's log left the one before it; none: it never did since the pool was adopted.
  LogPosition fork;
  // Hosts of the instances that were seen to follow the present writer since it got its right.
  // None: the database is unprotected.
  std::set<HostId> followers;

  friend bool operator==(const WriteRight&, const WriteRight&) = default;
};

struct PoolState {
  bool adopted = false;
  Epoch epoch;  // the highest ever raised
  // An agent holds the pool for another journal's: only a new generation brings it here.
  bool held_elsewhere = false;
  std::map<DatabaseId, WriteRight> rights;
  std::map<ResourceRef, Epoch> active_chat;  // chat servers that may serve, and since which epoch
  // Were not reached when their right was taken: to be fenced under this epoch at their next
  // contact.
  std::map<ResourceRef, Epoch> fence_due;

  friend bool operator==(const PoolState&, const PoolState&) = default;
};

}  // namespace baton
