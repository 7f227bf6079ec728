#include "coordinator/planner/protect.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/adopt.h"
#include "coordinator/planner/seeding.h"
#include "coordinator/planner/switchover_checks.h"

namespace baton {

std::optional<Plan> MakeProtect(const Inquiry& ask) {
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state == nullptr || !state->adopted) return MakeBareAdoption(ask);
  const std::vector<DatabaseMove> moves = ChooseMoves(ask, Mover::kHolder);
  std::vector<Seeding> seedings;
  for (const DatabaseMove& move : moves) {
    CheckWriter(ask, *state, move, ArchiverCheck::kLater);
    seedings.push_back(ChooseSeeding(ask, *state, move));
  }
  if (moves.empty() || !ask.refusals.empty()) return std::nullopt;
  const bool protected_already =
      std::all_of(seedings.begin(), seedings.end(),
                  [](const Seeding& each) { return each.way == SeedingWay::kNone; });
  if (protected_already) {
    ask.refusals.Add("ALREADY_PROTECTED", ask.pool.id.value(),
                     "every database has an instance at the other site that follows",
                     "a database without one", "nothing to do: baton status");
    return std::nullopt;
  }
  PlanBuilder builder(ask);
  Plan& plan = builder.plan();
  plan.from_site = plan.to_site = ask.seen.topology->SiteOf(moves.front().from->host);
  plan.epoch_before = plan.epoch = state->epoch;
  for (const Seeding& seeding : seedings) {
    if (seeding.way != SeedingWay::kNone) AddSeeding(seeding, {}, builder);
    plan.explanation.push_back(ExplainSeeding(seeding));
  }
  return builder.Take();
}

}  // namespace baton
