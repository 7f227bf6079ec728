// Canary: proof through the chat protocol itself that messages are taken, kept and found again.
#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "agent/chat/canary_session.h"
#include "agent/chat/prosody_actions.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::chat {
namespace {

constexpr absl::Duration kErrandTimeout = absl::Seconds(15);

// No command id is used twice, so neither is the message.
std::string MessageOf(const CommandId& id) {
  std::string message = absl::StrCat("canary-", id.value());
  std::replace_if(
      message.begin(), message.end(), [](char c) { return !absl::ascii_isalnum(c); }, '-');
  return message;
}

}  // namespace

absl::StatusOr<std::string> Act(ActionContext* context, const Canary&) {
  const ProsodyConfig& config = context->config();
  CanaryErrand errand;
  errand.address = config.address;
  errand.port = config.c2s_port;
  errand.jid = config.canary_jid;
  BATON_ASSIGN_OR_RETURN(errand.password, ReadSecret(config.canary_password_file));
  errand.room = config.canary_room;
  errand.message = MessageOf(context->command().id);
  errand.timeout = context->Left(kErrandTimeout);
  const CanaryReport report =
      RunCanary(errand, context->server().clock(), [context] { return context->cancelled(); });
  if (report.cancelled) return absl::CancelledError("cancelled");
  if (report.step != CanaryStep::kDone) {
    return Failure(ReasonFor(report.step), absl::StrCat(config.canary_jid, " in ",
                                                        config.canary_room, ": ", report.detail));
  }
  return absl::StrCat("a message in ", config.canary_room, " was stored and read back, stanza-id ",
                      report.stanza_id);
}

}  // namespace baton::chat
