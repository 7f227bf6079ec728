// Which changes of the topology must not happen now.
#pragma once

#include "absl/status/status.h"

#include "coordinator/executor/state.h"
#include "coordinator/model/topology.h"

namespace baton {

// FAILED_PRECONDITION: a pool that changes has a plan that has not ended (it is named); what holds
// a right to write or to serve, held one last that is between two instances, or is to be fenced
// when it is back would disappear; or a database that is new to an adopted pool would be protected.
// `from` is null for the first topology.
absl::Status CheckChangeAllowed(const CoordinatorState& state, const Topology* from,
                                const Topology& to);

}  // namespace baton
