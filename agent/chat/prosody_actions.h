// The actions on a Prosody server, one function each. All block, on the runner's own thread; all
// may be repeated; each returns, in words for people, what was seen after acting. What each
// requires and proves stands in the table of prosody_runner.h.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/chat/action_context.h"
#include "common/protocol/action.h"

namespace baton::chat {

// prosody_actions.cc
absl::StatusOr<std::string> Act(ActionContext* context, const Drain& action);
absl::StatusOr<std::string> Act(ActionContext* context, const Deactivate& action);
absl::StatusOr<std::string> Act(ActionContext* context, const PointAt& action);
absl::StatusOr<std::string> Act(ActionContext* context, const Activate& action);
absl::StatusOr<std::string> Act(ActionContext* context, const Start& action);
absl::StatusOr<std::string> Act(ActionContext* context, const Stop& action);
// canary.cc
absl::StatusOr<std::string> Act(ActionContext* context, const Canary& action);
// chat_check.cc
absl::StatusOr<std::string> Act(ActionContext* context, const CheckChat& action);

// Is the postcondition of the context's command true now? Changes nothing (chat_look.cc).
absl::Status LookFor(ActionContext* context);

// Are the preconditions of the context's command met, as far as they can be before the steps that a
// plan puts in front of it? Changes nothing (chat_check.cc).
absl::Status CheckFirst(ActionContext* context);

// What several of them share.

// The fence record that Activate writes.
absl::StatusOr<FenceRecord> OpenFence(const ActionContext& context);
// No session is left and new clients are refused.
absl::Status LooksDrained(const ActionContext& context);
// A client can open a stream, and the server is connected to the instance that its database file
// names. ABORTED: it uses another one, and will until it is started again.
absl::Status LooksServing(const ActionContext& context, absl::Duration timeout);

}  // namespace baton::chat
