#include "coordinator/planner/switchover.h"

#include <utility>

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/plan_builder.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/switchover_steps.h"
#include "coordinator/planner/word.h"

namespace baton {

std::optional<Plan> MakeSwitchover(const Inquiry& ask) {
  PlannedMove move;
  move.moves = ChooseMoves(ask, Mover::kHolder);
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (move.moves.empty() || state == nullptr) return std::nullopt;
  const ChatChoice chat =
      ChooseChatServers(ask, ask.seen.topology->SiteOf(move.moves.front().to->host));
  move.next = chat.next;
  for (const DatabaseMove& each : move.moves) {
    CheckFollows(ask, each);
    CheckMove(ask, *state, each);
  }
  const ServingChat serving = CheckLostChat(ask, *state, move.moves);
  move.quiet = serving.reached;
  move.not_reached = serving.lost;
  CheckChatServers(ask, *state, move.moves.front().from->host, move.quiet, move.next);
  if (!ask.refusals.empty()) return std::nullopt;
  PlanBuilder builder(ask);
  AddSwitchover(ask, *state, move, {}, builder);
  Plan plan = builder.Take();
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace baton
