// The verbs. Each makes its calls, prints its answer and says how it ended.
#pragma once

#include "absl/status/status.h"

#include "baton/v1/plan.pb.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/options.h"
#include "coordinator/cli/terminal.h"

namespace baton {

// The one that was typed; every verb but kCompletion.
ExitCode RunVerb(const Options& options, Client& client, const Terminal& terminal);

ExitCode RunTopologyValidate(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunTopologyApply(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunTopologyShow(const Options& options, Client& client, const Terminal& terminal);

ExitCode RunStatus(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunAgentsList(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunAgentsAccept(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunEvents(const Options& options, Client& client, const Terminal& terminal);

// kAdopt, kSwitchover, kFailover, kFailback, kProtect.
ExitCode RunMove(const Options& options, Client& client, const Terminal& terminal);

// kPause, kResume, kRetry, kSkip.
ExitCode RunOperate(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunAbort(const Options& options, Client& client, const Terminal& terminal);

ExitCode RunQuarantineList(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunQuarantineShow(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunQuarantineRemove(const Options& options, Client& client, const Terminal& terminal);

ExitCode RunPlanList(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunPlanShow(const Options& options, Client& client, const Terminal& terminal);
ExitCode RunHistory(const Options& options, Client& client, const Terminal& terminal);

// Tells the error on standard error; the exit code that stands for it.
ExitCode Fail(const Terminal& terminal, const absl::Status& status);
ExitCode CodeOf(const v1::Plan& plan);

}  // namespace baton
