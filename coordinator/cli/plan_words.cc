#include "coordinator/cli/plan_words.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/rpc/protocol_proto.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {

std::string StepNumber(const v1::Step& step) { return absl::StrCat(step.index() + 1); }

std::string Route(const v1::Plan& plan) {
  if (plan.from_site().empty() && plan.to_site().empty()) return "";
  if (plan.from_site() == plan.to_site() || plan.from_site().empty()) return plan.to_site();
  return absl::StrCat(plan.from_site(), " -> ", plan.to_site());
}

std::string PlanTook(const v1::Plan& plan) {
  if (!plan.has_end_time() || !plan.has_create_time()) return "";
  return Took(ToTime(plan.end_time()) - ToTime(plan.create_time()));
}

std::string LossWindow(const v1::AnnouncedLoss& loss) {
  if (loss.nothing()) return "nothing";
  const auto window = FromProto("window", loss.window());
  return loss.has_window() && window.ok() ? Took(*window) : "not known";
}

std::string MostLost(const v1::Plan& plan) {
  const auto size = [](const v1::AnnouncedLoss& loss) {
    return std::tuple(loss.window().seconds(), loss.window().nanos(), !loss.nothing());
  };
  const v1::AnnouncedLoss* most = nullptr;
  for (const v1::AnnouncedLoss& loss : plan.losses()) {
    if (!loss.has_window()) return LossWindow(loss);
    if (most == nullptr || size(*most) < size(loss)) most = &loss;
  }
  return most == nullptr ? "" : LossWindow(*most);
}

std::string ExplanationLines(const v1::Plan& plan) {
  std::string text;
  for (const std::string& line : plan.explanation()) {
    absl::StrAppend(&text, "  ", Printable(line), "\n");
  }
  return text;
}

absl::Duration OutageOf(const v1::Plan& plan) {
  absl::Time first = absl::InfiniteFuture();
  absl::Time last = absl::InfinitePast();
  for (const v1::Step& step : plan.steps()) {
    if (!step.critical() || step.undo() || step.state() == v1::STEP_STATE_SKIPPED) continue;
    if (!step.has_start_time() || !step.has_end_time()) return absl::ZeroDuration();
    first = std::min(first, ToTime(step.start_time()));
    last = std::max(last, ToTime(step.end_time()));
  }
  if (plan.kind() == v1::PLAN_KIND_FAILOVER && plan.has_create_time()) {
    first = ToTime(plan.create_time());
  }
  return last > first && last != absl::InfinitePast() ? last - first : absl::ZeroDuration();
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
    const std::string before = Text(plan.epoch_before());
    const std::string after = Text(plan.epoch());
    absl::StrAppend(&title, ", epoch ", before);
    if (before != after) absl::StrAppend(&title, " -> ", after);
  }
  return Printable(title);
}

std::string PlanTitle(const v1::Plan& plan) {
  return absl::StrCat(PlanDraftTitle(plan), ", plan ", Printable(ShortPlanId(plan.name())));
}

}  // namespace baton
