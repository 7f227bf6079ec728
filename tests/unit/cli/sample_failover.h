// The pool of sample_messages.h in a failover and after it, and plans that an operator acts on.
#pragma once

#include "baton/v1/plan_service.pb.h"
#include "baton/v1/topology_service.pb.h"

namespace baton {

// After a failover to dr: hq-sql1 came back with log of its own, hq-chat1 did not come back, nobody
// follows.
v1::ListPoolsResponse FailedOverPools();

// A failover that loses something, running, none of its steps begun.
v1::Plan FailoverPlan();
// Of a database whose writer was never seen.
v1::AnnouncedLoss UnboundedLoss();

// A running plan's and a waiting plan's.
void AddRunningOptions(v1::Plan& plan);
void AddWaitingOptions(v1::Plan& plan);

}  // namespace baton
