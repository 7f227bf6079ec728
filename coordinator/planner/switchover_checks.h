// What must be seen before a pool is moved.
#pragma once

#include <vector>

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/preflight.h"
#include "coordinator/planner/word.h"

namespace baton {

// Refuses DATABASE_ROLE, FENCE_STATE, FENCE_EPOCH_AHEAD, SYSTEM_ID_DIFFERS, VERSION_DIFFERS,
// ARCHIVER_FAILING, LAG_OVER_LIMIT and what CheckDatabaseSeen refuses.
void CheckMove(const Inquiry& ask, const PoolState& state, const DatabaseMove& move);

// The parts of CheckMove: the instance that gives its right away, and the one that gets it. Whether
// the archiver ships may be left to be seen later, by a plan that sets it up.
enum class ArchiverCheck { kNow, kLater };
void CheckWriter(const Inquiry& ask, const PoolState& state, const DatabaseMove& move,
                 ArchiverCheck archiver);
void CheckStandby(const Inquiry& ask, const PoolState& state, const DatabaseMove& move);

// UNPROTECTED: the other instance was not seen to follow the present writer. RETURN_NOT_FENCED: it
// came back from a failover and was not fenced yet.
void CheckFollows(const Inquiry& ask, const DatabaseMove& move);

// FENCE_EPOCH_AHEAD: its agent refuses every command of a plan that is below what it has seen. A
// failover may override it where a fence was put there by hand: then it goes on above all of them.
inline constexpr char kFenceEpochAhead[] = "FENCE_EPOCH_AHEAD";
void CheckEpoch(const Inquiry& ask, const PoolState& state, const ResourceRef& ref);

// The highest epoch that this journal or any fence of the pool has seen.
Epoch HighestSeen(const Inquiry& ask);

// CHAT_SERVES_WITHOUT_RIGHT, FENCE_EPOCH_AHEAD: of a server that is not to serve now, if it was
// seen; but not of one that cannot be reached and will be fenced when it comes back.
void CheckIdleChat(const Inquiry& ask, const PoolState& state, const ResourceRef& ref);

// RETURN_NOT_FENCED: a host answers whose fence is due. A move that took chat down would wait for
// it before it gave a right to anybody. Not of instances that are moved to: CheckFollows and
// ChooseSeeding look at them.
void CheckReturns(const Inquiry& ask, const PoolState& state,
                  const std::vector<DatabaseMove>& moves);

// What serves by the journal, in those that can be reached and those that are lost by someone's
// word: NO_WORD, and what CheckLostChatHosts refuses.
ServingChat CheckLostChat(const Inquiry& ask, const PoolState& state);

// Every one of `serving` serves, from `instance`, under an open fence: CHAT_NOT_SERVING,
// CHAT_POINTS_ELSEWHERE, FENCE_STATE, FENCE_EPOCH_AHEAD. Every one that the journal does not call
// active and that can be seen does not: CHAT_SERVES_WITHOUT_RIGHT, FENCE_EPOCH_AHEAD. The `next`
// ones can be seen.
void CheckChatServers(const Inquiry& ask, const PoolState& state, const HostId& instance,
                      const std::vector<ResourceRef>& serving,
                      const std::vector<const ChatServer*>& next);

}  // namespace baton
