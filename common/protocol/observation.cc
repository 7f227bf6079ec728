#include "common/protocol/observation.h"

#include <utility>

namespace baton {

std::string_view ToString(DatabaseState state) {
  switch (state) {
    case DatabaseState::kUnknown:
      return "unknown";
    case DatabaseState::kEmpty:
      return "empty";
    case DatabaseState::kDown:
      return "down";
    case DatabaseState::kStarting:
      return "starting";
    case DatabaseState::kStandby:
      return "standby";
    case DatabaseState::kPrimary:
      return "primary";
  }
  return "invalid";
}

std::string_view ToString(ChatState state) {
  switch (state) {
    case ChatState::kUnknown:
      return "unknown";
    case ChatState::kDown:
      return "down";
    case ChatState::kDraining:
      return "draining";
    case ChatState::kServing:
      return "serving";
  }
  return "invalid";
}

std::string_view ToString(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kOk:
      return "ok";
    case OutcomeCode::kFailed:
      return "failed";
    case OutcomeCode::kRefused:
      return "refused";
    case OutcomeCode::kCancelled:
      return "cancelled";
    case OutcomeCode::kUnknown:
      return "unknown";
  }
  return "invalid";
}

Outcome OkOutcome() {
  Outcome outcome;
  outcome.code = OutcomeCode::kOk;
  return outcome;
}

Outcome FailedOutcome(std::string reason, std::string message) {
  Outcome outcome;
  outcome.code = OutcomeCode::kFailed;
  outcome.reason = std::move(reason);
  outcome.message = std::move(message);
  return outcome;
}

Outcome RefusedOutcome(std::string reason, std::string message) {
  Outcome outcome = FailedOutcome(std::move(reason), std::move(message));
  outcome.code = OutcomeCode::kRefused;
  return outcome;
}

}  // namespace baton
