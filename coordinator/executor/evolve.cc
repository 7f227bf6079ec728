#include <algorithm>

#include "coordinator/executor/execution.h"

namespace baton {
namespace {

constexpr size_t kLineagesKept = 8;

// Changes one execution by one fact of its plan.
struct ExecutionChange {
  Execution& state;
  absl::Time time;

  bool Mine(const PlanId& plan) const { return state.plan != nullptr && state.plan->id == plan; }
  StepExecution* Find(const PlanId& plan, int step) {
    if (!Mine(plan) || step < 0 || step >= static_cast<int>(state.steps.size())) return nullptr;
    return &state.steps[step];
  }
  void SkipPending(bool undo) {
    for (size_t i = 0; i < state.steps.size(); ++i) {
      if (state.plan->steps[i].undo == undo && state.steps[i].state == StepState::kPending) {
        state.steps[i].state = StepState::kSkipped;
      }
    }
  }

  void operator()(const TopologyApplied&) {}
  void operator()(const LedgerAccepted&) {}
  void operator()(const PlanAdmitted& fact) {
    if (state.plan != nullptr) return;
    state = Execution();
    state.plan = fact.plan;
    state.steps.resize(fact.plan->steps.size());
  }
  void operator()(const EpochRaised& fact) {
    StepExecution* step = Find(fact.plan, fact.step);
    if (step == nullptr) return;
    step->state = StepState::kSucceeded;
    step->attempt = 1;
    step->started = step->ended = time;
  }
  void operator()(const StepStarted& fact) {
    StepExecution* step = Find(fact.plan, fact.step);
    if (step == nullptr) return;
    step->state = StepState::kRunning;
    step->attempt = fact.attempt;
    ++step->attempts_since_resume;
    step->started = time;
    step->ended = absl::InfinitePast();
  }
  void operator()(const StepFinished& fact) {
    StepExecution* step = Find(fact.plan, fact.step);
    if (step == nullptr || step->attempt != fact.attempt) return;
    step->state = fact.outcome.ok()                            ? StepState::kSucceeded
                  : fact.outcome.code == OutcomeCode::kUnknown ? StepState::kUnknown
                                                               : StepState::kFailed;
    step->ended = time;
    step->outcome = std::make_shared<const Outcome>(fact.outcome);
  }
  void operator()(const PlanWaiting& fact) {
    if (!Mine(fact.plan)) return;
    state.state = PlanState::kWaiting;
    state.waiting_for = fact.reason;
  }
  void operator()(const PlanResumed& fact) {
    if (!Mine(fact.plan)) return;
    state.state = state.undoing ? PlanState::kUndoing : PlanState::kRunning;
    state.waiting_for.clear();
    for (StepExecution& step : state.steps) step.attempts_since_resume = 0;
  }
  void operator()(const UndoStarted& fact) {
    if (!Mine(fact.plan)) return;
    state.state = PlanState::kUndoing;
    state.undoing = true;
    state.waiting_for.clear();
    state.end_text = fact.reason;
    SkipPending(false);
  }
  void operator()(const PlanEnded& fact) {
    if (!Mine(fact.plan)) return;
    state.state = fact.state;
    state.end_text = fact.text;
    state.waiting_for.clear();
    state.ended = time;
    SkipPending(false);
    SkipPending(true);
  }
};

WriteRight* RightOf(PoolState& pool, const Step& step) {
  return step.database.empty() ? nullptr : &pool.rights[step.database];
}

void GiveRight(PoolState& pool, const Step& step, const Lineage& write) {
  WriteRight* right = RightOf(pool, step);
  if (right == nullptr) return;
  right->writer = step.target.host;
  right->system_id = write.system_id;
  right->lineages.push_back(write);
  if (right->lineages.size() > kLineagesKept) {
    right->lineages.erase(right->lineages.begin(), right->lineages.end() - kLineagesKept);
  }
}

void Started(PoolState& pool, const Step& step) {
  const Action& action = *step.action();
  if (std::holds_alternative<Fence>(action)) {
    WriteRight* right = RightOf(pool, step);
    if (right != nullptr && right->writer == step.target.host) right->writer = HostId();
  } else if (std::holds_alternative<Drain>(action) || std::holds_alternative<Deactivate>(action)) {
    pool.active_chat.erase(step.target);
  }
}

void Succeeded(PoolState& pool, const Plan& plan, const Step& step, const Outcome& outcome) {
  const Action& action = *step.action();
  if (std::holds_alternative<ShipTail>(action)) {
    WriteRight* right = RightOf(pool, step);
    if (right != nullptr && !right->lineages.empty() && outcome.position.has_value()) {
      right->lineages.back().sealed = outcome.position;
    }
  } else if (const auto* recover = std::get_if<Recover>(&action)) {
    GiveRight(pool, step, recover->write);
  } else if (const auto* unfence = std::get_if<Unfence>(&action)) {
    GiveRight(pool, step, unfence->write);
    pool.adopted = true;
  } else if (std::holds_alternative<Activate>(action)) {
    pool.active_chat[step.target] = step.undo ? plan.undo_epoch : plan.epoch;
  }
}

// The step that a fact of `plan` is about, if it is one that acts on a host.
const Step* ActingStep(const Plan& plan, const PlanId& of, int step) {
  if (of != plan.id || step < 0 || step >= static_cast<int>(plan.steps.size())) return nullptr;
  return plan.steps[step].raises_epoch() ? nullptr : &plan.steps[step];
}

}  // namespace

void Evolve(Execution& state, const Record& record) {
  std::visit(ExecutionChange{state, record.time}, record.fact);
}

void Evolve(PoolState& state, const Plan& plan, const Record& record) {
  if (const auto* raised = std::get_if<EpochRaised>(&record.fact)) {
    if (raised->plan == plan.id) state.epoch = std::max(state.epoch, raised->epoch);
  } else if (const auto* started = std::get_if<StepStarted>(&record.fact)) {
    const Step* step = ActingStep(plan, started->plan, started->step);
    if (step != nullptr) Started(state, *step);
  } else if (const auto* finished = std::get_if<StepFinished>(&record.fact)) {
    const Step* step = ActingStep(plan, finished->plan, finished->step);
    if (step != nullptr && finished->outcome.ok()) {
      Succeeded(state, plan, *step, finished->outcome);
    }
  }
}

}  // namespace baton
