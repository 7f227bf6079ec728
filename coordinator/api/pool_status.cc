#include "coordinator/api/pool_status.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/rpc/protocol_proto.h"
#include "coordinator/planner/losses.h"
#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

std::string Differs(const char* what, std::string_view found, const char* wanted) {
  return absl::StrCat(what, " is ", std::string(found), ", wanted ", wanted);
}

// A former writer that is fenced and follows nobody.
bool ReturnedFenced(const Observation& seen, const WriteRight& right, const HostId& host) {
  const DatabaseObservation* database = seen.database();
  const bool fenced = seen.fence.proven && (seen.fence.phase == FencePhase::kClosing ||
                                            seen.fence.phase == FencePhase::kClosed);
  const bool wrote = std::any_of(right.lineages.begin(), right.lineages.end(),
                                 [&](const Lineage& lineage) { return lineage.instance == host; });
  return database != nullptr && fenced && wrote && right.writer != host &&
         database->state == DatabaseState::kDown && !right.followers.contains(host);
}

// How far its log goes beyond where the present writer left it.
uint64_t OrphanBytes(const Observation& seen, const WriteRight& right) {
  const DatabaseObservation* database = seen.database();
  if (database == nullptr || database->state != DatabaseState::kDown || right.fork.none() ||
      database->log_end.none() || database->log_end.timeline >= right.fork.timeline ||
      database->log_end.lsn <= right.fork.lsn) {
    return 0;
  }
  return database->log_end.lsn - right.fork.lsn;
}

std::string DatabaseDrift(const Observation& seen, bool writer) {
  std::vector<std::string> drifts;
  const DatabaseObservation* database = seen.database();
  if (database == nullptr) return "it is seen as no database";
  const DatabaseState wanted = writer ? DatabaseState::kPrimary : DatabaseState::kStandby;
  if (database->state != wanted) {
    drifts.push_back(
        Differs("database", ToString(database->state), writer ? "primary" : "standby"));
  }
  if (writer && seen.fence.phase != FencePhase::kOpen) {
    drifts.push_back(Differs("fence", ToString(seen.fence.phase), "open"));
  } else if (!writer && seen.fence.phase != FencePhase::kClosed) {
    drifts.push_back(Differs("fence", ToString(seen.fence.phase), "closed"));
  }
  return absl::StrJoin(drifts, "; ");
}

std::string ChatDrift(const Observation& seen, bool active, const PoolState& known) {
  std::vector<std::string> drifts;
  const ChatObservation* chat = seen.chat();
  if (chat == nullptr) return "it is seen as no chat server";
  if (active && chat->state != ChatState::kServing) {
    drifts.push_back(Differs("chat", ToString(chat->state), "serving"));
  } else if (!active && chat->state != ChatState::kDown) {
    drifts.push_back(Differs("chat", ToString(chat->state), "down"));
  }
  if (active) {
    bool to_writer = false;
    for (const auto& [id, right] : known.rights) to_writer |= right.writer == chat->points_at;
    if (!to_writer) {
      drifts.push_back(
          absl::StrCat("it uses the database on ",
                       chat->points_at.empty() ? "no known host" : chat->points_at.value(),
                       ", wanted the one that may be written"));
    }
  }
  return absl::StrJoin(drifts, "; ");
}

v1::MemberStatus MemberOf(const Snapshot& seen, const ResourceRef& ref, const char* kind,
                          const char* assigned) {
  v1::MemberStatus member;
  *member.mutable_resource() = ToProto(ref);
  member.set_site(seen.topology->SiteOf(ref.host).value());
  member.set_kind(kind);
  member.set_assigned(assigned);
  member.set_agent_connected(seen.Connected(ref.host));
  const auto found = seen.resources.find(ref);
  if (found != seen.resources.end()) {
    *member.mutable_observation() = ToProto(found->second.observation);
    *member.mutable_observe_time() = ToProto(found->second.at);
  }
  return member;
}

// What is due to someone who lost its right while away.
void AddReturn(const PoolState& known, const ResourceRef& ref, v1::MemberStatus& member) {
  const auto due = known.fence_due.find(ref);
  if (due == known.fence_due.end()) return;
  *member.mutable_fence_due() = ToProto(due->second);
  const std::string drift =
      absl::StrCat("its right was taken while it was away: it is fenced under epoch ",
                   due->second.ToString(), " at its next contact");
  member.set_drift(member.drift().empty() ? drift : absl::StrCat(drift, "; ", member.drift()));
}

void DescribeReturned(const Pool& pool, const WriteRight& right, const Observation& seen,
                      v1::MemberStatus& member) {
  const uint64_t orphans = OrphanBytes(seen, right);
  member.set_orphan_bytes(orphans);
  member.set_assigned("returned, fenced");
  const std::string holds =
      orphans == 0 ? "nothing is known of log that it alone has"
                   : absl::StrCat("about ", orphans, " bytes of its log are here alone");
  member.set_drift(
      absl::StrCat("it follows nobody, and ", holds, "; next: baton protect ", pool.id.value()));
}

void AddMembers(const Snapshot& seen, const Pool& pool, const PoolState& known,
                v1::PoolStatus& status) {
  for (const Database& database : pool.databases) {
    const auto right = known.rights.find(database.id);
    for (const Instance& instance : database.instances) {
      const ResourceRef ref{instance.host, instance.service};
      const bool writer = right != known.rights.end() && right->second.writer == instance.host;
      v1::MemberStatus member = MemberOf(seen, ref, "database", writer ? "writer" : "standby");
      const Observation* observation = seen.Find(ref);
      if (known.adopted && observation != nullptr) {
        member.set_drift(DatabaseDrift(*observation, writer));
      }
      if (known.adopted && observation != nullptr && right != known.rights.end() &&
          !known.fence_due.contains(ref) &&
          ReturnedFenced(*observation, right->second, instance.host)) {
        DescribeReturned(pool, right->second, *observation, member);
      }
      AddReturn(known, ref, member);
      if (writer) status.set_serving_site(seen.topology->SiteOf(instance.host).value());
      *status.add_members() = std::move(member);
    }
  }
  for (const ChatServer& server : pool.chat_servers) {
    const ResourceRef ref{server.host, server.service};
    const bool active = known.active_chat.contains(ref);
    v1::MemberStatus member = MemberOf(seen, ref, "chat", active ? "active" : "idle");
    const Observation* observation = seen.Find(ref);
    if (known.adopted && observation != nullptr) {
      member.set_drift(ChatDrift(*observation, active, known));
    }
    AddReturn(known, ref, member);
    *status.add_members() = std::move(member);
  }
}

// Why nobody would take over from the writer of `database` without loss of more than what is under
// way; empty: somebody would.
std::string Unprotected(const Snapshot& seen, const PoolState& known, const Pool& pool,
                        const Database& database) {
  const std::string& name = database.id.value();
  const auto right = known.rights.find(database.id);
  if (right == known.rights.end() || right->second.writer.empty()) {
    return absl::StrCat(name, ": nobody has the right to write it; next: baton adopt ",
                        pool.id.value());
  }
  std::vector<std::string> lacking;
  for (const HostId& host : right->second.followers) {
    const Instance* instance = database.OnHost(host);
    if (instance == nullptr) continue;
    const Observation* observation = seen.Find({host, instance->service});
    const DatabaseObservation* follower =
        observation == nullptr ? nullptr : observation->database();
    if (!seen.Connected(host)) {
      lacking.push_back(absl::StrCat("the agent of ", host.value(), " is not connected"));
    } else if (follower == nullptr || follower->state != DatabaseState::kStandby) {
      lacking.push_back(absl::StrCat(host.value(), " does not run as a standby"));
    } else if (!follower->gap.empty()) {
      lacking.push_back(absl::StrCat(host.value(), " lacks log file ", follower->gap));
    } else {
      return "";
    }
  }
  if (lacking.empty()) {
    return absl::StrCat(name, ": nobody follows ", right->second.writer.value(),
                        "; next: baton protect ", pool.id.value());
  }
  return absl::StrCat(name, ": ", absl::StrJoin(lacking, ", "));
}

void AddProtection(const Snapshot& seen, const Pool& pool, const PoolState& known,
                   v1::PoolStatus& status) {
  if (!known.adopted) return;
  std::vector<std::string> lacking;
  for (const Database* database : ProtectedDatabases(pool)) {
    const std::string why = Unprotected(seen, known, pool, *database);
    if (!why.empty()) lacking.push_back(why);
  }
  status.set_protected_(lacking.empty());
  status.set_protection(absl::StrJoin(lacking, "; "));
  for (const AnnouncedLoss& loss : LossesNow(seen, pool)) *status.add_losses() = ToProto(loss);
}

}  // namespace

v1::PoolStatus DescribePool(const Snapshot& seen, const Policy& policy, const Pool& pool,
                            const Execution* running) {
  static const PoolState kUnknown;
  const PoolState* found = seen.FindPoolState(pool.id);
  const PoolState& known = found == nullptr ? kUnknown : *found;
  v1::PoolStatus status;
  status.set_pool(pool.id.value());
  status.set_adopted(known.adopted);
  *status.mutable_epoch() = ToProto(known.epoch);
  status.set_home_site(pool.home.value());
  status.set_backup_site(pool.backup.value());
  AddMembers(seen, pool, known, status);
  AddProtection(seen, pool, known, status);
  if (running != nullptr) *status.mutable_plan() = ToProto(*running);
  Goal goal;
  goal.kind = PlanKind::kSwitchover;
  goal.pool = pool.id;
  goal.plan_id = PlanId("readiness");
  const Planned planned = MakePlan(seen, goal, policy);
  status.set_switchover_ready(planned.plan.has_value());
  for (const Refusal& refusal : planned.refusals) *status.add_not_ready() = ToProto(refusal);
  return status;
}

}  // namespace baton
