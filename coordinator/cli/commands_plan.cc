#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "coordinator/cli/commands.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

v1::CreatePlanRequest RequestOf(const Options& options, v1::PlanKind kind, bool validate_only) {
  v1::CreatePlanRequest request;
  request.set_pool(options.pool);
  request.set_kind(kind);
  request.set_reason(options.reason.empty() ? "dry run" : options.reason);
  request.set_expected_primary(options.expected_primary);
  request.set_validate_only(validate_only);
  request.set_requested_by(options.requested_by);
  if (!validate_only) request.set_request_id(options.request_id);
  return request;
}

ExitCode DryRun(const Options& options, v1::PlanKind kind, Client& client,
                const Terminal& terminal) {
  const absl::StatusOr<v1::CreatePlanResponse> answer =
      client.CreatePlan(RequestOf(options, kind, true));
  if (!answer.ok()) return Fail(terminal, answer.status());
  terminal.console.Print(options.output == Output::kJson ? ToJson(*answer, true)
                                                         : FormatDryRun(*answer, options.pool));
  return answer->refusals().empty() ? ExitCode::kDone : ExitCode::kRefused;
}

ExitCode Refused(const Options& options, const v1::CreatePlanResponse& answer,
                 const Terminal& terminal) {
  if (options.output == Output::kJson) terminal.console.Print(ToJson(answer, true));
  terminal.console.Note(
      absl::StrCat("baton: refused, nothing was done:\n", FormatRefusals(answer.refusals())));
  return ExitCode::kRefused;
}

// Shows what would happen and asks. kDone: go on.
ExitCode Ask(const Options& options, v1::PlanKind kind, Client& client, const Terminal& terminal) {
  const absl::StatusOr<v1::CreatePlanResponse> answer =
      client.CreatePlan(RequestOf(options, kind, true));
  if (!answer.ok()) return Fail(terminal, answer.status());
  if (!answer->refusals().empty()) return Refused(options, *answer, terminal);
  terminal.console.Note(
      absl::StrCat(PlanDraftTitle(answer->plan()), "\n", FormatSteps(answer->plan())));
  return terminal.console.Confirm("Go on?") ? ExitCode::kDone : ExitCode::kDeclined;
}

ExitCode StartPlan(const Options& options, v1::PlanKind kind, Client& client,
                   const Terminal& terminal) {
  if (options.dry_run) return DryRun(options, kind, client, terminal);
  if (terminal.console.interactive() && !options.yes) {
    if (const ExitCode code = Ask(options, kind, client, terminal); code != ExitCode::kDone) {
      return code;
    }
  }
  const absl::StatusOr<v1::CreatePlanResponse> answer =
      client.CreatePlan(RequestOf(options, kind, false));
  if (!answer.ok()) {
    const ExitCode code = Fail(terminal, answer.status());
    if (code == ExitCode::kUnreachable) {
      terminal.console.Note(absl::StrCat(
          "whether the plan was made is not known; before you ask again: baton status ",
          options.pool, "\n"));
    }
    return code;
  }
  if (!answer->has_plan()) return Refused(options, *answer, terminal);
  const std::string& name = answer->plan().name();
  if (!options.no_wait) return FollowToEnd(name, options, client, terminal);
  terminal.console.Print(options.output == Output::kJson ? ToJson(*answer, true)
                                                         : absl::StrCat(ShortPlanId(name), "\n"));
  return ExitCode::kDone;
}

absl::StatusOr<v1::ListPlansResponse> ListPlans(const Options& options, Client& client) {
  v1::ListPlansRequest request;
  request.set_pool(options.pool);
  request.set_page_size(options.limit);
  return client.ListPlans(request);
}

// Whether `name` is a pool's, as far as the coordinator knows.
absl::StatusOr<bool> IsPool(const std::string& name, Client& client) {
  v1::ListPoolsRequest request;
  request.set_pool(name);
  const absl::StatusOr<v1::ListPoolsResponse> pools = client.ListPools(request);
  if (pools.status().code() == absl::StatusCode::kNotFound) return false;
  if (!pools.ok()) return pools.status();
  return std::any_of(pools->pools().begin(), pools->pools().end(),
                     [&](const v1::PoolStatus& pool) { return pool.pool() == name; });
}

}  // namespace

ExitCode RunAdopt(const Options& options, Client& client, const Terminal& terminal) {
  return StartPlan(options, v1::PLAN_KIND_ADOPT, client, terminal);
}

ExitCode RunSwitchover(const Options& options, Client& client, const Terminal& terminal) {
  return StartPlan(options, v1::PLAN_KIND_SWITCHOVER, client, terminal);
}

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

ExitCode RunResume(const Options& options, Client& client, const Terminal& terminal) {
  v1::ResumePlanRequest request;
  request.set_reason(options.reason);
  request.set_request_id(options.request_id);
  request.set_requested_by(options.requested_by);
  if (absl::StartsWith(options.target, "pools/")) {
    request.set_name(options.target);
  } else {
    const absl::StatusOr<bool> is_pool = IsPool(options.target, client);
    if (!is_pool.ok()) return Fail(terminal, is_pool.status());
    *is_pool ? request.set_pool(options.target) : request.set_name(options.target);
  }
  const absl::StatusOr<v1::Plan> plan = client.ResumePlan(request);
  if (!plan.ok()) return Fail(terminal, plan.status());
  if (!options.no_wait) return FollowToEnd(plan->name(), options, client, terminal);
  terminal.console.Print(options.output == Output::kJson
                             ? ToJson(*plan, true)
                             : absl::StrCat(ShortPlanId(plan->name()), "\n"));
  return ExitCode::kDone;
}

}  // namespace baton
