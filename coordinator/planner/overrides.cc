#include "coordinator/planner/overrides.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace baton {

Overrides::Overrides(const Inquiry& ask) : ask_(ask) {
  static const std::set<std::string> kKnown = {"FENCE_EPOCH_AHEAD", "HOME_DATABASE_UP", "LOG_GAP",
                                               "SHARE_UNREADABLE", "UNPROTECTED"};
  for (const std::string& rule : ask.goal.override_rules) {
    if (kKnown.contains(rule)) continue;
    ask.refusals.Add(
        "RULE_NOT_OVERRIDABLE", rule, "an override of it",
        "FENCE_EPOCH_AHEAD, HOME_DATABASE_UP, LOG_GAP, SHARE_UNREADABLE or UNPROTECTED",
        rule == "LOSS_OVER_LIMIT" ? "say how much: --allow-loss TIME" : "leave it out");
  }
}

bool Overrides::Accepts(const std::string& rule, const std::string& quantity) {
  if (!ask_.goal.override_rules.contains(rule)) return false;
  Note(rule, quantity);
  return true;
}

void Overrides::Note(const std::string& rule, const std::string& quantity) {
  lines_.push_back(absl::StrCat(rule, ": ", quantity));
}

std::string Overrides::Flag(const std::string& rule) {
  return absl::StrCat("--override-rule ", rule);
}

}  // namespace baton
