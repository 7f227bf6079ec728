// A pool as the topology, the journal and the agents have it.
#pragma once

#include "baton/v1/topology_service.pb.h"
#include "coordinator/executor/execution.h"
#include "coordinator/model/goal.h"
#include "coordinator/model/snapshot.h"

namespace baton {

// Pure. `running` is the pool's plan that has not ended, null when there is none.
v1::PoolStatus DescribePool(const Snapshot& seen, const Policy& policy, const Pool& pool,
                            const Execution* running);

}  // namespace baton
