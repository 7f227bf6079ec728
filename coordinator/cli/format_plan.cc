#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

std::string StepNumber(const v1::Step& step) { return absl::StrCat(step.index() + 1); }

std::string StepTook(const v1::Step& step) {
  if (!step.has_start_time() || !step.has_end_time()) return "";
  return Took(ToTime(step.end_time()) - ToTime(step.start_time()));
}

std::string StepRemark(const v1::Step& step) {
  std::string remark;
  if (step.attempt() > 1) remark = absl::StrCat("attempt ", step.attempt());
  const std::string& said =
      step.outcome().message().empty() ? step.progress() : step.outcome().message();
  if (!said.empty()) absl::StrAppend(&remark, remark.empty() ? "" : "; ", said);
  if (remark.empty() && step.outcome().bytes() > 0) remark = Bytes(step.outcome().bytes());
  return remark;
}

std::string Route(const v1::Plan& plan) {
  if (plan.from_site().empty() && plan.to_site().empty()) return "";
  if (plan.from_site() == plan.to_site() || plan.from_site().empty()) return plan.to_site();
  return absl::StrCat(plan.from_site(), " -> ", plan.to_site());
}

std::string PlanTook(const v1::Plan& plan) {
  if (!plan.has_end_time() || !plan.has_create_time()) return "";
  return Took(ToTime(plan.end_time()) - ToTime(plan.create_time()));
}

}  // namespace

absl::Duration OutageOf(const v1::Plan& plan) {
  absl::Time first = absl::InfiniteFuture();
  absl::Time last = absl::InfinitePast();
  for (const v1::Step& step : plan.steps()) {
    if (!step.critical() || step.undo()) continue;
    if (!step.has_start_time() || !step.has_end_time()) return absl::ZeroDuration();
    first = std::min(first, ToTime(step.start_time()));
    last = std::max(last, ToTime(step.end_time()));
  }
  return last > first ? last - first : absl::ZeroDuration();
}

bool IsShown(const v1::Step& step) {
  return !step.undo() ||
         (step.state() > v1::STEP_STATE_PENDING && step.state() != v1::STEP_STATE_SKIPPED);
}

std::string PlanDraftTitle(const v1::Plan& plan) {
  std::string title = absl::StrCat(Word(plan.kind()), " of ", plan.pool());
  if (const std::string route = Route(plan); !route.empty()) {
    absl::StrAppend(&title, ", ", route);
  }
  if (plan.has_epoch()) {
    absl::StrAppend(&title, ", epoch ", Text(plan.epoch_before()), " -> ", Text(plan.epoch()));
  }
  return Printable(title);
}

std::string PlanTitle(const v1::Plan& plan) {
  return absl::StrCat(PlanDraftTitle(plan), ", plan ", Printable(ShortPlanId(plan.name())));
}

std::string PlanVerdict(const v1::Plan& plan, bool seen_in_full) {
  const std::string id = ShortPlanId(plan.name());
  const std::string why = seen_in_full ? "" : absl::StrCat("\n  why: baton plan show ", id);
  std::string text;
  switch (plan.state()) {
    case v1::PLAN_STATE_SUCCEEDED:
      text = "succeeded";
      if (const std::string took = PlanTook(plan); !took.empty()) {
        absl::StrAppend(&text, " in ", took);
      }
      if (const absl::Duration outage = OutageOf(plan); outage > absl::ZeroDuration()) {
        absl::StrAppend(&text, "; from drain to activation ", Took(outage));
      }
      break;
    case v1::PLAN_STATE_UNDONE:
      text = absl::StrCat("undone: chat is served where it was", why);
      break;
    case v1::PLAN_STATE_FAILED:
      text = absl::StrCat("failed", why, "\n  how things stand: baton status ", plan.pool());
      break;
    case v1::PLAN_STATE_WAITING:
      text = absl::StrCat("waits for an operator: ", plan.waiting_for(),
                          "\n  what you can do now: baton resume ", id,
                          " --reason \"...\"; it tries again what failed");
      break;
    default:
      text = absl::StrCat(Word(plan.state()), "\n  look on: baton plan show ", id, " --watch");
  }
  return Printable(text) + "\n";
}

std::string FormatPlan(const v1::Plan& plan) {
  std::string text = PlanTitle(plan) + "\n";
  absl::StrAppend(&text, "  asked for by ", Printable(plan.requested_by()), " at ",
                  LocalTime(plan.create_time()), ": ", Printable(plan.reason()), "\n");
  for (const std::string& line : plan.explanation()) {
    absl::StrAppend(&text, "  ", Printable(line), "\n");
  }
  TextTable table({"#", "STEP", "STANDS FOR", "OUTAGE", "STATE", "STARTED", "TOOK", "REMARK"});
  for (const v1::Step& step : plan.steps()) {
    if (!IsShown(step)) continue;
    table.Add({StepNumber(step), step.title(), step.documented_as(), step.critical() ? "yes" : "",
               Word(step.state()), LocalTimeOfDay(step.start_time()), StepTook(step),
               StepRemark(step)});
  }
  if (!table.empty()) absl::StrAppend(&text, "\n", table.ToString("  "));
  absl::StrAppend(&text, "\n", PlanVerdict(plan, true));
  return text;
}

std::string FormatSteps(const v1::Plan& plan) {
  TextTable table({"#", "STEP", "STANDS FOR", "OUTAGE", "AFTER"});
  for (const v1::Step& step : plan.steps()) {
    if (!IsShown(step)) continue;
    std::string after;
    for (const uint32_t index : step.after()) {
      absl::StrAppend(&after, after.empty() ? "" : " ", index + 1);
    }
    table.Add({StepNumber(step), step.title(), step.documented_as(), step.critical() ? "yes" : "",
               after});
  }
  return table.empty() ? "" : table.ToString("  ");
}

std::string FormatRefusals(const google::protobuf::RepeatedPtrField<v1::Refusal>& refusals) {
  std::string text;
  for (const v1::Refusal& refusal : refusals) {
    absl::StrAppend(&text, "  ", Printable(Text(refusal)), "\n");
  }
  return text;
}

std::string FormatDryRun(const v1::CreatePlanResponse& answer, const std::string& pool) {
  std::string text = "dry run, nothing was changed: ";
  if (answer.has_plan()) {
    const v1::Plan& plan = answer.plan();
    absl::StrAppend(&text, PlanDraftTitle(plan), "\n");
    for (const std::string& line : plan.explanation()) {
      absl::StrAppend(&text, "  ", Printable(line), "\n");
    }
    absl::StrAppend(&text, "\n", FormatSteps(plan), "\n");
  } else {
    absl::StrAppend(&text, "no plan for ", pool, "\n\n");
  }
  if (answer.refusals().empty()) {
    return absl::StrCat(text, "the agents checked it: nothing stands against it\n");
  }
  return absl::StrCat(text, "would be refused:\n", FormatRefusals(answer.refusals()));
}

std::string FormatPlanList(const v1::ListPlansResponse& plans) {
  TextTable table({"PLAN", "POOL", "KIND", "ROUTE", "STATE", "CREATED", "TOOK", "WAITS FOR"});
  for (const v1::Plan& plan : plans.plans()) {
    table.Add({ShortPlanId(plan.name()), plan.pool(), Word(plan.kind()), Route(plan),
               Word(plan.state()), LocalTime(plan.create_time()), PlanTook(plan),
               plan.waiting_for()});
  }
  return table.empty() ? "no plans yet\n" : table.ToString();
}

std::string FormatHistory(const v1::ListPlansResponse& plans) {
  TextTable table({"ENDED", "POOL", "KIND", "ROUTE", "EPOCH", "RESULT", "TOOK", "BY", "REASON"});
  for (const v1::Plan& plan : plans.plans()) {
    if (!plan.has_end_time()) continue;
    table.Add({LocalTime(plan.end_time()), plan.pool(), Word(plan.kind()), Route(plan),
               Text(plan.epoch()), Word(plan.state()), PlanTook(plan), plan.requested_by(),
               plan.reason()});
  }
  return table.empty() ? "nothing has been moved yet\n" : table.ToString();
}

}  // namespace baton
