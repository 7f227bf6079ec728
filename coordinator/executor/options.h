// What an operator can do with a plan: pause, resume, retry, skip, abort, and what each would do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "coordinator/executor/execution.h"

namespace baton {

struct PlanOption {
  Verb verb = Verb::kResume;
  std::optional<int> step;  // none: the plan as a whole
  bool allowed = false;
  std::string effect;  // what it would do, or, when it is not allowed, why not

  friend bool operator==(const PlanOption&, const PlanOption&) = default;
};

// Pure: every verb, in a fixed order, retry and skip once for each step that stands in the way.
// None for a plan that has ended. A plan that has not either has something under way whose time is
// limited, or an allowed option.
std::vector<PlanOption> OptionsFor(const Execution& now);

// The request with its step filled in, when the plan allows it. FAILED_PRECONDITION: it does not,
// and why. INVALID_ARGUMENT: no such step, or more than one qualifies and none was named.
absl::StatusOr<OperatorRequest> Resolve(const Execution& now, const OperatorRequest& request);

}  // namespace baton
