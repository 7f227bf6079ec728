// Plans, their execution and refusals ⇄ baton.v1. FromProto validates: INVALID_ARGUMENT names the
// field. A plan that goes there and back is equal to what it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "baton/v1/plan.pb.h"
#include "coordinator/executor/execution.h"
#include "coordinator/executor/options.h"
#include "coordinator/model/plan.h"

namespace baton {

// "pools/{pool}/plans/{plan}"
std::string PlanName(const PoolId& pool, const PlanId& plan);
// The plan's id out of its name, or the text itself when it is an id alone.
PlanId PlanIdOf(std::string_view name);

v1::PlanKind ToProto(PlanKind kind);
absl::StatusOr<PlanKind> FromProto(v1::PlanKind kind);
v1::PlanState ToProto(PlanState state);
absl::StatusOr<PlanState> FromProto(v1::PlanState state);
v1::StepState ToProto(StepState state);

// Static fields only.
v1::Plan ToProto(const Plan& plan);
// Ignores what belongs to the execution.
absl::StatusOr<Plan> FromProto(const v1::Plan& plan);

// The plan with what has happened to each step and what can be done now; without both for lists.
enum class PlanDetail { kWhole, kWithoutSteps };
v1::Plan ToProto(const Execution& execution, PlanDetail detail = PlanDetail::kWhole);

v1::PlanOption ToProto(const PlanOption& option);
v1::Refusal ToProto(const Refusal& refusal);
v1::AnnouncedLoss ToProto(const AnnouncedLoss& loss);

}  // namespace baton
