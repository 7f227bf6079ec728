#include "common/rpc/text.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {

v1::PlanKind ToProto(PlanKind kind) {
  switch (kind) {
    case PlanKind::kAdopt:
      return v1::PLAN_KIND_ADOPT;
    case PlanKind::kSwitchover:
      return v1::PLAN_KIND_SWITCHOVER;
    case PlanKind::kFailover:
      return v1::PLAN_KIND_FAILOVER;
    case PlanKind::kFailback:
      return v1::PLAN_KIND_FAILBACK;
    case PlanKind::kProtect:
      return v1::PLAN_KIND_PROTECT;
    case PlanKind::kRemoveQuarantine:
      return v1::PLAN_KIND_REMOVE_QUARANTINE;
  }
  return v1::PLAN_KIND_UNSPECIFIED;
}

absl::StatusOr<PlanKind> FromProto(v1::PlanKind kind) {
  switch (kind) {
    case v1::PLAN_KIND_ADOPT:
      return PlanKind::kAdopt;
    case v1::PLAN_KIND_SWITCHOVER:
      return PlanKind::kSwitchover;
    case v1::PLAN_KIND_FAILOVER:
      return PlanKind::kFailover;
    case v1::PLAN_KIND_FAILBACK:
      return PlanKind::kFailback;
    case v1::PLAN_KIND_PROTECT:
      return PlanKind::kProtect;
    case v1::PLAN_KIND_REMOVE_QUARANTINE:
      return PlanKind::kRemoveQuarantine;
    default:
      return UnknownValue("plan.kind", kind);
  }
}

v1::PlanState ToProto(PlanState state) {
  switch (state) {
    case PlanState::kRunning:
      return v1::PLAN_STATE_RUNNING;
    case PlanState::kWaiting:
      return v1::PLAN_STATE_WAITING;
    case PlanState::kUndoing:
      return v1::PLAN_STATE_UNDOING;
    case PlanState::kSucceeded:
      return v1::PLAN_STATE_SUCCEEDED;
    case PlanState::kUndone:
      return v1::PLAN_STATE_UNDONE;
    case PlanState::kFailed:
      return v1::PLAN_STATE_FAILED;
  }
  return v1::PLAN_STATE_UNSPECIFIED;
}

absl::StatusOr<PlanState> FromProto(v1::PlanState state) {
  switch (state) {
    case v1::PLAN_STATE_RUNNING:
      return PlanState::kRunning;
    case v1::PLAN_STATE_WAITING:
      return PlanState::kWaiting;
    case v1::PLAN_STATE_UNDOING:
      return PlanState::kUndoing;
    case v1::PLAN_STATE_SUCCEEDED:
      return PlanState::kSucceeded;
    case v1::PLAN_STATE_UNDONE:
      return PlanState::kUndone;
    case v1::PLAN_STATE_FAILED:
      return PlanState::kFailed;
    default:
      return UnknownValue("plan.state", state);
  }
}

v1::StepState ToProto(StepState state) {
  switch (state) {
    case StepState::kPending:
      return v1::STEP_STATE_PENDING;
    case StepState::kRunning:
      return v1::STEP_STATE_RUNNING;
    case StepState::kUnknown:
      return v1::STEP_STATE_UNKNOWN;
    case StepState::kSucceeded:
      return v1::STEP_STATE_SUCCEEDED;
    case StepState::kFailed:
      return v1::STEP_STATE_FAILED;
    case StepState::kSkipped:
      return v1::STEP_STATE_SKIPPED;
  }
  return v1::STEP_STATE_UNSPECIFIED;
}

}  // namespace baton
