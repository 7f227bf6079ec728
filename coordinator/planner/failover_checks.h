// What must be known before a site is given up, and what was accepted against which rule.
#pragma once

#include <string>
#include <vector>

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/overrides.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// Where the log ends that the next writer goes on from.
enum class LogEnd {
  kShipped,   // the old instance can be reached: it is fenced and ships all it has
  kSealed,    // where the shares' files end, or the copy destination's
  kOwn,       // the next writer never followed: its own log counts
  kPromoted,  // the next writer got the right from a move that was given up: again, its own log
};

// One database that changes hands.
struct Takeover {
  DatabaseMove move;
  LogEnd end = LogEnd::kSealed;
  bool from_reached = false;   // the old instance can be fenced now
  bool without_share = false;  // only what was copied counts
  std::string salvage;         // where the dead one's data can be read; empty: nowhere
  AnnouncedLoss loss;
};

// Of the old instance: NO_WORD, HOME_DATABASE_UP. Of the next one: DATABASE_ROLE, FENCE_STATE,
// FENCE_EPOCH_AHEAD, SYSTEM_ID_DIFFERS, UNPROTECTED, FOREIGN_TIMELINE, TARGET_NOT_FURTHEST,
// LOG_GAP, SHARE_UNREADABLE, LOSS_OVER_LIMIT and what CheckDatabaseSeen refuses.
Takeover CheckTakeover(const Inquiry& ask, const PoolState& state, const DatabaseMove& move,
                       Overrides& overrides);

// LOST_SITE_NOT_SERVING, SALVAGE_UNUSABLE and what CheckWord refuses.
void CheckFailoverWord(const Inquiry& ask, const std::vector<DatabaseMove>& moves);

}  // namespace baton
