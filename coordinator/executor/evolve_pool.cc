#include <algorithm>

#include "coordinator/executor/execution.h"
#include "coordinator/executor/fence_due.h"

namespace baton {
namespace {

constexpr size_t kLineagesKept = 8;

WriteRight* RightOf(PoolState& pool, const Step& step) {
  return step.database.empty() ? nullptr : &pool.rights[step.database];
}

void GiveRight(WriteRight& right, const Step& step, const Lineage& write) {
  right.writer = step.target.host;
  right.system_id = write.system_id;
  right.lineages.push_back(write);
  if (right.lineages.size() > kLineagesKept) {
    right.lineages.erase(right.lineages.begin(), right.lineages.end() - kLineagesKept);
  }
}

// What others wrote since `host` did is no part of its log, and may hold files of the same names.
void ForgetOthers(WriteRight& right, const HostId& host) {
  const auto own = std::find_if(right.lineages.rbegin(), right.lineages.rend(),
                                [&host](const Lineage& each) { return each.instance == host; });
  if (own != right.lineages.rend()) right.lineages.erase(own.base(), right.lineages.end());
}

// Moves the right to an instance whose log leaves the one before it at the outcome's position.
void Recovered(PoolState& pool, const Step& step, const Recover& recover, const Outcome& outcome) {
  WriteRight* right = RightOf(pool, step);
  if (right == nullptr) return;
  if (recover.own_log && !right->followers.contains(step.target.host)) {
    ForgetOthers(*right, step.target.host);
  }
  // Of a log whose shipped end nobody knows: an undo whose tail was not answered for.
  if (!right->lineages.empty() && !right->lineages.back().sealed.has_value()) {
    right->lineages.back().sealed = outcome.position;
  }
  GiveRight(*right, step, recover.write);
  right->fork = outcome.position.value_or(LogPosition());
  right->followers.clear();
}

// Every right that an adoption gives was given. One that ended before is begun anew from what is
// seen then.
bool AllGiven(const PoolState& pool, const Plan& plan) {
  return std::all_of(plan.steps.begin(), plan.steps.end(), [&pool](const Step& step) {
    const Action* action = step.action();
    if (action == nullptr || !std::holds_alternative<Unfence>(*action)) return true;
    const auto right = pool.rights.find(step.database);
    return right != pool.rights.end() && !right->second.writer.empty();
  });
}

// The instance goes on in the log that it has. Standbys that the same plan started before it follow
// this very right; nobody else was seen to.
void Unfenced(PoolState& pool, const Plan& plan, const Step& step, const Lineage& write) {
  WriteRight* right = RightOf(pool, step);
  if (right == nullptr) return;
  const bool same_log =
      !right->lineages.empty() && right->lineages.back().instance == step.target.host;
  if (!same_log) right->fork = LogPosition();
  GiveRight(*right, step, write);
  std::set<HostId> followers;
  for (const Step& other : plan.steps) {
    if (&other == &step) break;
    const Action* action = other.action();
    const auto* standby = action == nullptr ? nullptr : std::get_if<StartStandby>(action);
    if (standby != nullptr && other.database == step.database && !standby->fetch.empty() &&
        standby->fetch.back() == write && right->followers.contains(other.target.host)) {
      followers.insert(other.target.host);
    }
  }
  right->followers = std::move(followers);
  pool.adopted = pool.adopted || AllGiven(pool, plan);
}

void Raised(PoolState& pool, const Plan& plan, const Epoch& epoch) {
  if (epoch.generation > pool.epoch.generation) pool.held_elsewhere = false;
  pool.epoch = std::max(pool.epoch, epoch);
  NoteRaised(pool.fence_due, plan, epoch);
  if (epoch != plan.epoch) return;  // an undo
  for (const ResourceRef& ref : plan.fence_on_return) {
    pool.active_chat.erase(ref);
    // A planned move fences its databases by command; a dead host there carries chat alone.
    if (plan.kind != PlanKind::kFailover) continue;
    for (auto& [database, right] : pool.rights) {
      if (right.writer == ref.host) right.writer = HostId();
    }
  }
}

void Started(PoolState& pool, const Plan& plan, const Step& step) {
  const Action& action = *step.action();
  WriteRight* right = RightOf(pool, step);
  if (std::holds_alternative<Fence>(action)) {
    if (right != nullptr && right->writer == step.target.host) right->writer = HostId();
  } else if (std::holds_alternative<Drain>(action) || std::holds_alternative<Deactivate>(action)) {
    pool.active_chat.erase(step.target);
  } else if (std::holds_alternative<Activate>(action)) {
    // Whatever becomes of the answer.
    pool.active_chat[step.target] = step.undo ? plan.undo_epoch : plan.epoch;
  } else if (std::holds_alternative<Quarantine>(action) || std::holds_alternative<Seed>(action)) {
    if (right != nullptr) right->followers.erase(step.target.host);
  }
}

void Succeeded(PoolState& pool, const Plan& plan, const Step& step, const Outcome& outcome) {
  NoteSucceeded(pool.fence_due, step);
  const Action& action = *step.action();
  WriteRight* right = RightOf(pool, step);
  if (std::holds_alternative<ShipTail>(action) || std::holds_alternative<StopLogShipping>(action)) {
    if (right != nullptr && !right->lineages.empty() && outcome.position.has_value()) {
      right->lineages.back().sealed = outcome.position;
    }
  } else if (const auto* recover = std::get_if<Recover>(&action)) {
    Recovered(pool, step, *recover, outcome);
  } else if (const auto* unfence = std::get_if<Unfence>(&action)) {
    Unfenced(pool, plan, step, unfence->write);
  } else if (std::holds_alternative<StartStandby>(action)) {
    if (right != nullptr && right->writer != step.target.host) {
      right->followers.insert(step.target.host);
    }
  }
}

// The step that a fact of `plan` is about, if it is one that acts on a host.
const Step* ActingStep(const Plan& plan, const PlanId& of, int step) {
  if (of != plan.id || step < 0 || step >= static_cast<int>(plan.steps.size())) return nullptr;
  return plan.steps[step].raises_epoch() ? nullptr : &plan.steps[step];
}

}  // namespace

void Evolve(PoolState& state, const Plan& plan, const Record& record) {
  if (const auto* raised = std::get_if<EpochRaised>(&record.fact)) {
    if (raised->plan == plan.id) Raised(state, plan, raised->epoch);
  } else if (const auto* started = std::get_if<StepStarted>(&record.fact)) {
    const Step* step = ActingStep(plan, started->plan, started->step);
    if (step != nullptr) Started(state, plan, *step);
  } else if (const auto* finished = std::get_if<StepFinished>(&record.fact)) {
    const Step* step = ActingStep(plan, finished->plan, finished->step);
    if (finished->outcome.reason == "JOURNAL_UNKNOWN") state.held_elsewhere = true;
    if (step != nullptr && finished->outcome.ok()) {
      Succeeded(state, plan, *step, finished->outcome);
    }
  }
}

}  // namespace baton
