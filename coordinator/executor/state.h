// Everything that the journal tells, in memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/executor/execution.h"
#include "coordinator/executor/record.h"
#include "coordinator/model/pool_state.h"

namespace baton {

// Who holds the right that a Confirm would speak of.
struct Confirmation {
  PoolId pool;
  ResourceRef resource;
  Epoch epoch;  // the write epoch (a chat server: since when it may serve)

  friend bool operator==(const Confirmation&, const Confirmation&) = default;
};

// Who lost its right while away, and is to be fenced before anything else.
struct Revocation {
  PoolId pool;
  ResourceRef resource;
  Epoch epoch;  // to be fenced under

  friend bool operator==(const Revocation&, const Revocation&) = default;
};

// Plans of a pool that have ended and are kept in memory, the newest ones; the journal keeps all.
inline constexpr size_t kEndedPlansKept = 200;

struct CoordinatorState {
  uint64_t last_sequence = 0;
  std::optional<TopologyApplied> topology;   // the one in force
  std::map<HostId, LedgerAccepted> ledgers;  // the one that speaks for each host
  std::map<PlanId, Execution> executions;    // ended ones too
  std::vector<PlanId> admitted;              // in the order of their admission
  std::map<PoolId, PoolState> pools;         // those that a plan was admitted for
  std::map<PoolId, PlanId> running;          // the one plan of a pool that has not ended
  std::map<std::string, PlanId> by_request;  // request ids of admitted plans
  std::map<std::string, PlanId> operated;    // request ids of what operators did with a plan

  // Null when unknown, or ended too long ago.
  const Execution* FindExecution(const PlanId& id) const;
  const Execution* FindRunning(const PoolId& pool) const;
  const PoolState* FindPool(const PoolId& pool) const;
};

// Pure: live and in replay alike. Facts of plans that were never admitted are ignored.
void Evolve(CoordinatorState& state, const Record& record);

// What a session of `host` may be told to confirm: the rights that `host` holds, but none that a
// plan under way is taking away (one older than the epoch that the plan has raised, unless the plan
// is giving it back), and none that was taken from it while it was away. To be asked again after
// UndoStarted and PlanEnded, when withheld ones return. In a fixed order.
std::vector<Confirmation> ConfirmationsFor(const CoordinatorState& state, const Topology& topology,
                                           const HostId& host);

// What a session of `host` is told right after Welcome and again until it is seen to hold.
std::vector<Revocation> RevocationsFor(const CoordinatorState& state, const HostId& host);
// An observation made in the host's present session shows what the revocation wants. A fence under
// a higher epoch does.
bool SeenFenced(const Revocation& revocation, const Observation& seen);

}  // namespace baton
