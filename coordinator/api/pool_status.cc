#include "coordinator/api/pool_status.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/rpc/protocol_proto.h"
#include "coordinator/planner/planner.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

std::string Differs(const char* what, std::string_view found, const char* wanted) {
  return absl::StrCat(what, " is ", std::string(found), ", wanted ", wanted);
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
    *status.add_members() = std::move(member);
  }
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
