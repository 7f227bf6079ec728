#include "agent/chat/action_context.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::chat {
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

ActionContext::ActionContext(const ProsodyServer* server, const Command* command,
                             Interruption* interruption, std::function<void(Progress)> progress)
    : server_(server),
      command_(command),
      interruption_(interruption),
      progress_(std::move(progress)),
      deadline_(server->clock().SinceBoot() + command->timeout) {}

absl::Duration ActionContext::Left(absl::Duration limit) const {
  const absl::Duration left = deadline_ - server_->clock().SinceBoot();
  return std::clamp(left, absl::ZeroDuration(), limit);
}

absl::Status ActionContext::Live() const {
  if (interruption_->raised()) return absl::CancelledError("cancelled");
  if (Left() > absl::ZeroDuration()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("not done within ", absl::FormatDuration(command_->timeout)));
}

absl::Status ActionContext::Wait(absl::Duration duration) const {
  interruption_->Wait(Left(duration));
  return Live();
}

absl::Status ActionContext::RefuseOlder(const FenceRecord& record) const {
  if (record.fence_epoch <= command_->epoch) return absl::OkStatus();
  return Refusal("STALE_EPOCH",
                 absl::StrCat(name(), ": the command carries epoch ", command_->epoch.ToString(),
                              ", the fence file has seen ", record.fence_epoch.ToString(),
                              "; use the pool's current epoch"));
}

absl::Status ActionContext::RefuseOlder() const {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, server_->Fence());
  return RefuseOlder(record);
}

Outcome ActionContext::OutcomeOf(const absl::Status& status, std::string message) const {
  if (status.ok()) {
    Outcome outcome = OkOutcome();
    outcome.message = std::move(message);
    return outcome;
  }
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
      outcome.code = done_.empty() ? OutcomeCode::kRefused : OutcomeCode::kFailed;
      break;
    default:
      outcome.code = OutcomeCode::kFailed;
  }
  outcome.message =
      absl::StrCat(ToAbsl(ActionName(command_->action)), ": ", status.message(),
                   "; done: ", done_.empty() ? "nothing" : absl::StrJoin(done_, ", "));
  return outcome;
}

}  // namespace baton::chat
