#include "coordinator/planner/word.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace baton {

bool SaidLost(const Inquiry& ask, const HostId& host) {
  const std::vector<HostId>& named = ask.goal.lost_hosts;
  if (std::find(named.begin(), named.end(), host) != named.end()) return true;
  return !ask.goal.lost_site.empty() && ask.seen.topology->SiteOf(host) == ask.goal.lost_site;
}

void CheckWord(const Inquiry& ask) {
  const Topology& topology = *ask.seen.topology;
  if (!ask.goal.lost_site.empty() && !topology.sites.contains(ask.goal.lost_site)) {
    ask.refusals.Add("SITE_UNKNOWN", ask.goal.lost_site.value(), "no such site in the topology",
                     "a site of the topology", "baton topology show");
  }
  for (const HostId& host : ask.goal.lost_hosts) {
    if (topology.hosts.contains(host)) continue;
    ask.refusals.Add("HOST_UNKNOWN", host.value(), "no such host in the topology",
                     "a host of the topology", "baton topology show");
  }
  for (const auto& [host, agent] : ask.seen.agents) {
    if (!agent.connected || !SaidLost(ask, host)) continue;
    const bool by_site = ask.goal.lost_site == topology.SiteOf(host);
    ask.refusals.Add(
        "LOST_HOST_REACHABLE", host.value(), "its agent is connected",
        by_site ? absl::StrCat("no host of ", ask.goal.lost_site.value(), " that answers")
                : std::string("a host that does not answer"),
        by_site ? "name the hosts that are down instead: --lost-host HOST; what answers is fenced"
                : absl::StrCat("do not name ", host.value(), ": what answers is fenced"));
  }
}

void CheckLostChatHosts(const Inquiry& ask, const std::string& wanted, const std::string& remedy) {
  CheckWord(ask);
  if (!ask.goal.lost_site.empty()) {
    ask.refusals.Add("LOST_DATABASE_HOST", ask.goal.lost_site.value(), "a whole site is lost",
                     "single hosts of chat servers", remedy);
  }
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    for (const Instance& instance : database->instances) {
      if (!SaidLost(ask, instance.host)) continue;
      ask.refusals.Add("LOST_DATABASE_HOST", RefOf(instance).ToString(),
                       absl::StrCat("the host of ", database->id.value(), " is lost"), wanted,
                       remedy);
    }
  }
}

void RefuseWithoutWord(const Inquiry& ask, const ResourceRef& ref, const std::string& what) {
  const bool failover = ask.goal.kind == PlanKind::kFailover;
  ask.refusals.Add("NO_WORD", ref.ToString(), absl::StrCat(what, " and cannot be reached"),
                   absl::StrCat("someone's word that ", ref.host.value(), " is down"),
                   absl::StrCat("see that it is, then add --lost-host ", ref.host.value(),
                                failover ? absl::StrCat(" or --lost-site ",
                                                        ask.seen.topology->SiteOf(ref.host).value())
                                         : std::string(),
                                "; else start baton-agent there"));
}

namespace {

void Sort(const Inquiry& ask, const ResourceRef& ref, ServingChat& split) {
  if (ask.seen.Connected(ref.host)) {
    split.reached.push_back(ref);
  } else if (SaidLost(ask, ref.host)) {
    split.lost.push_back(ref);
  } else {
    RefuseWithoutWord(ask, ref, "it may serve");
  }
}

}  // namespace

ServingChat SplitServing(const Inquiry& ask, const PoolState& state) {
  ServingChat split;
  for (const auto& [ref, epoch] : state.active_chat) {
    const bool known = std::any_of(ask.pool.chat_servers.begin(), ask.pool.chat_servers.end(),
                                   [&ref = ref](const ChatServer& s) { return RefOf(s) == ref; });
    if (!known) {
      ask.refusals.Add("CHAT_NOT_IN_TOPOLOGY", ref.ToString(), "active, but not in the topology",
                       "a chat server of the pool",
                       "name it in the topology again: baton topology apply FILE --reason TEXT");
    } else {
      Sort(ask, ref, split);
    }
  }
  return split;
}

bool SeenToServe(const Snapshot& seen, const ResourceRef& ref) {
  const Observation* last = seen.Find(ref);
  if (last == nullptr || last->chat() == nullptr) return false;
  const ChatState state = last->chat()->state;
  return state == ChatState::kServing || state == ChatState::kDraining ||
         last->fence.phase == FencePhase::kOpen;
}

namespace {

std::vector<ResourceRef> Strays(const Inquiry& ask, const PoolState& state) {
  std::vector<ResourceRef> strays;
  for (const ChatServer& server : ask.pool.chat_servers) {
    const ResourceRef ref = RefOf(server);
    const bool comes = !ask.seen.Connected(ref.host) && state.fence_due.contains(ref);
    if (state.active_chat.contains(ref) || comes || !SeenToServe(ask.seen, ref)) continue;
    strays.push_back(ref);
  }
  return strays;
}

}  // namespace

void AddStrays(const Inquiry& ask, const PoolState& state, ServingChat& serving) {
  for (const ResourceRef& ref : Strays(ask, state)) Sort(ask, ref, serving);
}

void AddLostStrays(const Inquiry& ask, const PoolState& state, ServingChat& serving) {
  for (const ResourceRef& ref : Strays(ask, state)) {
    if (!ask.seen.Connected(ref.host) && SaidLost(ask, ref.host)) serving.lost.push_back(ref);
  }
}

}  // namespace baton
