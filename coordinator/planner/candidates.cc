#include "coordinator/planner/candidates.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/explain.h"

namespace baton {
namespace {

// The instance that stands for the database at the other site of the pool.
const Instance* OtherInstance(const Topology& topology, const Database& database,
                              const Instance& from) {
  for (const Instance& instance : database.instances) {
    const bool plain =
        instance.role == InstanceRole::kPrimary || instance.role == InstanceRole::kBackup;
    if (plain && topology.SiteOf(instance.host) != topology.SiteOf(from.host)) return &instance;
  }
  return nullptr;
}

void AddMove(const Inquiry& ask, const PoolState& state, const Database& database,
             std::vector<DatabaseMove>& moves) {
  const auto right = state.rights.find(database.id);
  const HostId writer = right == state.rights.end() ? HostId() : right->second.writer;
  const Instance* from = database.OnHost(writer);
  if (from == nullptr || right->second.lineages.empty()) {
    ask.refusals.Add("WRITER_UNKNOWN", database.id.value(),
                     writer.empty() ? "no instance holds the right to write"
                                    : absl::StrCat(writer.value(), " holds the right to write"),
                     "an instance of the topology that holds it", "baton status");
    return;
  }
  const Instance* to = OtherInstance(*ask.seen.topology, database, *from);
  if (to == nullptr) {
    ask.refusals.Add("NO_TARGET_INSTANCE", database.id.value(), "no instance at the other site",
                     "a backup to move to", "baton topology apply FILE --reason TEXT");
    return;
  }
  if (!ask.goal.expected_primary.empty() && ask.goal.expected_primary != writer) {
    ask.refusals.Add("EXPECTED_PRIMARY_DIFFERS", database.id.value(), writer.value(),
                     ask.goal.expected_primary.value(),
                     "look at baton status and ask again for what you want now");
  }
  moves.push_back({&database, from, to, &right->second});
}

// What speaks against a chat server, whatever the number wanted; empty: nothing.
std::string Unfit(const Inquiry& ask, const ChatServer& server, const SiteId& site) {
  const Topology& topology = *ask.seen.topology;
  const SiteId own = topology.SiteOf(server.host);
  if (topology.LinkBetween(own, site) != LinkKind::kNear) {
    return absl::StrCat("at ", own.value(), ", far from the database at ", site.value());
  }
  if (!ask.seen.Connected(server.host)) return "its agent is not connected";
  const Observation* seen = ask.seen.Find(RefOf(server));
  if (seen == nullptr) return "its agent does not report it";
  if (seen->chat() == nullptr || seen->chat()->state == ChatState::kUnknown) {
    return "it could not be looked at";
  }
  return "";
}

}  // namespace

std::vector<DatabaseMove> ChooseMoves(const Inquiry& ask) {
  std::vector<DatabaseMove> moves;
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state == nullptr || !state->adopted) {
    ask.refusals.Add("POOL_NOT_ADOPTED", ask.pool.id.value(), "no epoch in this journal",
                     "an adopted pool",
                     absl::StrCat("baton adopt ", ask.pool.id.value(), " --reason TEXT"));
    return moves;
  }
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    AddMove(ask, *state, *database, moves);
  }
  const Topology& topology = *ask.seen.topology;
  for (const DatabaseMove& move : moves) {
    const SiteId first = topology.SiteOf(moves.front().from->host);
    const SiteId own = topology.SiteOf(move.from->host);
    if (own == first) continue;
    ask.refusals.Add(
        "DATABASES_SPLIT", move.database->id.value(), absl::StrCat("writable at ", own.value()),
        absl::StrCat("all of the pool's databases at ", first.value()), "baton status");
  }
  return moves;
}

ChatChoice ChooseChatServers(const Inquiry& ask, const SiteId& site) {
  const Topology& topology = *ask.seen.topology;
  std::vector<const ChatServer*> ranked;
  for (const ChatServer& server : ask.pool.chat_servers) ranked.push_back(&server);
  std::stable_sort(ranked.begin(), ranked.end(), [&](const ChatServer* a, const ChatServer* b) {
    const auto rank = [&](const ChatServer* server) {
      return std::make_tuple(topology.SiteOf(server->host) != site, !server->active);
    };
    return rank(a) < rank(b);
  });
  ChatChoice choice;
  for (const ChatServer* server : ranked) {
    const std::string why_not = Unfit(ask, *server, site);
    if (!why_not.empty()) {
      choice.explanation.push_back(ExplainChat(*server, false, why_not));
    } else if (static_cast<int>(choice.next.size()) >= ask.pool.limits.active_servers) {
      choice.explanation.push_back(
          ExplainChat(*server, false,
                      absl::StrCat("spare, the limit of ", ask.pool.limits.active_servers,
                                   " active servers is reached")));
    } else {
      choice.next.push_back(server);
      choice.explanation.push_back(
          ExplainChat(*server, true,
                      topology.SiteOf(server->host) == site
                          ? absl::StrCat("at ", site.value(), ", where the database is writable")
                          : absl::StrCat("at ", topology.SiteOf(server->host).value(), ", near ",
                                         site.value())));
    }
  }
  if (choice.next.empty() && !ask.pool.chat_servers.empty()) {
    std::string found = "none that may and can serve:";
    for (const std::string& line : choice.explanation) absl::StrAppend(&found, " ", line, ";");
    found.pop_back();
    ask.refusals.Add("NO_CHAT_CANDIDATE", site.value(), found,
                     "a chat server at the site of the writable database or near it",
                     "start an agent and its chat server there");
  }
  return choice;
}

}  // namespace baton
