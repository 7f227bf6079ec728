// Someone's word that hosts are down, and stay down until Baton has fenced them.
#pragma once

#include <string>
#include <vector>

#include "coordinator/model/pool_state.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// The goal names the host, or the site that it stands at.
bool SaidLost(const Inquiry& ask, const HostId& host);

// SITE_UNKNOWN, HOST_UNKNOWN; LOST_HOST_REACHABLE for each named host, and each host of a named
// site, whose agent is connected: no word is taken for what can be fenced.
void CheckWord(const Inquiry& ask);

// CheckWord, and LOST_DATABASE_HOST for a whole site or the host of a protected database: such a
// plan can do without chat servers alone. `wanted` is what it needs of its databases, `remedy` what
// does without them.
void CheckLostChatHosts(const Inquiry& ask, const std::string& wanted, const std::string& remedy);

// Chat servers that may serve by the journal, in two: those that can be asked to stop, and those
// that cannot but are lost by someone's word. NO_WORD for one that is neither,
// CHAT_NOT_IN_TOPOLOGY for one that the pool no longer has.
struct ServingChat {
  std::vector<ResourceRef> reached;
  std::vector<ResourceRef> lost;
};
ServingChat SplitServing(const Inquiry& ask, const PoolState& state);

// It serves, or is free to, as it was last seen.
bool SeenToServe(const Snapshot& seen, const ResourceRef& ref);
// Adds those that lost their right to a move that was given up before it was seen to stop them.
// NO_WORD for one that cannot be reached, unless it is to be fenced on return already.
void AddStrays(const Inquiry& ask, const PoolState& state, ServingChat& serving);
// Of those, the ones alone that are lost by someone's word.
void AddLostStrays(const Inquiry& ask, const PoolState& state, ServingChat& serving);

// NO_WORD: the host cannot be reached, and nobody said that it is down.
void RefuseWithoutWord(const Inquiry& ask, const ResourceRef& ref, const std::string& what);

}  // namespace baton
