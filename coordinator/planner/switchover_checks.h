// What must be seen before a pool is moved.
#pragma once

#include <vector>

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// Refuses DATABASE_ROLE, FENCE_STATE, FENCE_EPOCH_AHEAD, SYSTEM_ID_DIFFERS, VERSION_DIFFERS,
// ARCHIVER_FAILING, LAG_OVER_LIMIT and what CheckDatabaseSeen refuses.
void CheckMove(const Inquiry& ask, const PoolState& state, const DatabaseMove& move);

// Every chat server that the journal calls active serves, from `instance`, under an open fence:
// CHAT_NOT_IN_TOPOLOGY, CHAT_NOT_SERVING, CHAT_POINTS_ELSEWHERE, FENCE_STATE, FENCE_EPOCH_AHEAD.
// Every other one that can be seen does not: CHAT_SERVES_WITHOUT_RIGHT, FENCE_EPOCH_AHEAD. The
// `next` ones can be seen.
void CheckChatServers(const Inquiry& ask, const PoolState& state, const HostId& instance,
                      const std::vector<const ChatServer*>& next);

}  // namespace baton
