#include "agent/core/action_status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/base/strings.h"

namespace baton::agent {
namespace {

constexpr char kReasonUrl[] = "baton/reason";

absl::Status WithReason(absl::StatusCode code, std::string_view reason,
                        const std::string& message) {
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(ToAbsl(reason)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  if (const auto reason = status.GetPayload(kReasonUrl); reason.has_value()) {
    return std::string(*reason);
  }
  return absl::StatusCodeToString(status.code());
}

}  // namespace

absl::Status Refusal(std::string_view reason, const std::string& message) {
  return WithReason(absl::StatusCode::kFailedPrecondition, reason, message);
}

absl::Status Failure(std::string_view reason, const std::string& message) {
  return WithReason(absl::StatusCode::kInternal, reason, message);
}

absl::Status Unsure(std::string_view reason, const std::string& message) {
  return WithReason(absl::StatusCode::kUnknown, reason, message);
}

Outcome OutcomeOfError(const Action& action, const absl::Status& status,
                       const std::vector<std::string>& done) {
  Outcome outcome;
  outcome.reason = ReasonOf(status);
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      outcome.code = OutcomeCode::kCancelled;
      break;
    case absl::StatusCode::kUnknown:
      outcome.code = OutcomeCode::kUnknown;
      break;
    case absl::StatusCode::kFailedPrecondition:
      outcome.code = done.empty() ? OutcomeCode::kRefused : OutcomeCode::kFailed;
      break;
    default:
      outcome.code = OutcomeCode::kFailed;
  }
  outcome.message = absl::StrCat(ToAbsl(ActionName(action)), ": ", status.message(),
                                 "; done: ", done.empty() ? "nothing" : absl::StrJoin(done, ", "));
  if (outcome.code == OutcomeCode::kCancelled && !done.empty()) {
    absl::StrAppend(&outcome.message, "; not done: what comes after that");
  }
  return outcome;
}

}  // namespace baton::agent
