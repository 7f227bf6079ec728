#include "coordinator/cli/commands.h"

#include "absl/strings/str_cat.h"

#include "coordinator/cli/format.h"

namespace baton {

ExitCode RunVerb(const Options& options, Client& client, const Terminal& terminal) {
  switch (options.verb) {
    case Verb::kAbort:
      return RunAbort(options, client, terminal);
    case Verb::kAdopt:
    case Verb::kFailback:
    case Verb::kFailover:
    case Verb::kProtect:
    case Verb::kSwitchover:
      return RunMove(options, client, terminal);
    case Verb::kAgentsAccept:
      return RunAgentsAccept(options, client, terminal);
    case Verb::kAgentsList:
      return RunAgentsList(options, client, terminal);
    case Verb::kEvents:
      return RunEvents(options, client, terminal);
    case Verb::kHistory:
      return RunHistory(options, client, terminal);
    case Verb::kPause:
    case Verb::kResume:
    case Verb::kRetry:
    case Verb::kSkip:
      return RunOperate(options, client, terminal);
    case Verb::kPlanList:
      return RunPlanList(options, client, terminal);
    case Verb::kPlanShow:
      return RunPlanShow(options, client, terminal);
    case Verb::kQuarantineList:
      return RunQuarantineList(options, client, terminal);
    case Verb::kQuarantineRemove:
      return RunQuarantineRemove(options, client, terminal);
    case Verb::kQuarantineShow:
      return RunQuarantineShow(options, client, terminal);
    case Verb::kStatus:
      return RunStatus(options, client, terminal);
    case Verb::kTopologyApply:
      return RunTopologyApply(options, client, terminal);
    case Verb::kTopologyShow:
      return RunTopologyShow(options, client, terminal);
    case Verb::kTopologyValidate:
      return RunTopologyValidate(options, client, terminal);
    case Verb::kCompletion:
      break;
  }
  return ExitCode::kUsage;
}

ExitCode Fail(const Terminal& terminal, const absl::Status& status) {
  terminal.console.Note(absl::StrCat("baton: ", FormatError(status), "\n"));
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kRefused;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    default:
      return ExitCode::kFailed;
  }
}

ExitCode CodeOf(const v1::Plan& plan) {
  switch (plan.state()) {
    case v1::PLAN_STATE_SUCCEEDED:
      return ExitCode::kDone;
    case v1::PLAN_STATE_UNDONE:
      return ExitCode::kUndone;
    case v1::PLAN_STATE_FAILED:
      return ExitCode::kFailed;
    case v1::PLAN_STATE_WAITING:
      return ExitCode::kWaiting;
    default:
      return plan.paused() ? ExitCode::kWaiting : ExitCode::kStillRunning;
  }
}

}  // namespace baton
