#include "coordinator/executor/state.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "coordinator/executor/fence_due.h"

namespace baton {
namespace {

void Admit(CoordinatorState& state, const Plan& plan) {
  if (state.executions.contains(plan.id)) return;
  state.executions[plan.id];
  state.admitted.push_back(plan.id);
  state.running[plan.pool] = plan.id;
  state.pools[plan.pool];
  if (!plan.request_id.empty()) state.by_request[plan.request_id] = plan.id;
}

// The request id under which an operator did something with a plan; empty: nobody did.
std::string OperatorRequestOf(const Fact& fact) {
  return std::visit(
      [](const auto& what) -> std::string {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, PlanResumed> || std::is_same_v<What, PlanPaused> ||
                      std::is_same_v<What, StepSkipped> || std::is_same_v<What, AbortStarted>) {
          return what.request_id;
        } else {
          return "";
        }
      },
      fact);
}

void Returned(CoordinatorState& state, const Record& record, const ReturnFenced& fact) {
  const auto pool = state.pools.find(fact.pool);
  if (pool == state.pools.end()) return;
  const auto running = state.running.find(fact.pool);
  if (running != state.running.end()) Evolve(state.executions.at(running->second), record);
  NoteReturned(pool->second.fence_due, fact);
}

// Forgets the oldest ended plan of the pool when there is one too many. What was asked once is
// still known by its request id.
void ForgetOldest(CoordinatorState& state, const PoolId& pool) {
  size_t ended = 0;
  PlanId oldest;
  for (const PlanId& id : state.admitted) {
    const Execution* execution = state.FindExecution(id);
    if (execution->plan->pool != pool || !Terminal(execution->state)) continue;
    if (++ended == 1) oldest = id;
  }
  if (ended <= kEndedPlansKept) return;
  state.executions.erase(oldest);
  std::erase(state.admitted, oldest);
}

// Rights older than this one are being taken away; none: nothing is withheld.
Epoch WithheldBelow(const CoordinatorState& state, const PoolId& pool) {
  const Execution* running = state.FindRunning(pool);
  if (running == nullptr || running->undoing || !running->EpochRaisedFor(false)) return Epoch();
  return running->plan->epoch;
}

// The plan under way does something with the database. One that an earlier move had brought where
// the others still go is left alone.
bool Concerns(const CoordinatorState& state, const PoolId& pool, const DatabaseId& database) {
  const Execution* running = state.FindRunning(pool);
  if (running == nullptr) return false;
  const std::vector<Step>& steps = running->plan->steps;
  return std::any_of(steps.begin(), steps.end(),
                     [&](const Step& step) { return step.database == database; });
}

// The plan under way has sent its Activate and knows of no success: it settles that itself.
bool BeingActivated(const CoordinatorState& state, const PoolId& pool, const ResourceRef& ref) {
  const Execution* running = state.FindRunning(pool);
  if (running == nullptr) return false;
  for (size_t i = 0; i < running->steps.size(); ++i) {
    const Step& step = running->plan->steps[i];
    const StepExecution& now = running->steps[i];
    if (now.attempt == 0 || now.state == StepState::kSucceeded) continue;
    const Action* action = step.action();
    if (action != nullptr && std::holds_alternative<Activate>(*action) && step.target == ref) {
      return true;
    }
  }
  return false;
}

}  // namespace

const Execution* CoordinatorState::FindExecution(const PlanId& id) const {
  const auto it = executions.find(id);
  return it == executions.end() ? nullptr : &it->second;
}

const Execution* CoordinatorState::FindRunning(const PoolId& pool) const {
  const auto it = running.find(pool);
  return it == running.end() ? nullptr : FindExecution(it->second);
}

const PoolState* CoordinatorState::FindPool(const PoolId& pool) const {
  const auto it = pools.find(pool);
  return it == pools.end() ? nullptr : &it->second;
}

void Evolve(CoordinatorState& state, const Record& record) {
  state.last_sequence = record.sequence;
  if (const auto* topology = std::get_if<TopologyApplied>(&record.fact)) {
    state.topology = *topology;
    return;
  }
  if (const auto* ledger = std::get_if<LedgerAccepted>(&record.fact)) {
    state.ledgers[ledger->host] = *ledger;
    return;
  }
  if (const auto* returned = std::get_if<ReturnFenced>(&record.fact)) {
    return Returned(state, record, *returned);
  }
  const auto* admitted = std::get_if<PlanAdmitted>(&record.fact);
  if (admitted != nullptr) Admit(state, *admitted->plan);
  const auto it = state.executions.find(PlanOf(record.fact));
  if (it == state.executions.end()) return;
  Evolve(it->second, record);
  if (admitted != nullptr) it->second.fence_due = state.pools[it->second.plan->pool].fence_due;
  const Plan& plan = *it->second.plan;
  Evolve(state.pools[plan.pool], plan, record);
  const std::string request = OperatorRequestOf(record.fact);
  if (!request.empty()) state.operated[request] = plan.id;
  if (std::holds_alternative<PlanEnded>(record.fact)) {
    const PoolId pool = plan.pool;
    state.running.erase(pool);
    ForgetOldest(state, pool);
  }
}

std::vector<Confirmation> ConfirmationsFor(const CoordinatorState& state, const Topology& topology,
                                           const HostId& host) {
  std::vector<Confirmation> found;
  for (const auto& [id, pool] : topology.pools) {
    const PoolState* known = state.FindPool(id);
    if (known == nullptr) continue;
    const Epoch withheld_below = WithheldBelow(state, id);
    for (const Database& database : pool.databases) {
      const auto right = known->rights.find(database.id);
      if (right == known->rights.end() || right->second.writer != host) continue;
      const Instance* instance = database.OnHost(host);
      if (instance == nullptr || right->second.lineages.empty()) continue;
      const Epoch epoch = right->second.lineages.back().epoch;
      const ResourceRef ref{host, instance->service};
      const bool withheld = epoch < withheld_below && Concerns(state, id, database.id);
      if (!withheld && !known->fence_due.contains(ref)) found.push_back({id, ref, epoch});
    }
    for (const auto& [ref, epoch] : known->active_chat) {
      if (ref.host != host || epoch < withheld_below || known->fence_due.contains(ref)) continue;
      if (!BeingActivated(state, id, ref)) found.push_back({id, ref, epoch});
    }
  }
  return found;
}

std::vector<Revocation> RevocationsFor(const CoordinatorState& state, const HostId& host) {
  std::vector<Revocation> found;
  for (const auto& [id, pool] : state.pools) {
    for (const auto& [ref, epoch] : pool.fence_due) {
      if (ref.host == host) found.push_back({id, ref, epoch});
    }
  }
  return found;
}

bool SeenFenced(const Revocation& revocation, const Observation& seen) {
  const bool fenced =
      seen.fence.phase == FencePhase::kClosing || seen.fence.phase == FencePhase::kClosed;
  return seen.pool == revocation.pool && seen.resource == revocation.resource.resource && fenced &&
         seen.fence.proven && seen.fence.fence_epoch >= revocation.epoch;
}

}  // namespace baton
