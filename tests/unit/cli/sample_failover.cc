#include "tests/unit/cli/sample_failover.h"

#include <utility>

#include "common/rpc/protocol_proto.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

void AddOption(v1::Plan& plan, const char* verb, int step, bool allowed, const char* effect) {
  v1::PlanOption& option = *plan.add_options();
  option.set_verb(verb);
  if (step >= 0) option.set_step(static_cast<uint32_t>(step));
  option.set_allowed(allowed);
  option.set_effect(effect);
}

}  // namespace

v1::ListPoolsResponse FailedOverPools() {
  v1::ListPoolsResponse pools = SamplePools();
  v1::PoolStatus& pool = *pools.mutable_pools(0);
  pool.mutable_epoch()->set_counter(4);
  pool.set_serving_site("dr");
  pool.set_switchover_ready(false);
  pool.set_protected_(false);
  pool.set_protection("mgc: no instance follows dr-sql1 since 2026-01-31T14:03:00Z");
  pool.clear_losses();
  pool.mutable_members(1)->CopyFrom(SampleDatabase("dr-sql1", true));
  v1::MemberStatus& old = *pool.mutable_members(0);
  old = SampleDatabase("hq-sql1", false);
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
  *pool.mutable_members(3) = SampleChat("dr-chat1", true);
  return pools;
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

}  // namespace baton
