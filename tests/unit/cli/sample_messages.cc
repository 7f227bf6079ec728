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

v1::MemberStatus Database(const std::string& host, bool primary) {
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

v1::MemberStatus Chat(const std::string& host, bool active) {
  v1::MemberStatus member = Member(host, "prosody", "chat", active ? "active" : "idle");
  member.mutable_observation()->mutable_fence()->set_phase(active ? v1::FENCE_PHASE_OPEN
                                                                  : v1::FENCE_PHASE_CLOSED);
  v1::ChatObservation& chat = *member.mutable_observation()->mutable_chat();
  chat.set_state(active ? v1::CHAT_STATE_SERVING : v1::CHAT_STATE_DOWN);
  chat.set_points_at(host.substr(0, 2) + "-sql1");
  if (active) chat.set_users(230);
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
  *pool.add_members() = Database("hq-sql1", true);
  *pool.add_members() = Database("dr-sql1", false);
  *pool.add_members() = Chat("hq-chat1", true);
  *pool.add_members() = Chat("dr-chat1", false);
  pool.set_switchover_ready(true);
  pool.set_protected_(true);
  *pool.add_losses() = SampleLoss();
  return pools;
}

v1::ListPoolsResponse FailedOverPools() {
  v1::ListPoolsResponse pools = SamplePools();
  v1::PoolStatus& pool = *pools.mutable_pools(0);
  pool.mutable_epoch()->set_counter(4);
  pool.set_serving_site("dr");
  pool.set_switchover_ready(false);
  pool.set_protected_(false);
  pool.set_protection("mgc: no instance follows dr-sql1 since 2026-01-31T14:03:00Z");
  pool.clear_losses();
  pool.mutable_members(1)->CopyFrom(Database("dr-sql1", true));
  v1::MemberStatus& old = *pool.mutable_members(0);
  old = Database("hq-sql1", false);
  old.set_orphan_bytes(1'400'000);
  old.mutable_observation()->mutable_fence()->set_proven(true);
  v1::DatabaseObservation& database = *old.mutable_observation()->mutable_database();
  database.Clear();
  database.set_state(v1::DATABASE_STATE_DOWN);
  v1::QuarantineEntry& entry = *database.add_quarantine();
  entry.set_name("1.2");
  entry.mutable_fork()->set_timeline(2);
  entry.mutable_fork()->set_lsn(0x2000000);
  entry.mutable_end()->set_timeline(2);
  entry.mutable_end()->set_lsn(0x2004000);
  entry.set_commits(12);
  *entry.mutable_first_commit_time() = ToProto(SampleNow() - absl::Hours(30));
  *entry.mutable_last_commit_time() =
      ToProto(SampleNow() - absl::Hours(30) + absl::Milliseconds(2250));
  entry.set_disk_bytes(41'000'000);
  *entry.mutable_move_time() = ToProto(SampleNow() - absl::Hours(29));
  v1::MemberStatus& gone = *pool.mutable_members(2);
  gone.set_agent_connected(false);
  gone.set_assigned("idle");
  *gone.mutable_fence_due() = pool.epoch();
  *gone.mutable_observe_time() = ToProto(SampleNow() - absl::Minutes(4));
  *pool.mutable_members(3) = Chat("dr-chat1", true);
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

v1::AnnouncedLoss UnboundedLoss() {
  v1::AnnouncedLoss loss;
  loss.set_database("archive");
  loss.mutable_kept()->set_timeline(1);
  loss.mutable_kept()->set_lsn(0x5000000);
  return loss;
}

v1::Plan FailoverPlan() {
  v1::Plan plan = SamplePlan();
  plan.set_kind(v1::PLAN_KIND_FAILOVER);
  plan.set_reason("fire at hq");
  plan.mutable_steps()->DeleteSubrange(0, plan.steps_size());
  const std::pair<const char*, const char*> steps[] = {{"Raise the epoch", ""},
                                                       {"Take no more log of mgc on dr-sql1", "F1"},
                                                       {"Apply the log of mgc on dr-sql1", "F3"},
                                                       {"Recover mgc on dr-sql1", "F4"},
                                                       {"Activate dr-chat1", "F7"},
                                                       {"Post and read back on dr-chat1", ""}};
  for (const auto& [title, documented_as] : steps) {
    v1::Step& step = *plan.add_steps();
    step.set_index(static_cast<uint32_t>(plan.steps_size()) - 1);
    step.set_title(title);
    step.set_documented_as(documented_as);
    step.set_critical(step.index() < 5);
    step.set_state(v1::STEP_STATE_PENDING);
    if (step.index() > 0) step.add_after(step.index() - 1);
  }
  *plan.add_losses() = SampleLoss();
  for (const auto& [host, resource] :
       {std::pair("hq-sql1", "mgc"), std::pair("hq-chat1", "prosody")}) {
    v1::ResourceRef& ref = *plan.add_fence_on_return();
    ref.set_host(host);
    ref.set_resource(resource);
  }
  plan.add_overrides("LOSS_OVER_LIMIT: up to 90s");
  return plan;
}

namespace {

void AddOption(v1::Plan& plan, const char* verb, int step, bool allowed, const char* effect) {
  v1::PlanOption& option = *plan.add_options();
  option.set_verb(verb);
  if (step >= 0) option.set_step(static_cast<uint32_t>(step));
  option.set_allowed(allowed);
  option.set_effect(effect);
}

}  // namespace

void AddRunningOptions(v1::Plan& plan) {
  AddOption(plan, "pause", -1, true, "no further step begins; what runs ends");
  AddOption(plan, "resume", -1, false, "it does not wait");
  AddOption(plan, "abort", -1, true,
            "what runs is cancelled and taken back; chat is served at hq again");
}

void AddWaitingOptions(v1::Plan& plan) {
  AddOption(plan, "pause", -1, false, "it stands still already");
  AddOption(plan, "resume", -1, true, "step 4 is tried again");
  AddOption(plan, "retry", 3, true, "it is tried again, under a new command");
  AddOption(plan, "skip", 3, false, "nothing may be recovered before the tail is shipped");
  AddOption(plan, "abort", -1, true, "it is taken back; chat is served at hq again");
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
