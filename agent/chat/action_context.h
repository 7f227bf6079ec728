// What every action on a chat server is given, and how its failures become outcomes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "agent/chat/prosody_server.h"
#include "agent/chat/worker.h"
#include "agent/core/action_status.h"
#include "agent/core/ports.h"
#include "common/protocol/action.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/observation.h"

namespace baton::chat {

using agent::Failure;
using agent::Refusal;
using agent::Unsure;

// Used by one thread, for one command. Nothing is owned.
class ActionContext {
 public:
  ActionContext(const ProsodyServer* server, const Command* command, Interruption* interruption,
                std::function<void(Progress)> progress);

  const ProsodyServer& server() const { return *server_; }
  const ProsodyConfig& config() const { return server_->config(); }
  const Command& command() const { return *command_; }
  const std::string& name() const { return config().resource.value(); }

  // What remains of the command's timeout, but at most `limit`; never negative.
  absl::Duration Left(absl::Duration limit = absl::InfiniteDuration()) const;
  bool cancelled() const { return interruption_->raised(); }
  // CANCELLED or DEADLINE_EXCEEDED once the command is cancelled or out of time.
  absl::Status Live() const;
  // Waits about `duration`, then as Live().
  absl::Status Wait(absl::Duration duration) const;

  // A step that took effect, in words that complete "done: …".
  void Did(std::string what) { done_.push_back(std::move(what)); }
  void Report(std::string what) const {
    if (progress_ != nullptr) progress_({std::move(what), 0, 0});
  }

  // STALE_EPOCH when the fence file has seen a higher epoch than the command's.
  absl::Status RefuseOlder(const FenceRecord& record) const;
  absl::Status RefuseOlder() const;

  // kOk with `message`, or what `status` became: kCancelled, kRefused (nothing done yet), kUnknown
  // or kFailed, saying what had been done.
  Outcome OutcomeOf(const absl::Status& status, std::string message) const;

 private:
  const ProsodyServer* server_;
  const Command* command_;
  Interruption* interruption_;
  std::function<void(Progress)> progress_;
  absl::Duration deadline_;
  std::vector<std::string> done_;
};

}  // namespace baton::chat
