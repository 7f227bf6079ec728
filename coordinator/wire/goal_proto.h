// What an operator asks for, as it comes from a client.
#pragma once

#include "absl/status/statusor.h"

#include "baton/v1/plan_service.pb.h"
#include "coordinator/model/goal.h"

namespace baton {

// Everything but the plan's id. INVALID_ARGUMENT names the field: a name that is none, a negative
// duration, a list longer than a topology can hold, a path that is not absolute.
absl::StatusOr<Goal> GoalFrom(const v1::CreatePlanRequest& request);

}  // namespace baton
