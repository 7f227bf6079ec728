// A pool, its agents and a switchover of it, as a coordinator would tell of them.
#pragma once

#include "absl/time/time.h"

#include "baton/v1/agent_service.pb.h"
#include "baton/v1/plan_service.pb.h"
#include "baton/v1/topology_service.pb.h"

namespace baton {

// 2026-01-31 14:05:00 UTC.
absl::Time SampleNow();

v1::ListPoolsResponse SamplePools();
v1::ListAgentsResponse SampleAgents();
// The same pool after a failover to dr: hq-sql1 came back with log of its own, hq-chat1 did not
// come back, nobody follows.
v1::ListPoolsResponse FailedOverPools();
v1::Refusal SampleRefusal();

// "pools/chat.example.com/plans/7f3a91", six steps and one undo step, none of them begun.
v1::Plan SamplePlan();
// The first `count` steps done, 40 ms each, one after the other from SampleNow on.
v1::Plan SamplePlanWith(int count);
// A failover of the pool that loses something, running, none of its steps begun.
v1::Plan FailoverPlan();
// Its losses: one known, one of a database that was never seen.
v1::AnnouncedLoss SampleLoss();
v1::AnnouncedLoss UnboundedLoss();
// A running plan's and a waiting plan's.
void AddRunningOptions(v1::Plan& plan);
void AddWaitingOptions(v1::Plan& plan);
// Running, all done, stopped.
v1::Plan EndedPlan(v1::PlanState state);

}  // namespace baton
