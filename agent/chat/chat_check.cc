// What must be so before an action, looked at under the agent's own identity.
#include <cerrno>
#include <unistd.h>
#include <variant>

#include "absl/strings/str_cat.h"

#include "agent/chat/database_file.h"
#include "agent/chat/prosody_actions.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton::chat {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(2);

absl::Status CheckAccess(const std::string& path, int mode, const char* what) {
  if (access(path.c_str(), mode) == 0) return absl::OkStatus();
  return Refusal("NOT_ACCESSIBLE", ErrnoStatus(errno, what, path).ToString());
}

absl::Status CheckSecret(const std::string& file) {
  const absl::StatusOr<std::string> secret = ReadSecret(file);
  if (secret.ok()) return absl::OkStatus();
  return Refusal("SECRET_NOT_READABLE", secret.status().ToString());
}

absl::Status CheckManaged(const ActionContext& context) {
  const absl::StatusOr<ServiceStatus> status = context.server().service().Status();
  if (status.ok() && status->managed) return absl::OkStatus();
  return Refusal("NOT_MANAGED",
                 absl::StrCat("the manager of ", context.name(), " does not answer: ",
                              status.ok() ? "no supervisor or unit" : status.status().ToString(),
                              "; start baton-guard run ", context.name()));
}

absl::Status CheckCanStart(const ActionContext& context) {
  const ProsodyConfig& config = context.config();
  BATON_RETURN_IF_ERROR(CheckManaged(context));
  BATON_RETURN_IF_ERROR(context.server().Fence().status());
  BATON_RETURN_IF_ERROR(context.server().fences().Boot().status());
  if (config.command.empty()) {
    return Refusal("NO_COMMAND", absl::StrCat("the resource file of ", context.name(),
                                              " has no command to start it with"));
  }
  BATON_RETURN_IF_ERROR(CheckAccess(config.command.front(), X_OK, "cannot run"));
  return CheckSecret(config.token_file);
}

// Writable by whoever replaces the file: the folder, not the file.
absl::Status CheckCanPoint(const ActionContext& context) {
  BATON_RETURN_IF_ERROR(
      CheckAccess(DirectoryOf(context.config().database_file), W_OK | X_OK, "cannot write in"));
  return CheckSecret(context.config().database_password_file);
}

struct Checker {
  ActionContext* context;

  absl::Status operator()(const CheckChat& action) const { return Act(context, action).status(); }
  absl::Status operator()(const Drain&) const {
    if (context->server().IsDown(kLookTimeout).ok()) return absl::OkStatus();
    return context->server().control().Status(kLookTimeout).status();
  }
  absl::Status operator()(const Deactivate&) const {
    BATON_RETURN_IF_ERROR(CheckManaged(*context));
    return context->server().Fence().status();
  }
  absl::Status operator()(const Stop&) const { return CheckManaged(*context); }
  absl::Status operator()(const Start&) const { return CheckCanStart(*context); }
  absl::Status operator()(const Activate&) const { return CheckCanStart(*context); }
  absl::Status operator()(const PointAt& action) const {
    const ProsodyConfig& config = context->config();
    if (config.instances.count(action.instance) == 0) {
      return Refusal("UNKNOWN_INSTANCE",
                     std::string(DatabaseFileFor(config, action.instance).status().message()));
    }
    return CheckCanPoint(*context);
  }
  absl::Status operator()(const Canary&) const {
    return CheckSecret(context->config().canary_password_file);
  }
  template <class Other>
  absl::Status operator()(const Other&) const {
    return Refusal("UNSUPPORTED_ACTION", "a chat server has no such action");
  }
};

absl::Status CheckServing(const ActionContext& context) {
  const absl::StatusOr<ChatStatus> status = context.server().control().Status(kLookTimeout);
  if (!status.ok()) {
    return Refusal("CONTROL_UNREACHABLE",
                   absl::StrCat(context.name(), " does not answer: ", status.status().message()));
  }
  // It looks for a lost database when somebody posts, not before: one that has been idle since its
  // database was restarted is as good as any, once it is asked to look.
  if (status->accepting && !status->database_connected) {
    context.server().control().Accept(kLookTimeout).IgnoreError();
  }
  const absl::Status serving = LooksServing(context, kLookTimeout);
  if (!serving.ok()) return Refusal("NOT_SERVING", std::string(serving.message()));
  return CheckSecret(context.config().canary_password_file);
}

}  // namespace

absl::StatusOr<std::string> Act(ActionContext* context, const CheckChat& action) {
  BATON_RETURN_IF_ERROR(CheckCanStart(*context));
  BATON_RETURN_IF_ERROR(CheckCanPoint(*context));
  if (action.running) {
    BATON_RETURN_IF_ERROR(CheckServing(*context));
    return std::string("serves clients");
  }
  BATON_RETURN_IF_ERROR(CheckSecret(context->config().canary_password_file));
  const absl::Status down = context->server().IsDown(kLookTimeout);
  if (!down.ok()) {
    return Refusal("NOT_STOPPED",
                   absl::StrCat("wanted ", context->name(), " stopped: ", down.message()));
  }
  return std::string("stopped, can be pointed at a database and started");
}

absl::Status CheckFirst(ActionContext* context) {
  return std::visit(Checker{context}, context->command().action);
}

}  // namespace baton::chat
