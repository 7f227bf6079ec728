// Making a plan: what would happen, the question, the plan, and looking on.
#pragma once

#include "baton/v1/plan_service.pb.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/options.h"
#include "coordinator/cli/terminal.h"

namespace baton {

// Pool, kind, reason and whose wish it is; the rest is the verb's own.
v1::CreatePlanRequest PlanRequest(const Options& options, v1::PlanKind kind);

// Prints what the agents say against it. kRefused: it would be.
ExitCode DryRunPlan(v1::CreatePlanRequest wanted, const Options& options, Client& client,
                    const Terminal& terminal);

// On a terminal, unless -y: has it checked, shows what would happen and what it may cost, and asks.
// kDone: go on.
ExitCode AskAboutPlan(v1::CreatePlanRequest wanted, const Options& options, Client& client,
                      const Terminal& terminal);

// Asks nothing. Follows the plan, unless --no-wait.
ExitCode StartPlan(v1::CreatePlanRequest wanted, const Options& options, Client& client,
                   const Terminal& terminal);

}  // namespace baton
