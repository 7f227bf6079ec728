// What the oracle makes of a plan before it is admitted.
#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "tests/simulation/oracle.h"

namespace baton::sim {

// Who is to serve can be reached, and the plan says of every chat server why it serves or not.
void Oracle::CheckChatChosen(const Plan& plan, const Snapshot& seen) {
  bool chosen = false;
  for (const Step& step : plan.steps) {
    const Action* action = step.action();
    if (step.undo || action == nullptr || !std::holds_alternative<Activate>(*action)) continue;
    chosen = true;
    if (seen.Connected(step.target.host)) continue;
    Fail(Checker::kChat,
         absl::StrCat(step.target.ToString(), " is to serve next, and its agent is not connected"));
  }
  if (!chosen) return;
  for (const auto& unit : world_.units) {
    const std::string name = unit->ref.ToString();
    const bool told =
        unit->is_database() || std::any_of(plan.explanation.begin(), plan.explanation.end(),
                                           [&name](const std::string& line) {
                                             return absl::StartsWith(line, name + " serves: ") ||
                                                    absl::StartsWith(line, name + " does not");
                                           });
    if (told) continue;
    Fail(Checker::kChat,
         absl::StrCat("a plan does not say why ", name, " is to serve next, or why not"));
  }
}

}  // namespace baton::sim
