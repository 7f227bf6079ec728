#include "coordinator/planner/adopt.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/adopt_pairs.h"
#include "coordinator/planner/adopt_steps.h"
#include "coordinator/planner/candidates.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/word.h"

namespace baton {
namespace {

// Of one that cannot be reached, unless it is left out: whoever looks after it may know that it is
// down.
void CheckChat(const Inquiry& ask, const ChatServer& server) {
  const HostId& host = server.host;
  const std::vector<const Database*> databases = ProtectedDatabases(ask.pool);
  const bool carries_data =
      std::any_of(databases.begin(), databases.end(),
                  [&host](const Database* each) { return each->OnHost(host) != nullptr; });
  if (ask.seen.Connected(host) || carries_data || ask.goal.kind != PlanKind::kAdopt) {
    CheckChatSeen(ask, RefOf(server));
    return;
  }
  ask.refusals.Add(
      "AGENT_NOT_CONNECTED", host.value(),
      ask.seen.agents.contains(host) ? "no session" : "never seen", "a connected agent",
      absl::StrCat("start baton-agent on ", host.value(), "; if the host is down: baton adopt ",
                   ask.pool.id.value(), " --lost-host ", host.value(),
                   " --reason TEXT goes on without it"));
}

// With `bare`, the backups are empty. `pairs` has been checked.
std::optional<Plan> Adopt(const Inquiry& ask, const PoolState* state,
                          const std::vector<RolePair>& pairs, bool bare) {
  CheckLostChatHosts(ask, "databases that can be looked at: an adoption moves none",
                     absl::StrCat("start baton-agent there; if the one that writes is gone: baton "
                                  "failover ",
                                  ask.pool.id.value(), " --lost-host HOST --reason TEXT"));
  for (const ChatServer& server : ask.pool.chat_servers) {
    if (!LeftOut(ask, state, server)) CheckChat(ask, server);
  }
  if (pairs.empty() || !ask.refusals.empty()) return std::nullopt;
  const ChatChoice chat =
      ChooseChatServers(ask, ask.seen.topology->SiteOf(pairs.front().primary->host));
  if (!ask.refusals.empty()) return std::nullopt;
  // A fence above this journal's epoch, put there by hand, stops every move until the pool is above
  // it again.
  if (state != nullptr && HighestSeen(ask) <= state->epoch &&
      NothingToGiveBack(ask, *state, pairs)) {
    ask.refusals.Add("POOL_ALREADY_ADOPTED", ask.pool.id.value(),
                     absl::StrCat("epoch ", state->epoch.ToString(),
                                  ", every fence as it has to be, chat served"),
                     "a pool without an epoch, or one whose writer or chat server lost its right",
                     "nothing to do: baton status");
    return std::nullopt;
  }
  Plan plan = MakeAdoption(ask, state, pairs, chat.next, bare);
  for (const RolePair& pair : pairs) {
    const char* why = ", as the topology says";
    if (pair.own_log) {
      why = ", which held its right last: it takes it back out of its own log";
    } else if (state != nullptr) {
      why = ", as the journal says: it gets its right back and goes on";
    }
    plan.explanation.push_back(absl::StrCat(pair.database->id.value(), " is written on ",
                                            pair.primary->host.value(), why));
    if (pair.promoted) {
      plan.explanation.push_back(absl::StrCat(
          "a move that was given up had promoted ", pair.backup->host.value(), " with ",
          pair.database->id.value(), ": it is fenced first; no user was let at it"));
    }
    if (!pair.follows) {
      plan.explanation.push_back(absl::StrCat(
          pair.database->id.value(), " stays unprotected: baton protect ", ask.pool.id.value()));
    }
  }
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace

std::optional<Plan> MakeAdopt(const Inquiry& ask) {
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state != nullptr && !state->adopted) state = nullptr;
  return Adopt(ask, state,
               state == nullptr ? PairsOfTopology(ask, false) : PairsOfJournal(ask, *state), false);
}

std::optional<Plan> MakeBareAdoption(const Inquiry& ask) {
  return Adopt(ask, nullptr, PairsOfTopology(ask, true), true);
}

}  // namespace baton
