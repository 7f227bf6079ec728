#include "coordinator/cli/start_plan.h"

#include "absl/strings/str_cat.h"

#include "coordinator/cli/commands.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

ExitCode Refused(const Options& options, const v1::CreatePlanResponse& answer,
                 const Terminal& terminal) {
  if (options.output == Output::kJson) terminal.console.Print(ToJson(answer, true));
  terminal.console.Note(
      absl::StrCat("baton: refused, nothing was done:\n", FormatRefusals(answer.refusals())));
  return ExitCode::kRefused;
}

absl::StatusOr<v1::CreatePlanResponse> Validate(v1::CreatePlanRequest& wanted, Client& client) {
  wanted.set_validate_only(true);
  if (wanted.reason().empty()) wanted.set_reason("dry run");
  return client.CreatePlan(wanted);
}

}  // namespace

v1::CreatePlanRequest PlanRequest(const Options& options, v1::PlanKind kind) {
  v1::CreatePlanRequest request;
  request.set_pool(options.pool);
  request.set_kind(kind);
  request.set_reason(options.reason);
  request.set_requested_by(options.requested_by);
  return request;
}

ExitCode DryRunPlan(v1::CreatePlanRequest wanted, const Options& options, Client& client,
                    const Terminal& terminal) {
  const absl::StatusOr<v1::CreatePlanResponse> answer = Validate(wanted, client);
  if (!answer.ok()) return Fail(terminal, answer.status());
  terminal.console.Print(options.output == Output::kJson ? ToJson(*answer, true)
                                                         : FormatDryRun(*answer, options.pool));
  return answer->refusals().empty() ? ExitCode::kDone : ExitCode::kRefused;
}

ExitCode AskAboutPlan(v1::CreatePlanRequest wanted, const Options& options, Client& client,
                      const Terminal& terminal) {
  if (!terminal.console.interactive() || options.yes) return ExitCode::kDone;
  const absl::StatusOr<v1::CreatePlanResponse> answer = Validate(wanted, client);
  if (!answer.ok()) return Fail(terminal, answer.status());
  if (!answer->refusals().empty()) return Refused(options, *answer, terminal);
  terminal.console.Note(FormatDraft(answer->plan()));
  const char* question = answer->plan().kind() == v1::PLAN_KIND_FAILOVER
                             ? "Fail over, with what may be lost as stated above?"
                             : "Go on?";
  return terminal.console.Confirm(question) ? ExitCode::kDone : ExitCode::kDeclined;
}

ExitCode StartPlan(v1::CreatePlanRequest wanted, const Options& options, Client& client,
                   const Terminal& terminal) {
  wanted.set_request_id(options.request_id);
  const absl::StatusOr<v1::CreatePlanResponse> answer = client.CreatePlan(wanted);
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

}  // namespace baton
