#include "coordinator/planner/candidates.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/explain.h"
#include "coordinator/planner/word.h"

namespace baton {
namespace {

// How the right comes out of the hands of nobody again.
std::string RemedyOfNoWriter(const Inquiry& ask, const PoolState& state,
                             const DatabaseId& database) {
  const auto right = state.rights.find(database);
  const bool known = right != state.rights.end() && !right->second.lineages.empty();
  if (!known) {
    return absl::StrCat(
        "a database that is new to an adopted pool gets no first right alone: "
        "baton topology apply FILE --reason TEXT with policy: ignore for ",
        database.value(), ", or without it");
  }
  const std::string last = right->second.lineages.back().instance.value();
  const std::string& pool = ask.pool.id.value();
  return absl::StrCat("baton adopt ", pool, " --reason TEXT gives it back to ", last, "; if ", last,
                      " cannot take it: baton failover ", pool, " --reason TEXT");
}

void AddMove(const Inquiry& ask, const PoolState& state, const Database& database, Mover mover,
             std::vector<DatabaseMove>& moves) {
  const auto right = state.rights.find(database.id);
  HostId writer = right == state.rights.end() ? HostId() : right->second.writer;
  const bool between =
      right != state.rights.end() && writer.empty() && !right->second.lineages.empty();
  if (between && mover == Mover::kLastHolder) writer = right->second.lineages.back().instance;
  const Instance* from = database.OnHost(writer);
  if (from == nullptr || right->second.lineages.empty()) {
    ask.refusals.Add("WRITER_UNKNOWN", database.id.value(),
                     writer.empty() ? "no instance holds the right to write"
                                    : absl::StrCat(writer.value(), " holds the right to write"),
                     "an instance of the topology that holds it",
                     writer.empty()
                         ? RemedyOfNoWriter(ask, state, database.id)
                         : absl::StrCat("name that instance again: baton topology apply FILE "
                                        "--reason TEXT"));
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

// Databases that a move which was given up had brought where the others still go.
void DropArrived(const Topology& topology, std::vector<DatabaseMove>& moves) {
  const auto between = std::find_if(moves.begin(), moves.end(), [](const DatabaseMove& move) {
    return move.right->writer.empty();
  });
  if (between == moves.end()) return;
  const SiteId to = topology.SiteOf(between->to->host);
  std::erase_if(moves, [&](const DatabaseMove& move) {
    return !move.right->writer.empty() && topology.SiteOf(move.from->host) == to;
  });
}

// What speaks against a chat server, whatever the number wanted; empty: nothing.
std::string Unfit(const Inquiry& ask, const ChatServer& server, const SiteId& site) {
  const Topology& topology = *ask.seen.topology;
  const SiteId own = topology.SiteOf(server.host);
  if (topology.LinkBetween(own, site) != LinkKind::kNear) {
    return absl::StrCat("at ", own.value(), ", far from the database at ", site.value());
  }
  if (SaidLost(ask, server.host)) return "lost, as was said";
  if (!ask.seen.Connected(server.host)) return "its agent is not connected";
  const auto found = ask.seen.resources.find(RefOf(server));
  if (found == ask.seen.resources.end()) return "its agent does not report it";
  const absl::Duration age = ask.seen.as_of - found->second.at;
  if (age > ask.policy.observation_age_max) {
    return absl::StrCat("last seen ", absl::FormatDuration(age), " ago");
  }
  const Observation& seen = found->second.observation;
  if (!seen.service_managed) return "its supervisor does not answer";
  if (seen.chat() == nullptr || seen.chat()->state == ChatState::kUnknown) {
    return seen.chat() == nullptr || seen.chat()->problem.empty()
               ? std::string("it could not be looked at")
               : absl::StrCat("it could not be looked at: ", seen.chat()->problem);
  }
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state != nullptr && state->fence_due.contains(RefOf(server))) {
    return "it came back and is to be fenced first";
  }
  return "";
}

}  // namespace

const Instance* OtherInstance(const Topology& topology, const Database& database,
                              const Instance& from) {
  for (const Instance& instance : database.instances) {
    const bool plain =
        instance.role == InstanceRole::kPrimary || instance.role == InstanceRole::kBackup;
    if (plain && topology.SiteOf(instance.host) != topology.SiteOf(from.host)) return &instance;
  }
  return nullptr;
}

Lineage Written(const DatabaseMove& move, const Instance& instance, const Epoch& epoch) {
  return {move.right->system_id, epoch, instance.host, instance.share, std::nullopt};
}

std::vector<DatabaseMove> ChooseMoves(const Inquiry& ask, Mover mover) {
  std::vector<DatabaseMove> moves;
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state == nullptr || !state->adopted) {
    ask.refusals.Add("POOL_NOT_ADOPTED", ask.pool.id.value(), "no epoch in this journal",
                     "an adopted pool",
                     absl::StrCat("baton adopt ", ask.pool.id.value(), " --reason TEXT"));
    return moves;
  }
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    AddMove(ask, *state, *database, mover, moves);
  }
  const Topology& topology = *ask.seen.topology;
  if (mover == Mover::kLastHolder) DropArrived(topology, moves);
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
