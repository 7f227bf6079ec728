// Verbs for a plan that has not ended.
#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "coordinator/cli/commands.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

// Of what was typed: one of them is empty.
struct Target {
  std::string plan;
  std::string pool;
};

// A pool's name, as far as the coordinator knows, means the pool's plan; anything else is a plan's.
absl::StatusOr<Target> Resolve(const std::string& typed, Client& client) {
  if (absl::StartsWith(typed, "pools/")) return Target{.plan = typed, .pool = ""};
  v1::ListPoolsRequest request;
  request.set_pool(typed);
  const absl::StatusOr<v1::ListPoolsResponse> pools = client.ListPools(request);
  if (pools.status().code() == absl::StatusCode::kNotFound)
    return Target{.plan = typed, .pool = ""};
  if (!pools.ok()) return pools.status();
  const bool is_pool =
      std::any_of(pools->pools().begin(), pools->pools().end(),
                  [&](const v1::PoolStatus& pool) { return pool.pool() == typed; });
  return is_pool ? Target{.plan = "", .pool = typed} : Target{.plan = typed, .pool = ""};
}

template <class Request>
Request RequestOf(const Target& target, const Options& options) {
  Request request;
  request.set_name(target.plan);
  request.set_pool(target.pool);
  request.set_reason(options.reason);
  request.set_request_id(options.request_id);
  request.set_requested_by(options.requested_by);
  return request;
}

absl::StatusOr<v1::Plan> Send(const Target& target, const Options& options, Client& client) {
  if (options.verb == Verb::kResume) {
    return client.ResumePlan(RequestOf<v1::ResumePlanRequest>(target, options));
  }
  auto request = RequestOf<v1::OperatePlanRequest>(target, options);
  // People count from 1.
  if (options.step.has_value()) request.set_step(*options.step - 1);
  switch (options.verb) {
    case Verb::kPause:
      return client.PausePlan(request);
    case Verb::kRetry:
      return client.RetryStep(request);
    case Verb::kSkip:
      return client.SkipStep(request);
    default:
      return client.AbortPlan(request);
  }
}

ExitCode SendAndFollow(const Target& target, const Options& options, Client& client,
                       const Terminal& terminal) {
  const absl::StatusOr<v1::Plan> plan = Send(target, options, client);
  if (!plan.ok()) return Fail(terminal, plan.status());
  if (!options.no_wait) return FollowToEnd(plan->name(), options, client, terminal);
  terminal.console.Print(options.output == Output::kJson
                             ? ToJson(*plan, true)
                             : absl::StrCat(ShortPlanId(plan->name()), "\n"));
  return ExitCode::kDone;
}

// The plan that is meant, with its options.
absl::StatusOr<v1::Plan> Find(const Target& target, Client& client) {
  v1::GetPlanRequest request;
  request.set_name(target.plan);
  if (!target.pool.empty()) {
    v1::ListPoolsRequest pool_request;
    pool_request.set_pool(target.pool);
    const absl::StatusOr<v1::ListPoolsResponse> pools = client.ListPools(pool_request);
    if (!pools.ok()) return pools.status();
    for (const v1::PoolStatus& pool : pools->pools()) {
      if (pool.pool() == target.pool) request.set_name(pool.plan().name());
    }
    if (request.name().empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("pool ", target.pool,
                       ": found no plan that runs or waits, wanted one; see past ones with: baton "
                       "plan list ",
                       target.pool));
    }
  }
  return client.GetPlan(request);
}

const v1::PlanOption* AbortOption(const v1::Plan& plan) {
  const auto found =
      std::find_if(plan.options().begin(), plan.options().end(),
                   [](const v1::PlanOption& option) { return option.verb() == "abort"; });
  return found == plan.options().end() ? nullptr : &*found;
}

}  // namespace

ExitCode RunOperate(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<Target> target = Resolve(options.target, client);
  if (!target.ok()) return Fail(terminal, target.status());
  return SendAndFollow(*target, options, client, terminal);
}

ExitCode RunAbort(const Options& options, Client& client, const Terminal& terminal) {
  const absl::StatusOr<Target> target = Resolve(options.target, client);
  if (!target.ok()) return Fail(terminal, target.status());
  const absl::StatusOr<v1::Plan> plan = Find(*target, client);
  if (!plan.ok()) return Fail(terminal, plan.status());
  const v1::PlanOption* option = AbortOption(*plan);
  if (option != nullptr) {
    terminal.console.Note(absl::StrCat(
        "abort of the ", PlanTitle(*plan), ":\n  ",
        Printable(option->effect().empty() ? "what runs is cancelled" : option->effect()), "\n"));
  }
  const bool ask = terminal.console.interactive() && !options.yes;
  if (ask && (option == nullptr || option->allowed()) && !terminal.console.Confirm("Abort it?")) {
    return ExitCode::kDeclined;
  }
  // The very plan that was shown, though another may be the pool's by now.
  return SendAndFollow(Target{.plan = plan->name(), .pool = ""}, options, client, terminal);
}

}  // namespace baton
