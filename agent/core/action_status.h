// How what kept an action from succeeding becomes its outcome: the same for every runner.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "common/protocol/action.h"
#include "common/protocol/observation.h"

namespace baton::agent {

// Errors with a stable reason (UPPER_SNAKE). A refusal says that nothing was tried.
absl::Status Refusal(std::string_view reason, const std::string& message);
absl::Status Failure(std::string_view reason, const std::string& message);
// Nobody knows whether it took effect, or will yet.
absl::Status Unsure(std::string_view reason, const std::string& message);

// What `status`, which is not OK, makes of `action`: kCancelled, kRefused (nothing done yet),
// kUnknown or kFailed. The message adds `done`, the steps that took effect. An error without a
// reason of its own gives its code's name.
Outcome OutcomeOfError(const Action& action, const absl::Status& status,
                       const std::vector<std::string>& done);

}  // namespace baton::agent
