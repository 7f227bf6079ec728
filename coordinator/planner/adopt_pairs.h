// Which instance is to write each database of a pool that is adopted, and which one is to follow.
#pragma once

#include <vector>

#include "coordinator/model/pool_state.h"
#include "coordinator/model/topology.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// One protected database: who writes and who follows.
struct RolePair {
  const Database* database = nullptr;
  const Instance* primary = nullptr;
  const Instance* backup = nullptr;  // null: none follows, and the plan asks none to
  // The right was taken from the primary by a move that was given up: it takes it back out of its
  // own log, whatever was shipped of it.
  bool own_log = false;
  // The backup can go on from what it has. Else it is fenced alone: its log may have left the
  // primary's.
  bool follows = true;
  // That move has promoted the backup: it runs read-write until it is fenced.
  bool promoted = false;
};

// The first epoch: as the topology has it. Refuses DATABASE_ROLE, FENCE_STATE, SYSTEM_ID_MISSING,
// NO_TARGET_INSTANCE and what CheckTwins and CheckDatabaseSeen refuse. With `bare`, the backups
// have to be empty. A primary that crashed is one where its fence names a right that nobody was
// given after it, or where it holds the only data.
std::vector<RolePair> PairsOfTopology(const Inquiry& ask, bool bare);

// A pool that the journal knows: whoever holds the right to write by it, or held it last, however
// the topology calls that instance. Refuses WRITER_UNKNOWN, NO_TARGET_INSTANCE, DATABASES_SPLIT;
// DATABASE_ROLE, WRITE_EPOCH_DIFFERS and SYSTEM_ID_DIFFERS when the holder is not what it was when
// it lost its right; DATABASE_ROLE and FENCE_STATE when the other one could write;
// LOG_SHIPPED_TO_ITS_END when the other one has applied what nobody may write after. An instance
// that does not follow is left alone, unless the right was on its way to it: then it is fenced, and
// one that was promoted already is refused (DATABASE_ROLE) only where it has all that the holder
// has. No user was ever let at it: they are once every right has arrived.
std::vector<RolePair> PairsOfJournal(const Inquiry& ask, const PoolState& state);

// Every right is where the journal has it: databases writable under it, chat served under it by
// servers that can be reached, fence files readable. Of complete pairs, all of them seen.
bool NothingToGiveBack(const Inquiry& ask, const PoolState& state,
                       const std::vector<RolePair>& pairs);

}  // namespace baton
