#include "absl/strings/str_cat.h"

#include "coordinator/executor/execution.h"
#include "coordinator/executor/fence_due.h"
#include "coordinator/executor/situation.h"

namespace baton {
namespace {

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
  // What was never tried needs no taking back.
  void SkipNeedlessUndo() {
    for (size_t i = 0; i < state.steps.size(); ++i) {
      const Step& step = state.plan->steps[i];
      if (step.undo && step.undoes.has_value() && state.steps[*step.undoes].attempt == 0) {
        state.steps[i].state = StepState::kSkipped;
      }
    }
  }

  void StopWaiting() {
    state.waiting_for.clear();
    state.goes_on_by_itself = false;
    state.told_silent.clear();
  }
  void GoOn() {
    state.state = state.undoing ? PlanState::kUndoing : PlanState::kRunning;
    StopWaiting();
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
    NoteRaised(state.fence_due, *state.plan, fact.epoch);
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
    if (fact.outcome.ok()) NoteSucceeded(state.fence_due, state.plan->steps[fact.step]);
  }
  void operator()(const PlanWaiting& fact) {
    if (!Mine(fact.plan)) return;
    state.state = PlanState::kWaiting;
    state.waiting_for = fact.reason;
    state.goes_on_by_itself = fact.goes_on_by_itself;
    state.told_silent = fact.silent;
  }
  void operator()(const PlanResumed& fact) {
    if (!Mine(fact.plan)) return;
    if (fact.step.has_value()) {
      StepExecution* step = Find(fact.plan, *fact.step);
      if (step != nullptr) step->attempts_since_resume = 0;
      if (!state.paused) GoOn();
      return;
    }
    state.paused = false;
    GoOn();
    for (StepExecution& step : state.steps) step.attempts_since_resume = 0;
  }
  void operator()(const PlanPaused& fact) {
    if (!Mine(fact.plan)) return;
    StopWaiting();
    state.state = PlanState::kWaiting;
    state.paused = true;
    state.waiting_for =
        absl::StrCat("paused", ByWhom(fact.by, fact.reason), "; to go on: baton resume ",
                     state.plan->pool.value(), " --reason \"...\"");
  }
  void operator()(const StepSkipped& fact) {
    StepExecution* step = Find(fact.plan, fact.step);
    if (step == nullptr) return;
    step->state = StepState::kSkipped;
    step->ended = time;
  }
  void operator()(const AbortStarted& fact) {
    if (!Mine(fact.plan)) return;
    state.aborting = true;
    state.paused = false;
    GoOn();
    const std::string word = absl::StrCat("aborted", ByWhom(fact.by, fact.reason));
    state.end_text = state.undoing ? absl::StrCat(state.end_text, "; its undo was ", word) : word;
  }
  void operator()(const ReturnFenced& fact) {
    if (state.plan == nullptr || state.plan->pool != fact.pool) return;
    NoteReturned(state.fence_due, fact);
  }
  void operator()(const ReturnNoted& fact) {
    if (!Mine(fact.plan)) return;
    state.told_silent.erase(fact.host);
    if (fact.state == ReturnState::kTakenForLost || fact.state == ReturnState::kStayedAway) {
      state.returned.erase(fact.host);
    } else {
      state.returned[fact.host] = fact.state;
    }
  }
  void operator()(const UndoStarted& fact) {
    if (!Mine(fact.plan)) return;
    state.state = PlanState::kUndoing;
    state.undoing = true;
    state.aborting = false;
    StopWaiting();
    state.end_text = fact.reason;
    SkipPending(false);
    SkipNeedlessUndo();
  }
  void operator()(const PlanEnded& fact) {
    if (!Mine(fact.plan)) return;
    state.state = fact.state;
    state.end_text = fact.text;
    StopWaiting();
    state.paused = state.aborting = false;
    state.ended = time;
    SkipPending(false);
    SkipPending(true);
  }
};

}  // namespace

void Evolve(Execution& state, const Record& record) {
  std::visit(ExecutionChange{state, record.time}, record.fact);
}

}  // namespace baton
