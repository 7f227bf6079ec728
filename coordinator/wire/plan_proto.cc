#include "coordinator/wire/plan_proto.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/rpc/action_proto.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton {
namespace {

v1::Step StepToProto(const Step& step, int index) {
  v1::Step proto;
  proto.set_index(index);
  if (step.raises_epoch()) {
    proto.set_raises_epoch(true);
  } else {
    *proto.mutable_target() = ToProto(step.target);
    *proto.mutable_action() = ToProto(*step.action());
  }
  proto.set_database(step.database.value());
  proto.set_title(CleanText(step.title));
  proto.set_documented_as(step.documented_as);
  for (const int before : step.after) proto.add_after(before);
  *proto.mutable_timeout() = ToProto(step.timeout);
  proto.set_critical(step.critical);
  proto.set_undo(step.undo);
  if (step.input_from.has_value()) proto.set_input_from(*step.input_from);
  if (step.undoes.has_value()) proto.set_undoes(*step.undoes);
  proto.set_skippable(step.skippable);
  proto.set_automatic_tries(step.automatic_tries);
  return proto;
}

absl::Status CheckEarlier(std::string_view field, uint32_t value, int index) {
  if (value < static_cast<uint32_t>(index)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(field), ": found ", value, " in step ",
                                                 index, ", wanted an earlier step"));
}

absl::StatusOr<Step> StepFromProto(const v1::Step& proto, int index) {
  BATON_RETURN_IF_ERROR(CheckText("step.title", proto.title()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("step.documented_as", proto.documented_as()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("step.database", proto.database()));
  Step step;
  step.database = DatabaseId(proto.database());
  if (proto.raises_epoch()) {
    step.what = RaiseEpoch{};
  } else {
    BATON_ASSIGN_OR_RETURN(step.target, FromProto(proto.target()));
    BATON_ASSIGN_OR_RETURN(step.what, FromProto(proto.action()));
  }
  step.title = proto.title();
  step.documented_as = proto.documented_as();
  for (const uint32_t before : proto.after()) {
    BATON_RETURN_IF_ERROR(CheckEarlier("step.after", before, index));
    step.after.push_back(static_cast<int>(before));
  }
  BATON_ASSIGN_OR_RETURN(step.timeout, FromProto("step.timeout", proto.timeout()));
  step.critical = proto.critical();
  step.undo = proto.undo();
  if (proto.has_input_from()) {
    BATON_RETURN_IF_ERROR(CheckEarlier("step.input_from", proto.input_from(), index));
    step.input_from = static_cast<int>(proto.input_from());
  }
  if (proto.has_undoes()) {
    BATON_RETURN_IF_ERROR(CheckEarlier("step.undoes", proto.undoes(), index));
    step.undoes = static_cast<int>(proto.undoes());
  }
  step.skippable = proto.skippable();
  step.automatic_tries = static_cast<int>(proto.automatic_tries());
  return step;
}

absl::StatusOr<AnnouncedLoss> LossFrom(const v1::AnnouncedLoss& proto) {
  BATON_RETURN_IF_ERROR(CheckName("plan.losses.database", proto.database()));
  AnnouncedLoss loss;
  loss.database = DatabaseId(proto.database());
  loss.kept = FromProto(proto.kept());
  if (proto.has_last_commit_time()) {
    BATON_ASSIGN_OR_RETURN(loss.last_commit,
                           FromProto("plan.losses.last_commit_time", proto.last_commit_time()));
  }
  loss.lost_end = FromProto(proto.lost_end());
  if (proto.has_report_age()) {
    BATON_ASSIGN_OR_RETURN(loss.report_age,
                           FromProto("plan.losses.report_age", proto.report_age()));
  }
  if (proto.has_window()) {
    BATON_ASSIGN_OR_RETURN(loss.window, FromProto("plan.losses.window", proto.window()));
  }
  loss.bytes = proto.bytes();
  loss.nothing = proto.nothing();
  if (proto.has_writer_clock_time()) {
    BATON_ASSIGN_OR_RETURN(loss.writer_clock,
                           FromProto("plan.losses.writer_clock_time", proto.writer_clock_time()));
  }
  return loss;
}

absl::Status MoreOfPlan(const v1::Plan& proto, Plan& plan) {
  BATON_RETURN_IF_ERROR(CheckCount("plan.losses", proto.losses_size()));
  BATON_RETURN_IF_ERROR(CheckCount("plan.fence_on_return", proto.fence_on_return_size()));
  BATON_RETURN_IF_ERROR(CheckCount("plan.overrides", proto.overrides_size()));
  for (const v1::AnnouncedLoss& one : proto.losses()) {
    BATON_ASSIGN_OR_RETURN(AnnouncedLoss loss, LossFrom(one));
    plan.losses.push_back(std::move(loss));
  }
  for (const v1::ResourceRef& one : proto.fence_on_return()) {
    BATON_ASSIGN_OR_RETURN(ResourceRef ref, FromProto(one));
    plan.fence_on_return.push_back(std::move(ref));
  }
  for (const std::string& line : proto.overrides()) {
    BATON_RETURN_IF_ERROR(CheckText("plan.overrides", line));
    plan.overrides.push_back(line);
  }
  return absl::OkStatus();
}

absl::Status CheckPlanTexts(const v1::Plan& proto) {
  BATON_RETURN_IF_ERROR(CheckName("plan.name", PlanIdOf(proto.name()).value()));
  BATON_RETURN_IF_ERROR(CheckName("plan.pool", proto.pool()));
  BATON_RETURN_IF_ERROR(CheckText("plan.reason", proto.reason()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("plan.requested_by", proto.requested_by()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("plan.request_id", proto.request_id()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("plan.from_site", proto.from_site()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("plan.to_site", proto.to_site()));
  BATON_RETURN_IF_ERROR(CheckCount("plan.steps", proto.steps_size()));
  return CheckCount("plan.explanation", proto.explanation_size());
}

}  // namespace

std::string PlanName(const PoolId& pool, const PlanId& plan) {
  return absl::StrCat("pools/", pool.value(), "/plans/", plan.value());
}

PlanId PlanIdOf(std::string_view name) {
  const size_t slash = name.rfind('/');
  return PlanId(std::string(slash == std::string_view::npos ? name : name.substr(slash + 1)));
}

v1::AnnouncedLoss ToProto(const AnnouncedLoss& loss) {
  v1::AnnouncedLoss proto;
  proto.set_database(loss.database.value());
  *proto.mutable_kept() = ToProto(loss.kept);
  if (loss.last_commit != absl::InfinitePast()) {
    *proto.mutable_last_commit_time() = ToProto(loss.last_commit);
  }
  if (!loss.lost_end.none()) *proto.mutable_lost_end() = ToProto(loss.lost_end);
  if (loss.report_age != absl::InfiniteDuration()) {
    *proto.mutable_report_age() = ToProto(loss.report_age);
  }
  if (loss.window != absl::InfiniteDuration()) *proto.mutable_window() = ToProto(loss.window);
  proto.set_bytes(loss.bytes);
  proto.set_nothing(loss.nothing);
  if (loss.writer_clock != absl::InfinitePast()) {
    *proto.mutable_writer_clock_time() = ToProto(loss.writer_clock);
  }
  return proto;
}

v1::Plan ToProto(const Plan& plan) {
  v1::Plan proto;
  proto.set_name(PlanName(plan.pool, plan.id));
  proto.set_pool(plan.pool.value());
  proto.set_kind(ToProto(plan.kind));
  proto.set_reason(CleanText(plan.reason));
  proto.set_requested_by(CleanText(plan.requested_by, kNameBytesMax));
  proto.set_request_id(CleanText(plan.request_id, kNameBytesMax));
  proto.set_from_site(plan.from_site.value());
  proto.set_to_site(plan.to_site.value());
  *proto.mutable_epoch_before() = ToProto(plan.epoch_before);
  *proto.mutable_epoch() = ToProto(plan.epoch);
  if (!plan.undo_epoch.none()) *proto.mutable_undo_epoch() = ToProto(plan.undo_epoch);
  proto.set_snapshot_revision(plan.snapshot_revision);
  if (plan.create_time != absl::InfinitePast()) {
    *proto.mutable_create_time() = ToProto(plan.create_time);
  }
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    *proto.add_steps() = StepToProto(plan.steps[i], static_cast<int>(i));
  }
  for (const std::string& line : plan.explanation) proto.add_explanation(CleanText(line));
  for (const AnnouncedLoss& loss : plan.losses) *proto.add_losses() = ToProto(loss);
  for (const ResourceRef& ref : plan.fence_on_return) *proto.add_fence_on_return() = ToProto(ref);
  for (const std::string& line : plan.overrides) proto.add_overrides(CleanText(line));
  return proto;
}

absl::StatusOr<Plan> FromProto(const v1::Plan& proto) {
  BATON_RETURN_IF_ERROR(CheckPlanTexts(proto));
  Plan plan;
  plan.id = PlanIdOf(proto.name());
  plan.pool = PoolId(proto.pool());
  BATON_ASSIGN_OR_RETURN(plan.kind, FromProto(proto.kind()));
  plan.reason = proto.reason();
  plan.requested_by = proto.requested_by();
  plan.request_id = proto.request_id();
  plan.from_site = SiteId(proto.from_site());
  plan.to_site = SiteId(proto.to_site());
  plan.epoch_before = FromProto(proto.epoch_before());
  plan.epoch = FromProto(proto.epoch());
  plan.undo_epoch = FromProto(proto.undo_epoch());
  plan.snapshot_revision = proto.snapshot_revision();
  if (proto.has_create_time()) {
    BATON_ASSIGN_OR_RETURN(plan.create_time, FromProto("plan.create_time", proto.create_time()));
  }
  for (int i = 0; i < proto.steps_size(); ++i) {
    BATON_ASSIGN_OR_RETURN(Step step, StepFromProto(proto.steps(i), i));
    plan.steps.push_back(std::move(step));
  }
  for (const std::string& line : proto.explanation()) {
    BATON_RETURN_IF_ERROR(CheckText("plan.explanation", line));
    plan.explanation.push_back(line);
  }
  BATON_RETURN_IF_ERROR(MoreOfPlan(proto, plan));
  return plan;
}

v1::Plan ToProto(const Execution& execution, PlanDetail detail) {
  v1::Plan proto = ToProto(*execution.plan);
  proto.set_state(ToProto(execution.state));
  proto.set_paused(execution.paused);
  proto.set_waiting_for(CleanText(execution.waiting_for));
  proto.set_end_text(CleanText(execution.end_text));
  if (execution.ended != absl::InfinitePast()) {
    *proto.mutable_end_time() = ToProto(execution.ended);
  }
  if (detail == PlanDetail::kWithoutSteps) {
    proto.clear_steps();
    return proto;
  }
  for (size_t i = 0; i < execution.steps.size(); ++i) {
    const StepExecution& step = execution.steps[i];
    v1::Step& out = *proto.mutable_steps(static_cast<int>(i));
    out.set_state(ToProto(step.state));
    out.set_attempt(step.attempt);
    if (step.started != absl::InfinitePast()) *out.mutable_start_time() = ToProto(step.started);
    if (step.ended != absl::InfinitePast()) *out.mutable_end_time() = ToProto(step.ended);
    if (step.outcome != nullptr) *out.mutable_outcome() = ToProto(*step.outcome);
  }
  for (const PlanOption& option : OptionsFor(execution)) *proto.add_options() = ToProto(option);
  return proto;
}

v1::PlanOption ToProto(const PlanOption& option) {
  v1::PlanOption proto;
  proto.set_verb(std::string(ToString(option.verb)));
  if (option.step.has_value()) proto.set_step(*option.step);
  proto.set_allowed(option.allowed);
  proto.set_effect(CleanText(option.effect));
  return proto;
}

v1::Refusal ToProto(const Refusal& refusal) {
  v1::Refusal proto;
  proto.set_rule(CleanText(refusal.rule, kNameBytesMax));
  proto.set_subject(CleanText(refusal.subject));
  proto.set_found(CleanText(refusal.found));
  proto.set_wanted(CleanText(refusal.wanted));
  proto.set_remedy(CleanText(refusal.remedy));
  return proto;
}

}  // namespace baton
