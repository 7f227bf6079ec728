// The page about one plan.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/format.h"
#include "coordinator/cli/plan_words.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

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

// What the end of a plan says that went as it was asked to.
constexpr char kNothingToAdd[] = "every step succeeded";

std::string Succeeded(const v1::Plan& plan) {
  std::string text = "succeeded";
  if (const std::string took = PlanTook(plan); !took.empty()) {
    absl::StrAppend(&text, " in ", took);
  }
  if (const absl::Duration outage = OutageOf(plan); outage > absl::ZeroDuration()) {
    absl::StrAppend(&text,
                    plan.kind() == v1::PLAN_KIND_FAILOVER ? "; from the command to activation "
                                                          : "; from drain to activation ",
                    Took(outage));
  }
  if (const std::string& end = plan.end_text(); !end.empty() && end != kNothingToAdd) {
    absl::StrAppend(&text, "\n  ", end);
  }
  return text;
}

std::string Waits(const v1::Plan& plan) {
  // A pause says itself whose it is and why.
  const bool told = plan.paused() && !plan.waiting_for().empty();
  std::string text = told            ? plan.waiting_for()
                     : plan.paused() ? "paused by an operator"
                                     : absl::StrCat("waits for an operator: ", plan.waiting_for());
  if (!plan.options().empty()) return text;
  return absl::StrCat(text, "\n  what you can do now: baton resume ", ShortPlanId(plan.name()),
                      " --reason \"...\"; it tries again what failed");
}

// What to type for it.
std::string CommandFor(const v1::PlanOption& option, const v1::Plan& plan) {
  std::string text = absl::StrCat("baton ", option.verb(), " ", ShortPlanId(plan.name()));
  if (option.has_step()) absl::StrAppend(&text, " --step ", option.step() + 1);
  return absl::StrCat(text, " --reason \"...\"");
}

}  // namespace

std::string FormatOptions(const v1::Plan& plan) {
  TextTable table({"COMMAND", "ALLOWED", "EFFECT"});
  for (const bool allowed : {true, false}) {
    for (const v1::PlanOption& option : plan.options()) {
      if (option.allowed() != allowed) continue;
      table.Add({CommandFor(option, plan), allowed ? "yes" : "no", option.effect()});
    }
  }
  return table.empty() ? "" : absl::StrCat("What you can do now\n", table.ToString("  "));
}

std::string FormatOutage(const v1::Plan& plan) {
  std::vector<const v1::Step*> steps;
  for (const v1::Step& step : plan.steps()) {
    if (step.critical() && !step.undo() && step.has_start_time()) steps.push_back(&step);
  }
  if (steps.empty()) return "";
  std::stable_sort(steps.begin(), steps.end(), [](const v1::Step* a, const v1::Step* b) {
    return ToTime(a->start_time()) < ToTime(b->start_time());
  });
  const absl::Time first = plan.kind() == v1::PLAN_KIND_FAILOVER && plan.has_create_time()
                               ? ToTime(plan.create_time())
                               : ToTime(steps.front()->start_time());
  TextTable table({"#", "STEP THAT USERS WAITED FOR", "STANDS FOR", "BEGAN AFTER", "TOOK"});
  for (const v1::Step* step : steps) {
    table.Add({StepNumber(*step), step->title(), step->documented_as(),
               Took(ToTime(step->start_time()) - first), StepTook(*step)});
  }
  return table.ToString("  ");
}

std::string PlanVerdict(const v1::Plan& plan, bool seen_in_full) {
  const std::string id = ShortPlanId(plan.name());
  const std::string why = seen_in_full ? "" : absl::StrCat("\n  why: baton plan show ", id);
  const std::string& end = plan.end_text();
  std::string text;
  switch (plan.state()) {
    case v1::PLAN_STATE_SUCCEEDED:
      text = Succeeded(plan);
      break;
    case v1::PLAN_STATE_UNDONE:
      text = absl::StrCat("undone: ", end.empty() ? "chat is served where it was" : end, why);
      break;
    case v1::PLAN_STATE_FAILED:
      text = absl::StrCat("failed", end.empty() ? "" : ": ", end, why,
                          "\n  how things stand: baton status ", plan.pool());
      break;
    case v1::PLAN_STATE_WAITING:
      text = Waits(plan);
      break;
    default:
      text = plan.paused() ? Waits(plan)
                           : absl::StrCat(Word(plan.state()), "\n  look on: baton plan show ", id,
                                          " --watch");
  }
  text = Printable(text) + "\n";
  if (!seen_in_full && plan.state() == v1::PLAN_STATE_SUCCEEDED) {
    text += FormatOutage(plan) + FormatLosses(plan.losses());
  }
  const std::string options = FormatOptions(plan);
  return options.empty() ? text : absl::StrCat(text, "\n", options);
}

std::string FormatPlan(const v1::Plan& plan) {
  std::string text = PlanTitle(plan) + "\n";
  absl::StrAppend(&text, "  asked for by ", Printable(plan.requested_by()), " at ",
                  LocalTime(plan.create_time()), ": ", Printable(plan.reason()), "\n",
                  ExplanationLines(plan), FormatStakes(plan));
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

}  // namespace baton
