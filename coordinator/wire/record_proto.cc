#include "coordinator/wire/record_proto.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

struct FillFact {
  internal::v1::Record& out;

  template <class Request, class Proto>
  static void Why(const Request& fact, Proto& proto) {
    proto.set_reason(CleanText(fact.reason));
    proto.set_request_id(CleanText(fact.request_id, kNameBytesMax));
  }

  void operator()(const TopologyApplied& fact) const {
    auto& proto = *out.mutable_topology_applied();
    proto.set_revision(fact.revision);
    proto.set_text(CleanText(fact.text, kTopologyBytesMax));
    proto.set_applied_by(CleanText(fact.applied_by, kNameBytesMax));
    proto.set_request_id(CleanText(fact.request_id, kNameBytesMax));
    proto.set_reason(CleanText(fact.reason));
  }
  void operator()(const LedgerAccepted& fact) const {
    auto& proto = *out.mutable_ledger_accepted();
    proto.set_host(fact.host.value());
    proto.set_ledger_id(fact.ledger.value());
    proto.set_accepted_by(CleanText(fact.by, kNameBytesMax));
    proto.set_reason(CleanText(fact.reason));
    proto.set_request_id(CleanText(fact.request_id, kNameBytesMax));
  }
  void operator()(const PlanAdmitted& fact) const {
    *out.mutable_plan_admitted()->mutable_plan() = ToProto(*fact.plan);
  }
  void operator()(const EpochRaised& fact) const {
    auto& proto = *out.mutable_epoch_raised();
    proto.set_plan(fact.plan.value());
    proto.set_pool(fact.pool.value());
    proto.set_step(fact.step);
    *proto.mutable_epoch() = ToProto(fact.epoch);
  }
  void operator()(const StepStarted& fact) const {
    auto& proto = *out.mutable_step_started();
    proto.set_plan(fact.plan.value());
    proto.set_step(fact.step);
    proto.set_attempt(fact.attempt);
    proto.set_command(fact.command.value());
  }
  void operator()(const StepFinished& fact) const {
    auto& proto = *out.mutable_step_finished();
    proto.set_plan(fact.plan.value());
    proto.set_step(fact.step);
    proto.set_attempt(fact.attempt);
    *proto.mutable_outcome() = ToProto(fact.outcome);
  }
  void operator()(const PlanWaiting& fact) const {
    auto& proto = *out.mutable_plan_waiting();
    proto.set_plan(fact.plan.value());
    proto.set_reason(CleanText(fact.reason));
    proto.set_goes_on_by_itself(fact.goes_on_by_itself);
    for (const HostId& host : fact.silent) proto.add_silent(host.value());
  }
  void operator()(const PlanResumed& fact) const {
    auto& proto = *out.mutable_plan_resumed();
    proto.set_plan(fact.plan.value());
    proto.set_resumed_by(CleanText(fact.by, kNameBytesMax));
    Why(fact, proto);
    if (fact.step.has_value()) proto.set_step(*fact.step);
  }
  void operator()(const PlanPaused& fact) const {
    auto& proto = *out.mutable_plan_paused();
    proto.set_plan(fact.plan.value());
    proto.set_paused_by(CleanText(fact.by, kNameBytesMax));
    Why(fact, proto);
  }
  void operator()(const StepSkipped& fact) const {
    auto& proto = *out.mutable_step_skipped();
    proto.set_plan(fact.plan.value());
    proto.set_step(fact.step);
    proto.set_skipped_by(CleanText(fact.by, kNameBytesMax));
    Why(fact, proto);
  }
  void operator()(const AbortStarted& fact) const {
    auto& proto = *out.mutable_abort_started();
    proto.set_plan(fact.plan.value());
    proto.set_aborted_by(CleanText(fact.by, kNameBytesMax));
    Why(fact, proto);
  }
  void operator()(const ReturnFenced& fact) const {
    auto& proto = *out.mutable_return_fenced();
    proto.set_pool(fact.pool.value());
    *proto.mutable_resource() = ToProto(fact.resource);
    *proto.mutable_epoch() = ToProto(fact.epoch);
  }
  void operator()(const ReturnNoted& fact) const {
    auto& proto = *out.mutable_return_noted();
    proto.set_plan(fact.plan.value());
    proto.set_host(fact.host.value());
    switch (fact.state) {
      case ReturnState::kAnswers:
        return proto.set_state(internal::v1::ReturnNoted::STATE_ANSWERS);
      case ReturnState::kSilent:
        return proto.set_state(internal::v1::ReturnNoted::STATE_SILENT);
      case ReturnState::kTakenForLost:
        return proto.set_state(internal::v1::ReturnNoted::STATE_TAKEN_FOR_LOST);
      case ReturnState::kAwaited:
        return proto.set_state(internal::v1::ReturnNoted::STATE_AWAITED);
      case ReturnState::kStayedAway:
        return proto.set_state(internal::v1::ReturnNoted::STATE_STAYED_AWAY);
    }
  }
  void operator()(const UndoStarted& fact) const {
    out.mutable_undo_started()->set_plan(fact.plan.value());
    out.mutable_undo_started()->set_reason(CleanText(fact.reason));
  }
  void operator()(const PlanEnded& fact) const {
    auto& proto = *out.mutable_plan_ended();
    proto.set_plan(fact.plan.value());
    proto.set_state(ToProto(fact.state));
    proto.set_text(CleanText(fact.text));
  }
};

absl::StatusOr<Fact> TopologyFrom(const internal::v1::TopologyApplied& proto) {
  BATON_RETURN_IF_ERROR(CheckText("record.topology.text", proto.text(), kTopologyBytesMax));
  return TopologyApplied{proto.revision(), proto.text(), proto.applied_by(), proto.request_id(),
                         proto.reason()};
}

absl::StatusOr<Fact> LedgerFrom(const internal::v1::LedgerAccepted& proto) {
  BATON_RETURN_IF_ERROR(CheckName("record.ledger.host", proto.host()));
  BATON_RETURN_IF_ERROR(CheckName("record.ledger.ledger_id", proto.ledger_id()));
  return LedgerAccepted{HostId(proto.host()), LedgerId(proto.ledger_id()), proto.accepted_by(),
                        proto.reason(), proto.request_id()};
}

absl::StatusOr<Fact> AdmittedFrom(const internal::v1::PlanAdmitted& proto) {
  BATON_ASSIGN_OR_RETURN(Plan plan, FromProto(proto.plan()));
  return PlanAdmitted{std::make_shared<const Plan>(std::move(plan))};
}

absl::StatusOr<Fact> FinishedFrom(const internal::v1::StepFinished& proto) {
  BATON_ASSIGN_OR_RETURN(Outcome outcome, FromProto(proto.outcome()));
  return StepFinished{PlanId(proto.plan()), static_cast<int>(proto.step()),
                      static_cast<int>(proto.attempt()), std::move(outcome)};
}

absl::StatusOr<Fact> EndedFrom(const internal::v1::PlanEnded& proto) {
  BATON_ASSIGN_OR_RETURN(const PlanState state, FromProto(proto.state()));
  return PlanEnded{PlanId(proto.plan()), state, proto.text()};
}

PlanResumed ResumedFrom(const internal::v1::PlanResumed& proto) {
  PlanResumed fact{PlanId(proto.plan()), proto.resumed_by(), proto.reason(), proto.request_id(),
                   std::nullopt};
  if (proto.has_step()) fact.step = static_cast<int>(proto.step());
  return fact;
}

PlanPaused PausedFrom(const internal::v1::PlanPaused& proto) {
  return {PlanId(proto.plan()), proto.paused_by(), proto.reason(), proto.request_id()};
}

StepSkipped SkippedFrom(const internal::v1::StepSkipped& proto) {
  return {PlanId(proto.plan()), static_cast<int>(proto.step()), proto.skipped_by(), proto.reason(),
          proto.request_id()};
}

AbortStarted AbortFrom(const internal::v1::AbortStarted& proto) {
  return {PlanId(proto.plan()), proto.aborted_by(), proto.reason(), proto.request_id()};
}

absl::StatusOr<Fact> ReturnedFrom(const internal::v1::ReturnFenced& proto) {
  BATON_RETURN_IF_ERROR(CheckName("record.return_fenced.pool", proto.pool()));
  BATON_ASSIGN_OR_RETURN(ResourceRef resource, FromProto(proto.resource()));
  return ReturnFenced{PoolId(proto.pool()), std::move(resource), FromProto(proto.epoch())};
}

absl::StatusOr<Fact> WaitingFrom(const internal::v1::PlanWaiting& proto) {
  PlanWaiting fact{PlanId(proto.plan()), proto.reason(), proto.goes_on_by_itself()};
  for (const std::string& host : proto.silent()) {
    BATON_RETURN_IF_ERROR(CheckName("record.plan_waiting.silent", host));
    fact.silent.insert(HostId(host));
  }
  return fact;
}

absl::StatusOr<Fact> NotedFrom(const internal::v1::ReturnNoted& proto) {
  BATON_RETURN_IF_ERROR(CheckName("record.return_noted.host", proto.host()));
  ReturnNoted fact{PlanId(proto.plan()), HostId(proto.host()), ReturnState::kAnswers};
  switch (proto.state()) {
    case internal::v1::ReturnNoted::STATE_ANSWERS:
      return fact;
    case internal::v1::ReturnNoted::STATE_SILENT:
      fact.state = ReturnState::kSilent;
      return fact;
    case internal::v1::ReturnNoted::STATE_TAKEN_FOR_LOST:
      fact.state = ReturnState::kTakenForLost;
      return fact;
    case internal::v1::ReturnNoted::STATE_AWAITED:
      fact.state = ReturnState::kAwaited;
      return fact;
    case internal::v1::ReturnNoted::STATE_STAYED_AWAY:
      fact.state = ReturnState::kStayedAway;
      return fact;
    default:
      return UnknownValue("record.return_noted.state", proto.state());
  }
}

absl::StatusOr<Fact> FactFrom(const internal::v1::Record& record) {
  using Kind = internal::v1::Record;
  switch (record.fact_case()) {
    case Kind::kTopologyApplied:
      return TopologyFrom(record.topology_applied());
    case Kind::kLedgerAccepted:
      return LedgerFrom(record.ledger_accepted());
    case Kind::kPlanAdmitted:
      return AdmittedFrom(record.plan_admitted());
    case Kind::kEpochRaised: {
      const auto& proto = record.epoch_raised();
      return EpochRaised{PlanId(proto.plan()), PoolId(proto.pool()), static_cast<int>(proto.step()),
                         FromProto(proto.epoch())};
    }
    case Kind::kStepStarted: {
      const auto& proto = record.step_started();
      return StepStarted{PlanId(proto.plan()), static_cast<int>(proto.step()),
                         static_cast<int>(proto.attempt()), CommandId(proto.command())};
    }
    case Kind::kStepFinished:
      return FinishedFrom(record.step_finished());
    case Kind::kPlanWaiting:
      return WaitingFrom(record.plan_waiting());
    case Kind::kPlanResumed:
      return ResumedFrom(record.plan_resumed());
    case Kind::kPlanPaused:
      return PausedFrom(record.plan_paused());
    case Kind::kStepSkipped:
      return SkippedFrom(record.step_skipped());
    case Kind::kAbortStarted:
      return AbortFrom(record.abort_started());
    case Kind::kReturnFenced:
      return ReturnedFrom(record.return_fenced());
    case Kind::kReturnNoted:
      return NotedFrom(record.return_noted());
    case Kind::kUndoStarted:
      return UndoStarted{PlanId(record.undo_started().plan()), record.undo_started().reason()};
    case Kind::kPlanEnded:
      return EndedFrom(record.plan_ended());
    case Kind::FACT_NOT_SET:
      break;
  }
  return MissingField("record.fact");
}

}  // namespace

internal::v1::Record ToProto(const Record& record) {
  internal::v1::Record proto;
  proto.set_sequence(record.sequence);
  *proto.mutable_time() = ToProto(record.time);
  std::visit(FillFact{proto}, record.fact);
  return proto;
}

absl::StatusOr<Record> FromProto(const internal::v1::Record& proto) {
  Record record;
  record.sequence = proto.sequence();
  BATON_ASSIGN_OR_RETURN(record.time, FromProto("record.time", proto.time()));
  BATON_ASSIGN_OR_RETURN(record.fact, FactFrom(proto));
  return record;
}

}  // namespace baton
