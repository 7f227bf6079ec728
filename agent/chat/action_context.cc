#include "agent/chat/action_context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"

namespace baton::chat {

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
  if (!status.ok()) return agent::OutcomeOfError(command_->action, status, done_);
  Outcome outcome = OkOutcome();
  outcome.message = std::move(message);
  return outcome;
}

}  // namespace baton::chat
