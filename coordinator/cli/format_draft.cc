// A plan that is only thought of, what it may cost, and why it is refused.
#include <string>

#include "absl/strings/str_cat.h"

#include "common/rpc/protocol_proto.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/plan_words.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

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

std::string SeenAgo(const v1::AnnouncedLoss& loss) {
  const auto age = FromProto("report_age", loss.report_age());
  return loss.has_report_age() && age.ok() ? absl::StrCat(Took(*age), " before") : "never seen";
}

}  // namespace

std::string FormatLosses(const google::protobuf::RepeatedPtrField<v1::AnnouncedLoss>& losses) {
  TextTable table({"DATABASE", "AT MOST THE LAST", "KNOWN OF IT", "KEPT UP TO", "LAST COMMIT KEPT",
                   "WRITER'S LOG ENDED AT", "AS REPORTED"});
  for (const v1::AnnouncedLoss& loss : losses) {
    const std::string commit = LocalTimeToMillis(loss.last_commit_time());
    const std::string end = Text(loss.lost_end());
    const std::string kept = Text(loss.kept());
    table.Add({loss.database(), LossWindow(loss),
               end.empty() || loss.bytes() == 0 ? "-" : Bytes(loss.bytes()),
               kept.empty() ? "not known" : kept, commit.empty() ? "not known" : commit,
               end.empty() ? "not known" : end, SeenAgo(loss)});
  }
  if (table.empty()) return "";
  return absl::StrCat("announced loss: what was acknowledged after the last commit that is kept\n",
                      table.ToString("  "));
}

std::string FormatStakes(const v1::Plan& plan) {
  std::string text = FormatLosses(plan.losses());
  if (plan.kind() == v1::PLAN_KIND_FAILOVER && text.empty()) {
    text = "announced loss: none\n";
  }
  if (!plan.fence_on_return().empty()) {
    text += "not reached, to be fenced on return before anything else:\n";
  }
  for (const v1::ResourceRef& ref : plan.fence_on_return()) {
    absl::StrAppend(&text, "  ", Printable(Text(ref)), "\n");
  }
  if (!plan.overrides().empty()) text += "overridden:\n";
  for (const std::string& line : plan.overrides()) {
    absl::StrAppend(&text, "  ", Printable(line), "\n");
  }
  return text.empty() ? "" : absl::StrCat("\n", text);
}

std::string FormatRefusals(const google::protobuf::RepeatedPtrField<v1::Refusal>& refusals) {
  std::string text;
  for (const v1::Refusal& refusal : refusals) {
    absl::StrAppend(&text, "  ", Printable(absl::StrCat(refusal.rule(), ": ", refusal.subject())),
                    "\n    found:  ", Printable(refusal.found()),
                    "\n    wanted: ", Printable(refusal.wanted()), "\n");
    if (!refusal.remedy().empty()) {
      absl::StrAppend(&text, "    next:   ", Printable(refusal.remedy()), "\n");
    }
  }
  return text;
}

std::string FormatDraft(const v1::Plan& plan) {
  std::string text = absl::StrCat(PlanDraftTitle(plan), "\n", ExplanationLines(plan));
  const std::string steps = FormatSteps(plan);
  if (!steps.empty()) absl::StrAppend(&text, "\n", steps);
  return absl::StrCat(text, FormatStakes(plan));
}

std::string FormatDryRun(const v1::CreatePlanResponse& answer, const std::string& pool) {
  std::string text = absl::StrCat(
      "dry run, nothing was changed: ",
      answer.has_plan() ? FormatDraft(answer.plan()) : absl::StrCat("no plan for ", pool, "\n"),
      "\n");
  if (answer.refusals().empty()) {
    return absl::StrCat(text, "the agents checked it: nothing stands against it\n");
  }
  return absl::StrCat(text, "would be refused:\n", FormatRefusals(answer.refusals()));
}

}  // namespace baton
