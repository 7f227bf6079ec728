// A plan's real preconditions, checked by the agents that would act.
#pragma once

#include <functional>
#include <vector>

#include "absl/time/time.h"

#include "coordinator/model/plan.h"
#include "coordinator/transport/session_registry.h"

namespace baton {

// Asks the agents of all forward steps at once, each answering within `limit`, but for steps on a
// resource that an earlier step makes anew: those want what is not there yet. Then calls `done`
// once with every reason why a step would not begin, in the order of the steps. On the loop.
void DryRunPlan(SessionRegistry& registry, const Plan& plan, absl::Duration limit,
                std::function<void(std::vector<Refusal>)> done);

}  // namespace baton
