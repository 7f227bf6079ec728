#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tests/unit/planner/story.h"

namespace baton::testing {
namespace {

std::string Print(const Lineage& lineage) {
  return absl::StrCat(lineage.epoch.ToString(), "-", lineage.instance.value(), "@",
                      lineage.share.value(),
                      lineage.sealed.has_value() ? "!" + lineage.sealed->ToString() : "");
}
std::string Print(const std::vector<Lineage>& fetch) {
  std::vector<std::string> parts;
  for (const Lineage& lineage : fetch) parts.push_back(Print(lineage));
  return absl::StrJoin(parts, ",");
}

std::string PrintAction(const Step& step) {
  if (step.raises_epoch()) return "RaiseEpoch";
  const Action& action = *step.action();
  std::string text = absl::StrCat(step.target.ToString(), " ", Describe(action));
  if (const auto* check = std::get_if<CheckDatabase>(&action)) {
    absl::StrAppend(&text, check->checkpoint ? " checkpoint" : "",
                    check->running ? "" : " or-stopped", " id=", check->system_id);
  } else if (const auto* look = std::get_if<CheckChat>(&action)) {
    absl::StrAppend(&text, look->running ? " running" : " stopped");
  } else if (const auto* copy = std::get_if<CopyPendingLogs>(&action)) {
    absl::StrAppend(&text, " fetch=", Print(copy->fetch));
  } else if (const auto* standby = std::get_if<StartStandby>(&action)) {
    absl::StrAppend(&text, " fetch=", Print(standby->fetch));
  } else if (const auto* recover = std::get_if<Recover>(&action)) {
    absl::StrAppend(&text, " write=", Print(recover->write));
    if (!recover->fetch.empty()) absl::StrAppend(&text, " fetch=", Print(recover->fetch));
  } else if (const auto* stop = std::get_if<StopLogShipping>(&action)) {
    absl::StrAppend(&text, " fetch=", Print(stop->fetch),
                    stop->without_share ? " without share" : "",
                    stop->announced.none() ? "" : " up to " + stop->announced.ToString());
  } else if (const auto* salvage = std::get_if<SalvageLogs>(&action)) {
    absl::StrAppend(&text, " for ", Print(salvage->from));
  } else if (const auto* configure = std::get_if<ConfigureLogShipping>(&action)) {
    absl::StrAppend(&text, configure->prepare_share ? " prepares the share" : "");
  } else if (const auto* seed = std::get_if<Seed>(&action)) {
    absl::StrAppend(&text, " id=", seed->system_id);
  } else if (const auto* quarantine = std::get_if<Quarantine>(&action)) {
    absl::StrAppend(&text, " id=", quarantine->system_id);
    if (quarantine->discard_bytes.has_value()) {
      absl::StrAppend(&text, " discards up to ", *quarantine->discard_bytes);
    }
  } else if (const auto* unfence = std::get_if<Unfence>(&action)) {
    absl::StrAppend(&text, " write=", Print(unfence->write));
  }
  return text;
}

}  // namespace

std::string Print(const Plan& plan) {
  std::string text = absl::StrCat(std::string(ToString(plan.kind)), " ", plan.from_site.value(),
                                  " -> ", plan.to_site.value(), ", epoch ",
                                  plan.epoch_before.ToString(), " -> ", plan.epoch.ToString());
  if (!plan.undo_epoch.none()) absl::StrAppend(&text, ", undo ", plan.undo_epoch.ToString());
  absl::StrAppend(&text, "\n");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    absl::StrAppend(&text, i < 10 ? " " : "", i, step.undo ? " undo" : "",
                    step.critical ? " *" : "", " ", step.title);
    if (step.undoes.has_value()) absl::StrAppend(&text, " (undoes ", *step.undoes, ")");
    if (!step.documented_as.empty()) absl::StrAppend(&text, " [", step.documented_as, "]");
    absl::StrAppend(&text, "\n     ", PrintAction(step));
    if (step.input_from.has_value()) absl::StrAppend(&text, " input from ", *step.input_from);
    absl::StrAppend(&text, "; ", absl::FormatDuration(step.timeout), ", tries ",
                    step.automatic_tries, step.skippable ? ", skippable" : "");
    if (!step.after.empty()) absl::StrAppend(&text, "; after ", absl::StrJoin(step.after, " "));
    absl::StrAppend(&text, "\n");
  }
  for (const AnnouncedLoss& loss : plan.losses) {
    absl::StrAppend(&text, "loss: ", Describe(loss), "\n");
  }
  for (const ResourceRef& ref : plan.fence_on_return) {
    absl::StrAppend(&text, "fence on return: ", ref.ToString(), "\n");
  }
  for (const std::string& line : plan.overrides) absl::StrAppend(&text, "override: ", line, "\n");
  for (const std::string& line : plan.explanation) absl::StrAppend(&text, "why: ", line, "\n");
  return text;
}

}  // namespace baton::testing
