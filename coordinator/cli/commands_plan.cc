// What plans there are and were.
#include <string>

#include "coordinator/cli/commands.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/format.h"

namespace baton {
namespace {

absl::StatusOr<v1::ListPlansResponse> ListPlans(const Options& options, Client& client) {
  v1::ListPlansRequest request;
  request.set_pool(options.pool);
  request.set_page_size(options.limit);
  return client.ListPlans(request);
}

}  // namespace

ExitCode RunPlanList(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<v1::ListPlansResponse> plans = ListPlans(options, client);
  if (!plans.ok()) return Fail(terminal, plans.status());
  terminal.console.Print(options.output == Output::kJson ? ToJson(*plans, true)
                                                         : FormatPlanList(*plans));
  return ExitCode::kDone;
}

ExitCode RunHistory(const Options& options, Client& client, const Terminal& terminal) {
  absl::StatusOr<v1::ListPlansResponse> plans = ListPlans(options, client);
  if (!plans.ok()) return Fail(terminal, plans.status());
  if (options.output == Output::kTable) {
    terminal.console.Print(FormatHistory(*plans));
    return ExitCode::kDone;
  }
  v1::ListPlansResponse ended;
  for (const v1::Plan& plan : plans->plans()) {
    if (plan.has_end_time()) *ended.add_plans() = plan;
  }
  terminal.console.Print(ToJson(ended, true));
  return ExitCode::kDone;
}

ExitCode RunPlanShow(const Options& options, Client& client, const Terminal& terminal) {
  if (options.watch) return FollowToEnd(options.plan, options, client, terminal);
  v1::GetPlanRequest request;
  request.set_name(options.plan);
  const absl::StatusOr<v1::Plan> plan = client.GetPlan(request);
  if (!plan.ok()) return Fail(terminal, plan.status());
  terminal.console.Print(options.output == Output::kJson ? ToJson(*plan, true) : FormatPlan(*plan));
  return ExitCode::kDone;
}

}  // namespace baton
