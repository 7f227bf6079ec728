// The checks on a snapshot that plan kinds share. Each adds what speaks against the plan and says
// nothing else.
#pragma once

#include <string>
#include <vector>

#include "coordinator/model/goal.h"
#include "coordinator/model/plan.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/model/topology.h"

namespace baton {

// Reasons against a plan, each once, in the order found.
class Refusals {
 public:
  void Add(std::string rule, std::string subject, std::string found, std::string wanted,
           std::string remedy);
  bool empty() const { return all_.empty(); }
  std::vector<Refusal> Take() { return std::move(all_); }

 private:
  std::vector<Refusal> all_;
};

// What is asked, what is seen, and what is found against it.
struct Inquiry {
  const Snapshot& seen;
  const Goal& goal;
  const Policy& policy;
  const Pool& pool;
  Refusals& refusals;
};

// POOL_UNKNOWN, PLAN_RUNNING. Null when there is no such pool.
const Pool* CheckPool(const Snapshot& seen, const Goal& goal, Refusals& refusals);

// TOPOLOGY_UNSUPPORTED: what this version cannot move (mirrors, streaming, pgBackRest, leases);
// IGNORED_DATABASE_SHARES_CLUSTER: PostgreSQL ships clusters (protocol.md "Preflight refuses");
// SHARE_UNKNOWN; NOTHING_TO_PROTECT.
void CheckTopology(const Inquiry& ask);

// AGENT_NOT_CONNECTED, OBSERVATION_MISSING, OBSERVATION_STALE. Null when nothing fresh is known.
const Observation* CheckSeen(const Inquiry& ask, const ResourceRef& ref);
// Also SERVICE_NOT_MANAGED and DATABASE_UNHEALTHY (or CHAT_UNHEALTHY): usable by the engine's own
// checks only when not null.
const DatabaseObservation* CheckDatabaseSeen(const Inquiry& ask, const ResourceRef& ref);
const ChatObservation* CheckChatSeen(const Inquiry& ask, const ResourceRef& ref);

// Runs as a standby, or did when it was stopped.
bool IsInRecovery(const DatabaseObservation& seen);

// AGENT_NOT_CONNECTED, with the verb for a host that is gone for good: of an instance that holds
// the right to write. True when it was refused.
bool RefuseAbsentWriter(const Inquiry& ask, const ResourceRef& ref);

// SYSTEM_ID_DIFFERS, VERSION_DIFFERS (in the major version) between two instances of a database.
void CheckTwins(const Inquiry& ask, const ResourceRef& a, const ResourceRef& b);

// The databases that plans move: policy protect, in topology order.
std::vector<const Database*> ProtectedDatabases(const Pool& pool);

ResourceRef RefOf(const Instance& instance);
ResourceRef RefOf(const ChatServer& server);

}  // namespace baton
