#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/executor/execution.h"
#include "coordinator/executor/transitions.h"

namespace baton {
namespace {

// Beyond its own time limit an answer still has to travel.
constexpr absl::Duration kAnswerGrace = absl::Seconds(5);
// Answers that are lost get at least this many tries: nothing was found to be wrong.
constexpr int kLostTriesMin = 3;
// What is recorded stays well below what a message may hold, so that nothing is cut on its way.
constexpr size_t kMessageBytesMax = 1000;
constexpr size_t kReasonBytesMax = 6000;

// The first `bytes_max` bytes of UTF-8 text, cut between characters.
std::string Shortened(const std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

// A decision in the making: each fact is applied to a copy at once, so that what follows from it is
// decided on the state that replay will have.
class Draft {
 public:
  explicit Draft(const Execution& now) : state_(now) {}

  Decision Take() { return std::move(out_); }

  void On(const Proceed&) {
    if (state_.state == PlanState::kWaiting) return;
    ReactAll(StepEvent::kReplayed);
    Advance();
  }
  void On(const CommandEnded& event) {
    const int step = CurrentStep(event.command);
    if (step >= 0) React(step, EventOf(event.outcome), Checked(step, event.outcome));
  }
  void On(const CommandNotAccepted& event) {
    const int step = CurrentStep(event.command);
    if (step < 0) return;
    React(
        step, StepEvent::kNotAccepted,
        RefusedOutcome("NOT_ACCEPTED", "the session ended before the agent accepted the command"));
  }
  void On(const HostReady& event) { ReactAll(StepEvent::kHostReady, event.host); }
  void On(const HostLost& event) { ReactAll(StepEvent::kHostLost, event.host); }
  void On(const StepTimedOut& event) {
    if (event.step < 0 || event.step >= Steps() || !InDirection(event.step) ||
        state_.steps[event.step].attempt != event.attempt) {
      return;
    }
    React(event.step, StepEvent::kTimedOut, NoAnswer(event.step));
  }
  void On(const ResumeRequested& event) {
    if (state_.state == PlanState::kWaiting) GoOn(event.by, event.reason, event.request_id);
  }

 private:
  int Steps() const { return static_cast<int>(state_.steps.size()); }
  const Step& StepAt(int i) const { return state_.plan->steps[i]; }
  // While the plan takes back what it did, nothing that its forward steps say changes anything.
  bool InDirection(int i) const { return StepAt(i).undo == state_.undoing; }
  bool Any(StepState wanted) const {
    for (int i = 0; i < Steps(); ++i) {
      if (InDirection(i) && state_.steps[i].state == wanted) return true;
    }
    return false;
  }
  bool Blocked() const { return Any(StepState::kFailed) || Any(StepState::kUnknown); }
  bool FenceStarted() const {
    for (int i = 0; i < Steps(); ++i) {
      const Action* action = StepAt(i).action();
      if (!StepAt(i).undo && action != nullptr && std::holds_alternative<Fence>(*action) &&
          state_.steps[i].attempt > 0) {
        return true;
      }
    }
    return false;
  }
  bool HasUndo() const {
    return std::any_of(state_.plan->steps.begin(), state_.plan->steps.end(),
                       [](const Step& step) { return step.undo; });
  }
  // Nothing was asked of anyone but to look, and to point servers that do not run.
  bool OnlyLooked() const {
    for (int i = 0; i < Steps(); ++i) {
      const Action* action = StepAt(i).action();
      const bool looks = action == nullptr || std::holds_alternative<CheckDatabase>(*action) ||
                         std::holds_alternative<CheckChat>(*action) ||
                         std::holds_alternative<PointAt>(*action);
      if (!looks && state_.steps[i].attempt > 0) return false;
    }
    return true;
  }
  // An adoption that gave nobody the right to write can be made anew from what is seen then; one
  // that waited would keep its pool from being mended by a change of the topology.
  bool GaveNothing() const {
    if (state_.plan->kind != PlanKind::kAdopt) return false;
    for (int i = 0; i < Steps(); ++i) {
      const Action* action = StepAt(i).action();
      if (action == nullptr || !std::holds_alternative<Unfence>(*action)) continue;
      const StepExecution& now = state_.steps[i];
      const bool refused = now.state == StepState::kFailed && now.attempt == 1 &&
                           now.outcome->code == OutcomeCode::kRefused;
      if (now.attempt > 0 && !refused) return false;
    }
    return true;
  }
  // A failure now ends the plan with chat served where it was, rather than leave it waiting.
  bool CanGiveUp() const {
    return !state_.undoing && (OnlyLooked() || GaveNothing() || (HasUndo() && !FenceStarted()));
  }

  // The step whose last try `id` is, when the plan still listens to it; else -1.
  int CurrentStep(const CommandId& id) const {
    const std::optional<CommandName> name = ParseCommandId(id);
    if (!name.has_value() || name->plan != state_.plan->id || name->step < 0 ||
        name->step >= Steps() || !InDirection(name->step) ||
        state_.steps[name->step].attempt != name->attempt) {
      return -1;
    }
    return name->step;
  }
  static StepEvent EventOf(const Outcome& outcome) {
    switch (outcome.code) {
      case OutcomeCode::kOk:
        return StepEvent::kAnsweredOk;
      case OutcomeCode::kFailed:
        return StepEvent::kAnsweredFailed;
      case OutcomeCode::kUnknown:
        return StepEvent::kAnsweredUnknown;
      case OutcomeCode::kRefused:
      case OutcomeCode::kCancelled:
        break;
    }
    return StepEvent::kAnsweredRefused;
  }
  // A success without the position that a later step needs is none.
  Outcome Checked(int step, const Outcome& outcome) const {
    if (!outcome.ok() || outcome.position.has_value()) return outcome;
    const bool needed = std::any_of(state_.plan->steps.begin(), state_.plan->steps.end(),
                                    [step](const Step& other) { return other.input_from == step; });
    if (!needed) return outcome;
    return RefusedOutcome("NO_POSITION", "the agent reported success without a log position");
  }
  Outcome NoAnswer(int step) const {
    Outcome outcome;
    outcome.code = OutcomeCode::kUnknown;
    outcome.reason = "NO_ANSWER";
    outcome.message = absl::StrCat("no answer from ", StepAt(step).target.host.value(), " within ",
                                   absl::FormatDuration(StepAt(step).timeout + kAnswerGrace));
    return outcome;
  }

  void ReactAll(StepEvent event, const HostId& host = HostId()) {
    for (int i = 0; i < Steps(); ++i) {
      if (!InDirection(i) || (!host.empty() && StepAt(i).target.host != host)) continue;
      React(i, event, Outcome());
    }
  }

  void React(int step, StepEvent event, const Outcome& outcome) {
    // An answer that Checked() turned down counts as what it was turned into.
    if (event == StepEvent::kAnsweredOk && !outcome.ok()) event = StepEvent::kAnsweredRefused;
    const StepExecution& now = state_.steps[step];
    switch (Lookup(now.state, event).reaction) {
      case Reaction::kIgnore:
        return;
      case Reaction::kRecord:
        return Finish(step, outcome, 0);
      case Reaction::kRetryFailed:
        return Finish(step, outcome, StepAt(step).automatic_tries);
      case Reaction::kRetryLost:
        return Finish(step, outcome, std::max(StepAt(step).automatic_tries, kLostTriesMin));
      case Reaction::kAsk:
        return Ask(step);
      case Reaction::kGiveUpOrWait:
        if (CanGiveUp()) return Finish(step, outcome, 0);
        return Wait();
      case Reaction::kTryAgain:
        return Start(step);
      case Reaction::kAskAgain:
        Ask(step);
        return Arm(step);
      case Reaction::kRearm:
        return Arm(step);
    }
  }

  void Add(Fact fact) {
    Record record;
    record.fact = std::move(fact);
    Evolve(state_, record);
    out_.facts.push_back(std::move(record.fact));
  }
  void Ask(int step) { out_.queries.push_back({StepAt(step).target.host, state_.CommandOf(step)}); }
  void Arm(int step) {
    out_.timers.push_back({step, state_.steps[step].attempt, StepAt(step).timeout + kAnswerGrace});
  }

  // Records the outcome of the last try and goes on; an unsuccessful one is tried again first if
  // fewer than `tries` were made and nothing else stands in the way.
  void Finish(int step, const Outcome& outcome, int tries) {
    const bool again = !outcome.ok() && state_.state != PlanState::kWaiting && !Blocked() &&
                       state_.steps[step].attempts_since_resume < tries;
    Add(StepFinished{state_.plan->id, step, state_.steps[step].attempt, outcome});
    if (again) return Start(step);
    if (state_.state != PlanState::kWaiting) return Advance();
    if (Blocked() || Any(StepState::kRunning)) return Wait();
    // The late answer was the last thing that the plan waited for.
    GoOn("baton", "every answer that was waited for is in", "");
  }

  void GoOn(const std::string& by, const std::string& reason, const std::string& request_id) {
    Add(PlanResumed{state_.plan->id, by, reason, request_id});
    ReactAll(StepEvent::kResumed);
    Advance();
  }

  void Start(int step) {
    const Step& what = StepAt(step);
    const PlanId& plan = state_.plan->id;
    if (what.raises_epoch()) {
      Add(EpochRaised{plan, state_.plan->pool, step,
                      what.undo ? state_.plan->undo_epoch : state_.plan->epoch});
      return;
    }
    const int attempt = state_.steps[step].attempt + 1;
    Command command;
    command.id = MakeCommandId(plan, step, attempt);
    command.plan = plan;
    command.pool = state_.plan->pool;
    command.resource = what.target.resource;
    command.epoch = state_.EpochOf(what);
    command.timeout = what.timeout;
    command.action = *what.action();
    if (what.input_from.has_value()) {
      command.action = BindInput(command.action, *state_.PositionOf(*what.input_from));
    }
    Add(StepStarted{plan, step, attempt, command.id});
    out_.commands.push_back({what.target.host, std::move(command)});
    Arm(step);
  }

  bool Due(int i) const {
    if (!InDirection(i) || state_.steps[i].state != StepState::kPending) return false;
    const std::vector<int>& after = StepAt(i).after;
    return std::all_of(after.begin(), after.end(), [this](int before) {
      return state_.steps[before].state == StepState::kSucceeded;
    });
  }

  // Starts whatever is due, or settles what becomes of the plan. Steps come after those that they
  // depend on, so one pass is enough.
  void Advance() {
    if (state_.state == PlanState::kWaiting || Terminal(state_.state)) return;
    if (Blocked()) {
      if (!Any(StepState::kRunning)) Settle();
      return;
    }
    for (int i = 0; i < Steps(); ++i) {
      if (Due(i)) Start(i);
    }
    if (Any(StepState::kRunning) || Any(StepState::kPending)) return;
    if (state_.undoing) {
      Add(PlanEnded{state_.plan->id, PlanState::kUndone,
                    absl::StrCat("chat is served where it was: ", state_.end_text)});
    } else {
      Add(PlanEnded{state_.plan->id, PlanState::kSucceeded, "every step succeeded"});
    }
  }

  // Something failed and nothing runs any more.
  void Settle() {
    if (!CanGiveUp()) return Wait();
    const std::string reason = Shortened(Blockers(), kReasonBytesMax);
    if (OnlyLooked()) {
      Add(PlanEnded{state_.plan->id, PlanState::kFailed,
                    absl::StrCat("nothing was moved: ", reason)});
      return;
    }
    if (GaveNothing()) {
      Add(PlanEnded{state_.plan->id, PlanState::kFailed,
                    absl::StrCat("nobody was given the right to write: ", reason,
                                 "; mend it, then: baton adopt ", state_.plan->pool.value(),
                                 " --reason \"...\"")});
      return;
    }
    Add(UndoStarted{state_.plan->id, reason});
    Advance();
  }

  void Wait() {
    const std::string reason =
        absl::StrCat(Shortened(Blockers(), kReasonBytesMax), "; mend it, then: baton resume ",
                     state_.plan->pool.value(), " --reason \"...\"");
    if (reason != state_.waiting_for) Add(PlanWaiting{state_.plan->id, reason});
  }

  std::string Complaint(int step) const {
    const StepExecution& now = state_.steps[step];
    std::string text = absl::StrCat("\"", StepAt(step).title, "\" on ",
                                    StepAt(step).target.ToString(), " (try ", now.attempt, "): ");
    if (now.state == StepState::kRunning) {
      absl::StrAppend(&text, "has not been answered, wanted within ",
                      absl::FormatDuration(StepAt(step).timeout));
    } else if (now.outcome != nullptr) {
      absl::StrAppend(&text, now.outcome->reason, now.outcome->reason.empty() ? "" : ": ",
                      Shortened(now.outcome->message, kMessageBytesMax));
    }
    return text;
  }
  // Everything that keeps the plan from going on.
  std::string Blockers() const {
    std::string text;
    for (int i = 0; i < Steps(); ++i) {
      const StepState now = state_.steps[i].state;
      if (InDirection(i) &&
          (now == StepState::kFailed || now == StepState::kUnknown || now == StepState::kRunning)) {
        absl::StrAppend(&text, text.empty() ? "" : "; ", Complaint(i));
      }
    }
    return text;
  }

  Execution state_;
  Decision out_;
};

}  // namespace

Decision Decide(const Execution& now, const PlanEvent& event) {
  if (now.plan == nullptr || Terminal(now.state)) return Decision();
  Draft draft(now);
  std::visit([&draft](const auto& what) { draft.On(what); }, event);
  return draft.Take();
}

}  // namespace baton
