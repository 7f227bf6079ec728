#include "coordinator/planner/preflight.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

std::string MajorVersion(const std::string& version) {
  return version.substr(0, version.find('.'));
}

void CheckSupported(const Inquiry& ask, const Database& database) {
  const auto unsupported = [&](std::string found, std::string wanted) {
    ask.refusals.Add("TOPOLOGY_UNSUPPORTED", database.id.value(), std::move(found),
                     std::move(wanted),
                     "change the topology: baton topology apply FILE --reason TEXT");
  };
  for (const Instance& instance : database.instances) {
    if (instance.role == InstanceRole::kPrimaryMirror ||
        instance.role == InstanceRole::kBackupMirror) {
      unsupported(absl::StrCat(std::string(ToString(instance.role)), " on ", instance.host.value()),
                  "one instance per site");
    }
    if (ask.seen.topology->shares.find(instance.share) == ask.seen.topology->shares.end()) {
      ask.refusals.Add("SHARE_UNKNOWN", RefOf(instance).ToString(),
                       absl::StrCat("share \"", instance.share.value(), "\""),
                       "a share that the topology names",
                       "name it under shares: and baton topology apply FILE --reason TEXT");
    }
  }
  if (database.shipping_mode != ShippingMode::kArchive) {
    unsupported("shipping mode streaming", "shipping mode archive");
  }
  if (database.shipping_method != ShippingMethod::kCopy) {
    unsupported("shipping method pgbackrest", "shipping method copy");
  }
}

// A cluster is shipped as a whole: what is not to move may not live in one that moves.
void CheckClusters(const Inquiry& ask, const Database& moved) {
  for (const Database& other : ask.pool.databases) {
    if (other.policy != DatabasePolicy::kIgnore) continue;
    for (const Instance& instance : other.instances) {
      const Instance* same = moved.OnHost(instance.host);
      if (same == nullptr || same->service != instance.service) continue;
      ask.refusals.Add("IGNORED_DATABASE_SHARES_CLUSTER", RefOf(instance).ToString(),
                       absl::StrCat(other.id.value(), " (ignore) in the cluster of ",
                                    moved.id.value(), " (protect)"),
                       "a cluster of its own for a database that is not moved",
                       "move it to another cluster, or protect it");
    }
  }
}

}  // namespace

void Refusals::Add(std::string rule, std::string subject, std::string found, std::string wanted,
                   std::string remedy) {
  Refusal refusal{std::move(rule), std::move(subject), std::move(found), std::move(wanted),
                  std::move(remedy)};
  if (std::find(all_.begin(), all_.end(), refusal) == all_.end()) all_.push_back(refusal);
}

ResourceRef RefOf(const Instance& instance) { return {instance.host, instance.service}; }
ResourceRef RefOf(const ChatServer& server) { return {server.host, server.service}; }

std::vector<const Database*> ProtectedDatabases(const Pool& pool) {
  std::vector<const Database*> found;
  for (const Database& database : pool.databases) {
    if (database.policy == DatabasePolicy::kProtect) found.push_back(&database);
  }
  return found;
}

const Pool* CheckPool(const Snapshot& seen, const Goal& goal, Refusals& refusals) {
  const Pool* pool = seen.topology == nullptr ? nullptr : seen.topology->FindPool(goal.pool);
  if (pool == nullptr) {
    refusals.Add("POOL_UNKNOWN", goal.pool.value(), "no pool of this name in the topology",
                 "a pool of the topology", "baton topology show");
    return nullptr;
  }
  const auto running = seen.running.find(goal.pool);
  if (running != seen.running.end()) {
    refusals.Add("PLAN_RUNNING", goal.pool.value(),
                 absl::StrCat("plan ", running->second.value(), " has not ended"),
                 "one plan per pool at a time",
                 absl::StrCat("baton plan show ", running->second.value()));
  }
  return pool;
}

void CheckTopology(const Inquiry& ask) {
  const std::vector<const Database*> moved = ProtectedDatabases(ask.pool);
  if (moved.empty()) {
    ask.refusals.Add("NOTHING_TO_PROTECT", ask.pool.id.value(), "no database with policy protect",
                     "at least one", "baton topology apply FILE --reason TEXT");
  }
  if (ask.pool.fencing == FencingPolicy::kLease) {
    ask.refusals.Add("TOPOLOGY_UNSUPPORTED", ask.pool.id.value(), "fencing lease",
                     "fencing operator",
                     "change the topology: baton topology apply FILE --reason TEXT");
  }
  for (const Database* database : moved) {
    CheckSupported(ask, *database);
    CheckClusters(ask, *database);
  }
}

const Observation* CheckSeen(const Inquiry& ask, const ResourceRef& ref) {
  const auto agent = ask.seen.agents.find(ref.host);
  if (agent == ask.seen.agents.end() || !agent->second.connected) {
    ask.refusals.Add("AGENT_NOT_CONNECTED", ref.host.value(),
                     agent == ask.seen.agents.end() ? "never seen" : "no session",
                     "a connected agent", absl::StrCat("start baton-agent on ", ref.host.value()));
    return nullptr;
  }
  const auto resource = ask.seen.resources.find(ref);
  if (resource == ask.seen.resources.end()) {
    ask.refusals.Add(
        "OBSERVATION_MISSING", ref.ToString(), "its agent reports no such resource",
        "a report of it",
        absl::StrCat("put a resource file for ", ref.resource.value(), " on ", ref.host.value()));
    return nullptr;
  }
  const absl::Duration age = ask.seen.as_of - resource->second.at;
  if (age > ask.policy.observation_age_max) {
    ask.refusals.Add("OBSERVATION_STALE", ref.ToString(),
                     absl::StrCat("last seen ", absl::FormatDuration(age), " ago"),
                     absl::StrCat("at most ", absl::FormatDuration(ask.policy.observation_age_max)),
                     absl::StrCat("see why the agent on ", ref.host.value(), " reports nothing"));
    return nullptr;
  }
  return &resource->second.observation;
}

namespace {

void CheckManaged(const Inquiry& ask, const ResourceRef& ref, const Observation& seen) {
  if (seen.service_managed) return;
  ask.refusals.Add(
      "SERVICE_NOT_MANAGED", ref.ToString(), "its supervisor does not answer",
      "a supervisor that starts and stops it through the gate",
      absl::StrCat("start baton-guard run ", ref.resource.value(), " on ", ref.host.value()));
}

}  // namespace

const DatabaseObservation* CheckDatabaseSeen(const Inquiry& ask, const ResourceRef& ref) {
  const Observation* seen = CheckSeen(ask, ref);
  if (seen == nullptr) return nullptr;
  CheckManaged(ask, ref, *seen);
  const DatabaseObservation* database = seen->database();
  // Of one that is down and could be looked at: why its last start failed, under a fence that may
  // have changed since. Its next start tells.
  const bool down = database != nullptr && database->state == DatabaseState::kDown &&
                    !database->system_id.empty();
  if (database == nullptr || database->state == DatabaseState::kUnknown ||
      (!database->problem.empty() && !down)) {
    ask.refusals.Add("DATABASE_UNHEALTHY", ref.ToString(),
                     database == nullptr         ? "not a database"
                     : database->problem.empty() ? "could not be looked at"
                                                 : database->problem,
                     "a database that can be looked at and endangers no data",
                     absl::StrCat("mend it on ", ref.host.value()));
    return nullptr;
  }
  return database;
}

const ChatObservation* CheckChatSeen(const Inquiry& ask, const ResourceRef& ref) {
  const Observation* seen = CheckSeen(ask, ref);
  if (seen == nullptr) return nullptr;
  CheckManaged(ask, ref, *seen);
  const ChatObservation* chat = seen->chat();
  if (chat == nullptr || chat->state == ChatState::kUnknown) {
    ask.refusals.Add("CHAT_UNHEALTHY", ref.ToString(),
                     chat == nullptr         ? "not a chat server"
                     : chat->problem.empty() ? "could not be looked at"
                                             : chat->problem,
                     "a chat server that can be looked at",
                     absl::StrCat("mend it on ", ref.host.value()));
    return nullptr;
  }
  return chat;
}

bool RefuseAbsentWriter(const Inquiry& ask, const ResourceRef& ref) {
  if (ask.seen.Connected(ref.host)) return false;
  ask.refusals.Add("AGENT_NOT_CONNECTED", ref.host.value(), "no session", "a connected agent",
                   absl::StrCat("start baton-agent on ", ref.host.value(),
                                "; if the host is gone: baton failover ", ask.pool.id.value(),
                                " --lost-host ", ref.host.value(), " --reason TEXT"));
  return true;
}

bool IsInRecovery(const DatabaseObservation& seen) {
  return seen.state == DatabaseState::kStandby ||
         (seen.state == DatabaseState::kDown && seen.in_recovery);
}

void CheckTwins(const Inquiry& ask, const ResourceRef& a, const ResourceRef& b) {
  const Observation* one = ask.seen.Find(a);
  const Observation* other = ask.seen.Find(b);
  if (one == nullptr || other == nullptr) return;
  const DatabaseObservation* left = one->database();
  const DatabaseObservation* right = other->database();
  if (left == nullptr || right == nullptr) return;
  if (!left->system_id.empty() && !right->system_id.empty() &&
      left->system_id != right->system_id) {
    ask.refusals.Add("SYSTEM_ID_DIFFERS", b.ToString(), right->system_id,
                     absl::StrCat(left->system_id, ", as on ", a.host.value()),
                     absl::StrCat("it is another database: move its data directory aside by hand, "
                                  "then baton protect ",
                                  ask.pool.id.value(), " --reason TEXT"));
  }
  if (!left->version.empty() && !right->version.empty() &&
      MajorVersion(left->version) != MajorVersion(right->version)) {
    ask.refusals.Add(
        "VERSION_DIFFERS", b.ToString(), right->version,
        absl::StrCat("major version ", MajorVersion(left->version), ", as on ", a.host.value()),
        "bring both to one major version");
  }
}

}  // namespace baton
