#include "tests/unit/cli/sample_messages.h"

#include <string>

#include "common/rpc/protocol_proto.h"

namespace baton {
namespace {

struct SampleStep {
  const char* host;
  const char* resource;
  const char* title;
  const char* documented_as;
  bool critical;
};

constexpr SampleStep kSteps[] = {
    {"hq-sql1", "mgc", "Check mgc on hq-sql1", "", false},
    {"", "", "Raise the epoch", "", false},
    {"hq-chat1", "prosody", "Drain hq-chat1", "B1", true},
    {"hq-sql1", "mgc", "Ship the tail of mgc on hq-sql1", "F2", true},
    {"dr-sql1", "mgc", "Recover mgc on dr-sql1", "F4", true},
    {"dr-chat1", "prosody", "Post and read back on dr-chat1", "", false},
};

v1::MemberStatus Member(const std::string& host, const std::string& resource,
                        const std::string& kind, const std::string& assigned) {
  v1::MemberStatus member;
  member.mutable_resource()->set_host(host);
  member.mutable_resource()->set_resource(resource);
  member.set_site(host.substr(0, 2));
  member.set_kind(kind);
  member.set_assigned(assigned);
  member.set_agent_connected(true);
  v1::Observation& seen = *member.mutable_observation();
  seen.set_resource(resource);
  seen.set_pool("chat.example.com");
  seen.set_service_managed(true);
  seen.mutable_fence()->set_file_readable(true);
  seen.mutable_fence()->mutable_fence_epoch()->set_generation(1);
  seen.mutable_fence()->mutable_fence_epoch()->set_counter(3);
  *member.mutable_observe_time() = ToProto(SampleNow() - absl::Milliseconds(400));
  return member;
}

v1::Agent Agent(const std::string& host, const std::string& resource, bool connected) {
  v1::Agent agent;
  agent.set_host(host);
  agent.set_site(host.substr(0, 2));
  agent.set_connected(connected);
  agent.set_version("0.1.0");
  agent.set_ledger_id("9b1f" + host + "cafe0123456789");
  agent.set_address("127.0.0.1:40001");
  *agent.mutable_last_report_time() =
      ToProto(SampleNow() - (connected ? absl::Milliseconds(200) : absl::Minutes(75)));
  v1::ResourceRef& ref = *agent.add_resources();
  ref.set_host(host);
  ref.set_resource(resource);
  return agent;
}

}  // namespace

v1::MemberStatus SampleDatabase(const std::string& host, bool primary) {
  v1::MemberStatus member = Member(host, "mgc", "database", primary ? "writer" : "standby");
  member.mutable_observation()->mutable_fence()->set_phase(primary ? v1::FENCE_PHASE_OPEN
                                                                   : v1::FENCE_PHASE_CLOSED);
  v1::DatabaseObservation& database = *member.mutable_observation()->mutable_database();
  database.set_state(primary ? v1::DATABASE_STATE_PRIMARY : v1::DATABASE_STATE_STANDBY);
  database.mutable_position()->set_timeline(3);
  database.mutable_position()->set_lsn(primary ? 0x3000060 : 0x3000000);
  if (primary) database.set_client_sessions(12);
  if (!primary) {
    database.set_lag_bytes(96);
    *database.mutable_lag() = ToProto(absl::Milliseconds(700));
  }
  return member;
}

v1::MemberStatus SampleChat(const std::string& host, bool active) {
  v1::MemberStatus member = Member(host, "prosody", "chat", active ? "active" : "idle");
  member.mutable_observation()->mutable_fence()->set_phase(active ? v1::FENCE_PHASE_OPEN
                                                                  : v1::FENCE_PHASE_CLOSED);
  v1::ChatObservation& chat = *member.mutable_observation()->mutable_chat();
  chat.set_state(active ? v1::CHAT_STATE_SERVING : v1::CHAT_STATE_DOWN);
  chat.set_points_at(host.substr(0, 2) + "-sql1");
  if (active) chat.set_users(230);
  return member;
}

absl::Time SampleNow() {
  return absl::FromCivil(absl::CivilSecond(2026, 1, 31, 14, 5, 0), absl::UTCTimeZone());
}

v1::ListPoolsResponse SamplePools() {
  v1::ListPoolsResponse pools;
  v1::PoolStatus& pool = *pools.add_pools();
  pool.set_pool("chat.example.com");
  pool.set_adopted(true);
  pool.mutable_epoch()->set_generation(1);
  pool.mutable_epoch()->set_counter(3);
  pool.set_home_site("hq");
  pool.set_backup_site("dr");
  pool.set_serving_site("hq");
  *pool.add_members() = SampleDatabase("hq-sql1", true);
  *pool.add_members() = SampleDatabase("dr-sql1", false);
  *pool.add_members() = SampleChat("hq-chat1", true);
  *pool.add_members() = SampleChat("dr-chat1", false);
  pool.set_switchover_ready(true);
  pool.set_protected_(true);
  *pool.add_losses() = SampleLoss();
  return pools;
}

v1::ListAgentsResponse SampleAgents() {
  v1::ListAgentsResponse agents;
  *agents.add_agents() = Agent("hq-sql1", "mgc", true);
  *agents.add_agents() = Agent("dr-sql1", "mgc", false);
  v1::Agent& refused = *agents.mutable_agents(1);
  refused.set_refused("it shows another ledger than the one known");
  refused.set_refused_ledger_id("77aa00ff");
  return agents;
}

v1::AnnouncedLoss SampleLoss() {
  v1::AnnouncedLoss loss;
  loss.set_database("mgc");
  loss.mutable_kept()->set_timeline(3);
  loss.mutable_kept()->set_lsn(0x3000000);
  *loss.mutable_last_commit_time() = ToProto(SampleNow() - absl::Milliseconds(2400));
  loss.mutable_lost_end()->set_timeline(3);
  loss.mutable_lost_end()->set_lsn(0x3000060);
  *loss.mutable_report_age() = ToProto(absl::Milliseconds(900));
  *loss.mutable_window() = ToProto(absl::Milliseconds(2400));
  loss.set_bytes(96);
  return loss;
}

v1::Refusal SampleRefusal() {
  v1::Refusal refusal;
  refusal.set_rule("LAG_OVER_LIMIT");
  refusal.set_subject("dr-sql1/mgc");
  refusal.set_found("41 s");
  refusal.set_wanted("at most 30 s");
  refusal.set_remedy("look at the share dr-logs, then: baton status chat.example.com");
  return refusal;
}

v1::Plan SamplePlan() {
  v1::Plan plan;
  plan.set_name("pools/chat.example.com/plans/7f3a91");
  plan.set_pool("chat.example.com");
  plan.set_kind(v1::PLAN_KIND_SWITCHOVER);
  plan.set_reason("patching hq");
  plan.set_requested_by("alice@ops1");
  plan.set_from_site("hq");
  plan.set_to_site("dr");
  plan.mutable_epoch_before()->set_generation(1);
  plan.mutable_epoch_before()->set_counter(3);
  plan.mutable_epoch()->set_generation(1);
  plan.mutable_epoch()->set_counter(4);
  *plan.mutable_create_time() = ToProto(SampleNow());
  plan.set_state(v1::PLAN_STATE_RUNNING);
  plan.add_explanation("dr-chat1 serves: the only idle server at dr");
  for (const SampleStep& sample : kSteps) {
    v1::Step& step = *plan.add_steps();
    step.set_index(static_cast<uint32_t>(plan.steps_size()) - 1);
    step.set_title(sample.title);
    step.set_documented_as(sample.documented_as);
    step.set_critical(sample.critical);
    step.set_state(v1::STEP_STATE_PENDING);
    if (step.index() > 0) step.add_after(step.index() - 1);
    if (*sample.host == '\0') continue;
    step.mutable_target()->set_host(sample.host);
    step.mutable_target()->set_resource(sample.resource);
  }
  v1::Step& undo = *plan.add_steps();
  undo.set_index(static_cast<uint32_t>(plan.steps_size()) - 1);
  undo.set_title("Activate hq-chat1 again");
  undo.set_undo(true);
  undo.set_state(v1::STEP_STATE_PENDING);
  return plan;
}

v1::Plan SamplePlanWith(int count) {
  v1::Plan plan = SamplePlan();
  for (int i = 0; i < count; ++i) {
    v1::Step& step = *plan.mutable_steps(i);
    step.set_state(v1::STEP_STATE_SUCCEEDED);
    step.set_attempt(1);
    *step.mutable_start_time() = ToProto(SampleNow() + i * absl::Milliseconds(40));
    *step.mutable_end_time() = ToProto(SampleNow() + (i + 1) * absl::Milliseconds(40));
    step.mutable_outcome()->set_code(v1::OUTCOME_CODE_OK);
  }
  return plan;
}

v1::Plan EndedPlan(v1::PlanState state) {
  v1::Plan plan = SamplePlanWith(6);
  plan.set_state(state);
  plan.mutable_steps(6)->set_state(v1::STEP_STATE_SKIPPED);
  *plan.mutable_end_time() = ToProto(SampleNow() + absl::Milliseconds(240));
  return plan;
}

}  // namespace baton
