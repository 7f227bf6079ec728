// What the oracle makes of a plan before it is admitted.
#include <algorithm>
#include <set>
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

// PointAt precedes Activate, in every order.
void Oracle::CheckPointsAtWriter(const Unit& unit, const Command& command) {
  const PoolState* pool = durable_.FindPool(world_.pool);
  if (pool == nullptr || pool->epoch != command.epoch || pool->rights.empty()) return;
  const HostId& writer = pool->rights.begin()->second.writer;
  if (writer.empty() || unit.points_at == world_.HostIndex(writer)) return;
  Fail(Checker::kChat, absl::StrCat(unit.ref.ToString(), " is activated, and not pointed at ",
                                    writer.value(), ", which is written"));
}

// Whose log has a gap takes over only where somebody gave up what lies behind it, or after it was
// seeded anew.
void Oracle::CheckGapNamed(const Plan& plan, const Goal& said, const Snapshot& seen) {
  std::set<ResourceRef> seeded;
  for (const Step& step : plan.steps) {
    const Action* action = step.action();
    if (step.undo || action == nullptr) continue;
    if (std::holds_alternative<Seed>(*action)) seeded.insert(step.target);
    const auto* recover = std::get_if<Recover>(action);
    if (recover == nullptr || recover->own_log || seeded.contains(step.target)) continue;
    const Observation* known = seen.Find(step.target);
    if (known == nullptr || known->database() == nullptr || known->database()->gap.empty())
      continue;
    const bool named =
        std::any_of(plan.overrides.begin(), plan.overrides.end(), [&](const std::string& line) {
          return absl::StrContains(line, step.target.ToString()) &&
                 absl::StrContains(line, known->database()->gap);
        });
    if (named && said.override_rules.contains("LOG_GAP")) continue;
    Fail(Checker::kRefuses, absl::StrCat(step.target.ToString(), " is to take over, its log lacks ",
                                         known->database()->gap, ", and nobody accepted that"));
  }
}

}  // namespace baton::sim
