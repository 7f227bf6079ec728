// A pool, its agents and a switchover of it, as a coordinator would tell of them.
#pragma once

#include <string>

#include "absl/time/time.h"

#include "baton/v1/agent_service.pb.h"
#include "baton/v1/plan_service.pb.h"
#include "baton/v1/topology_service.pb.h"

namespace baton {

// 2026-01-31 14:05:00 UTC.
absl::Time SampleNow();

// "hq-sql1/mgc", "hq-chat1/prosody" and their like, as they are when all is well.
v1::MemberStatus SampleDatabase(const std::string& host, bool primary);
v1::MemberStatus SampleChat(const std::string& host, bool active);
v1::ListPoolsResponse SamplePools();
v1::ListAgentsResponse SampleAgents();
v1::AnnouncedLoss SampleLoss();
v1::Refusal SampleRefusal();

// "pools/chat.example.com/plans/7f3a91", six steps and one undo step, none of them begun.
v1::Plan SamplePlan();
// The first `count` steps done, 40 ms each, one after the other from SampleNow on.
v1::Plan SamplePlanWith(int count);
// Running, all done, stopped.
v1::Plan EndedPlan(v1::PlanState state);

}  // namespace baton
