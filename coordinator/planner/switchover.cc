#include "coordinator/planner/switchover.h"

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/plan_builder.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/word.h"

namespace baton {

PlannedMove ChoosePlannedMove(const Inquiry& ask, const PoolState& state,
                              const std::vector<DatabaseMove>& moves, ChatChoice& chat) {
  PlannedMove move;
  move.moves = moves;
  CheckReturns(ask, state, moves);
  const ServingChat serving = CheckLostChat(ask, state);
  move.quiet = serving.reached;
  move.not_reached = serving.lost;
  chat = ChooseChatServers(ask, ask.seen.topology->SiteOf(moves.front().to->host));
  move.next = chat.next;
  CheckChatServers(ask, state, moves.front().from->host, move.quiet, move.next);
  return move;
}

std::optional<Plan> MakeSwitchover(const Inquiry& ask) {
  const std::vector<DatabaseMove> moves = ChooseMoves(ask, Mover::kHolder);
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (moves.empty() || state == nullptr) return std::nullopt;
  for (const DatabaseMove& each : moves) {
    CheckFollows(ask, each);
    CheckMove(ask, *state, each);
  }
  ChatChoice chat;
  const PlannedMove move = ChoosePlannedMove(ask, *state, moves, chat);
  if (!ask.refusals.empty()) return std::nullopt;
  PlanBuilder builder(ask);
  AddSwitchover(ask, *state, move, {}, builder);
  Plan plan = builder.Take();
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace baton
