#include "coordinator/planner/failback.h"

#include "absl/strings/str_cat.h"

#include "coordinator/planner/seeding.h"
#include "coordinator/planner/switchover.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/switchover_steps.h"

namespace baton {

std::optional<Plan> MakeFailback(const Inquiry& ask) {
  const std::vector<DatabaseMove> moves = ChooseMoves(ask, Mover::kHolder);
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (moves.empty() || state == nullptr) return std::nullopt;
  if (ask.seen.topology->SiteOf(moves.front().from->host) == ask.pool.home) {
    ask.refusals.Add("ALREADY_HOME", ask.pool.id.value(),
                     absl::StrCat("its databases are written at ", ask.pool.home.value()),
                     "a pool that was moved away from home", "nothing to do: baton status");
    return std::nullopt;
  }
  std::vector<Seeding> seedings;
  for (const DatabaseMove& move : moves) {
    CheckWriter(ask, *state, move, ArchiverCheck::kNow);
    seedings.push_back(ChooseSeeding(ask, *state, move));
    if (seedings.back().way == SeedingWay::kNone) CheckStandby(ask, *state, move);
  }
  ChatChoice chat;
  const PlannedMove move = ChoosePlannedMove(ask, *state, moves, chat);
  if (!ask.refusals.empty()) return std::nullopt;
  PlanBuilder builder(ask);
  StepList seeded;
  for (const Seeding& seeding : seedings) {
    if (seeding.way != SeedingWay::kNone) {
      seeded.push_back(AddSeeding(seeding, {}, builder));
    }
    builder.plan().explanation.push_back(ExplainSeeding(seeding));
  }
  AddSwitchover(ask, *state, move, seeded, builder);
  Plan plan = builder.Take();
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace baton
