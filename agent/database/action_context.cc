#include "agent/database/action_context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace baton::postgresql {

ActionContext::ActionContext(PostgresqlInstance* instance, const Command* command,
                             Interrupt* interrupt, std::function<void(Progress)> progress)
    : instance_(instance),
      command_(command),
      interrupt_(interrupt),
      progress_(std::move(progress)),
      deadline_(instance->clock().SinceBoot() + command->timeout) {}

absl::Duration ActionContext::Left() const {
  return std::max(absl::ZeroDuration(), deadline_ - instance_->clock().SinceBoot());
}

absl::Status ActionContext::Live() const {
  if (interrupt_->raised()) return absl::CancelledError("cancelled");
  if (Left() > absl::ZeroDuration()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("not done within ", absl::FormatDuration(command_->timeout)));
}

absl::Status ActionContext::Wait(absl::Duration duration) {
  if (const absl::Status waited = interrupt_->Wait(std::min(duration, Left())); !waited.ok()) {
    return waited;
  }
  return Live();
}

absl::Status ActionContext::RefuseOlder(const FenceRecord& record) const {
  if (record.fence_epoch <= command_->epoch) return absl::OkStatus();
  return Refusal("STALE_EPOCH",
                 absl::StrCat(instance_->config().resource.value(), ": the command carries epoch ",
                              command_->epoch.ToString(), ", the fence file has seen ",
                              record.fence_epoch.ToString(), "; use the pool's current epoch"));
}

Outcome ActionContext::OutcomeOf(const absl::Status& status) const {
  return agent::OutcomeOfError(command_->action, status, done_);
}

}  // namespace baton::postgresql
