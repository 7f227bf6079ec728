// The steps of a planned move, for a switchover and for a failback alike.
#pragma once

#include <vector>

#include "coordinator/model/pool_state.h"
#include "coordinator/planner/candidates.h"
#include "coordinator/planner/plan_builder.h"

namespace baton {

// What is moved, and who serves before and after it.
struct PlannedMove {
  std::vector<DatabaseMove> moves;
  std::vector<ResourceRef> quiet;        // chat servers that serve and can be reached
  std::vector<const ChatServer*> next;   // that serve afterwards
  std::vector<ResourceRef> not_reached;  // chat servers that may serve, on hosts that are lost
};

// checks on every host, after all of `after` → point the next chat servers → raise the epoch →
// drain, deactivate → end connections → fence → ship the tail → copy, apply → recover → activate →
// canary and the old primary's return as standby, beside the users. Every database is at its final
// position before the first one is recovered.
//
// The way back, each part of it only if what it takes back was ever tried: the next epoch → the old
// primaries, fenced under it, take their right back out of their own log → the chat servers that
// were drained serve again → the backups follow the new timelines.
//
// Sets the plan's sites and epochs, its explanation of the moves and what is fenced on return.
void AddSwitchover(const Inquiry& ask, const PoolState& state, const PlannedMove& move,
                   const StepList& after, PlanBuilder& builder);

}  // namespace baton
