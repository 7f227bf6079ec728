// How an instance becomes the follower of another one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/model/pool_state.h"
#include "coordinator/planner/candidates.h"
#include "coordinator/planner/plan_builder.h"

namespace baton {

enum class SeedingWay {
  kNone,   // it follows
  kStart,  // its log is part of the writer's: it goes on from what it has
  kSeed,   // it has no data
  kAnew,   // what it has is moved aside first, and kept as far as it exists nowhere else
};

// One database and the instance that is to follow.
struct Seeding {
  const Database* database = nullptr;
  const Instance* writer = nullptr;
  const Instance* follower = nullptr;
  SeedingWay way = SeedingWay::kNone;
  std::string system_id;
  LogPosition fork;            // where the writer's log left the follower's; none: not known
  std::vector<Lineage> fetch;  // what the follower restores from
  LogPosition until;           // what it must have applied to count as one: the writer's end now
  std::optional<uint64_t> discard;
  bool holds_data = true;
  bool fence_first = false;  // it came back, and what runs of it keeps its fence from being proven
  bool configured = false;  // the plan has looked at the writer, and configured both, before
};

// Of the other instance of a database that `move.from` writes. Refuses DATABASE_ROLE, FENCE_STATE,
// RETURN_NOT_FENCED, FENCE_EPOCH_AHEAD and what CheckDatabaseSeen and CheckTwins refuse.
Seeding ChooseSeeding(const Inquiry& ask, const PoolState& state, const DatabaseMove& move);

// [check the writer] → configure both → [stop or fence, move aside what it has] → [seed] → start as
// standby → apply, all of it while the writer serves. Returns the last step.
int AddSeeding(const Seeding& seeding, StepList after, PlanBuilder& builder);

// "mgc on hq-sql1 is seeded anew from dr-sql1: …"
std::string ExplainSeeding(const Seeding& seeding);

}  // namespace baton
