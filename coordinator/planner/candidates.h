// Who serves next.
#pragma once

#include <string>
#include <vector>

#include "coordinator/model/topology.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// One database on its way from one instance to the other.
struct DatabaseMove {
  const Database* database = nullptr;
  const Instance* from = nullptr;
  const Instance* to = nullptr;
  const WriteRight* right = nullptr;
};

// The instance that stands for the database at the other site than `from`; null when there is none.
const Instance* OtherInstance(const Topology& topology, const Database& database,
                              const Instance& from);

// The right that `instance` of the moved database gets under `epoch`.
Lineage Written(const DatabaseMove& move, const Instance& instance, const Epoch& epoch);

enum class Mover {
  kHolder,      // only who holds the right to write gives it away
  kLastHolder,  // also who held it last, when a move was given up while nobody held it
};
// The instance that writes each protected database, and the one at the other site. Refuses
// POOL_NOT_ADOPTED, WRITER_UNKNOWN, NO_TARGET_INSTANCE, DATABASES_SPLIT (they write at several
// sites), EXPECTED_PRIMARY_DIFFERS. Holds only moves that are complete; with kLastHolder, none of a
// database that arrived where the others still go.
std::vector<DatabaseMove> ChooseMoves(const Inquiry& ask, Mover mover);

// Chat servers that may serve while the databases are writable at `site`, best first: those at the
// site, then those at a site near it (domain.md: every active server is at the site of the writable
// database or has a near link to it); among equals those that the topology wants active, then its
// order. At most limits.active_servers of those that can serve: agent connected, seen of late by
// it, supervised, no fence due, not lost by someone's word.
struct ChatChoice {
  std::vector<const ChatServer*> next;
  std::vector<std::string> explanation;  // one line per chat server: why, why not
};
ChatChoice ChooseChatServers(const Inquiry& ask, const SiteId& site);

}  // namespace baton
