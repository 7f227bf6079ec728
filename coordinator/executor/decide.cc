#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/executor/execution.h"
#include "coordinator/executor/options.h"
#include "coordinator/executor/situation.h"
#include "coordinator/executor/transitions.h"

namespace baton {
namespace {

// How long an aborted plan waits for the word of what it cancelled.
constexpr absl::Duration kCancelMax = absl::Seconds(20);

// A decision in the making: each fact is applied to a copy at once, so that what follows from it is
// decided on the state that replay will have.
class Draft {
 public:
  explicit Draft(const Execution& now) : state_(now), situation_(state_) {}

  Decision Take() { return std::move(out_); }

  void On(const Proceed&) {
    if (state_.state == PlanState::kWaiting) {
      // That who came back is fenced may be durable, and the word to go on not yet.
      // Or it was written by an older coordinator, which said less.
      if (state_.goes_on_by_itself) return GoOnAsPromised("who came back is fenced");
      if (situation_.Withholds()) Wait();
      return;
    }
    ReactAll(StepEvent::kReplayed);
    Advance();
  }
  void On(const CommandEnded& event) {
    const int step = CurrentStep(event.command);
    if (step >= 0) return React(step, EventOf(event.outcome), Checked(step, event.outcome));
    if (WasInTheWay(event.command)) GoOn("baton", "what was in the way of the undo has ended", "");
  }
  void On(const CommandNotAccepted& event) {
    const int step = CurrentStep(event.command);
    if (step < 0) return;
    React(step, StepEvent::kNotAccepted,
          RefusedOutcome(kNotAccepted, "the session ended before the agent accepted the command"));
  }
  void On(const HostAnswers& event) {
    if (!WordIsBroken(event.host)) return Note(event.host, ReturnState::kAnswers);
    // What answers may be writable and can be fenced: no word is taken for it.
    Abort("baton",
          absl::StrCat(event.host.value(), " answers, and was said to be lost; look at baton ",
                       "status and ask again for what you want now"),
          "");
  }
  void On(const HostReady& event) {
    On(HostAnswers{event.host});
    ReactAll(StepEvent::kHostReady, event.host);
  }
  void On(const HostLost& event) {
    if (IsNoted(event.host, ReturnState::kAnswers)) Note(event.host, ReturnState::kSilent);
    ReactAll(StepEvent::kHostLost, event.host);
  }
  void On(const HostAwaited& event) {
    if (!state_.returned.contains(event.host)) Note(event.host, ReturnState::kAwaited);
  }
  void On(const HostStayedAway& event) {
    if (!IsNoted(event.host, ReturnState::kAwaited)) return;
    Add(ReturnNoted{state_.plan->id, event.host, ReturnState::kStayedAway});
    Settled(absl::StrCat(event.host.value(), " had the time to answer, and did not"));
  }
  void On(const ReturnSettled&) { Settled("who came back is fenced"); }
  void On(const StepTimedOut& event) {
    if (event.step < 0 || event.step >= Steps() || !InDirection(event.step) ||
        state_.steps[event.step].attempt != event.attempt) {
      return;
    }
    React(event.step, StepEvent::kTimedOut, NoAnswer(event.step));
  }
  void On(const OperatorRequest& event) {
    const absl::StatusOr<OperatorRequest> request = Resolve(state_, event);
    if (!request.ok()) return;
    const PlanId& plan = state_.plan->id;
    const auto& [verb, step, by, reason, request_id, told_silent] = *request;
    switch (verb) {
      case Verb::kPause:
        return Add(PlanPaused{plan, by, reason, request_id});
      case Verb::kResume:
        TakeForLost(told_silent);
        return GoOn(by, reason, request_id);
      case Verb::kRetry:
        Add(PlanResumed{plan, by, reason, request_id, *step});
        return React(*step, StepEvent::kRetried, Outcome());
      case Verb::kSkip:
        React(*step, StepEvent::kSkipped, Outcome());
        Add(StepSkipped{plan, *step, by, reason, request_id});
        return Unblocked(by, reason, request_id);
      case Verb::kAbort:
        return Abort(by, reason, request_id);
    }
  }

 private:
  int Steps() const { return situation_.Steps(); }
  const Step& StepAt(int i) const { return situation_.StepAt(i); }
  bool InDirection(int i) const { return situation_.InDirection(i); }
  bool Any(StepState wanted) const { return situation_.Any(wanted); }
  bool Blocked() const { return situation_.Blocked(); }

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
  // A host that a failover takes for lost is there before its right was taken.
  bool WordIsBroken(const HostId& host) const {
    const Plan& plan = *state_.plan;
    if (plan.kind != PlanKind::kFailover || state_.aborting || state_.EpochRaisedFor(false)) {
      return false;
    }
    return std::any_of(plan.fence_on_return.begin(), plan.fence_on_return.end(),
                       [&host](const ResourceRef& ref) { return ref.host == host; });
  }
  // A forward command ended late that an undo step met under way, and the undo waits because of
  // that.
  bool WasInTheWay(const CommandId& id) const {
    const std::optional<CommandName> name = ParseCommandId(id);
    if (!name.has_value() || name->plan != state_.plan->id || name->step < 0 ||
        name->step >= Steps() || InDirection(name->step) ||
        state_.steps[name->step].attempt != name->attempt || state_.paused ||
        state_.state != PlanState::kWaiting) {
      return false;
    }
    for (int i = 0; i < Steps(); ++i) {
      const StepExecution& step = state_.steps[i];
      if (InDirection(i) && step.state == StepState::kFailed && step.outcome != nullptr &&
          step.outcome->reason == "BUSY" && StepAt(i).target == StepAt(name->step).target) {
        return true;
      }
    }
    return false;
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
    outcome.reason = kNoAnswer;
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
        return Finish(step, outcome, LostTries(StepAt(step)));
      case Reaction::kAsk:
        return Ask(step);
      case Reaction::kGiveUpOrWait:
        if (state_.aborting || situation_.CanGiveUp()) return Finish(step, outcome, 0);
        return Wait();
      case Reaction::kTryAgain:
        if (!situation_.Withheld(step)) Start(step);
        return;
      case Reaction::kAskAgain:
        Ask(step);
        return Arm(step);
      case Reaction::kRearm:
        return Arm(step);
      case Reaction::kSkip:
        if (now.state != StepState::kFailed) Cancel(step);
        return;
      case Reaction::kStop:
        Cancel(step);
        return Arm(step);
      case Reaction::kTellStop:
        return Cancel(step);
    }
  }

  void Abort(const std::string& by, const std::string& reason, const std::string& request_id) {
    Add(AbortStarted{state_.plan->id, by, reason, request_id});
    ReactAll(StepEvent::kAborted);
    Advance();
  }

  bool IsNoted(const HostId& host, ReturnState how) const {
    const auto noted = state_.returned.find(host);
    return noted != state_.returned.end() && noted->second == how;
  }
  // How a host stands whose fence the plan waits for, or would.
  void Note(const HostId& host, ReturnState how) {
    if (IsNoted(host, how) || !situation_.AwaitsFenceOf(host)) return;
    Add(ReturnNoted{state_.plan->id, host, how});
    if (state_.state == PlanState::kWaiting && situation_.Withholds()) Wait();
  }
  // An operator who lets a plan go on that told him who answered and is silent again says once more
  // that those are lost. It is no word about anybody of whom he was not told.
  void TakeForLost(const std::set<HostId>& told_silent) {
    if (state_.paused || !situation_.Withholds()) return;
    for (const HostId& host : told_silent) {
      if (!IsNoted(host, ReturnState::kSilent)) continue;
      Add(ReturnNoted{state_.plan->id, host, ReturnState::kTakenForLost});
    }
  }

  void Add(Fact fact) {
    Record record;
    record.fact = std::move(fact);
    Evolve(state_, record);
    out_.facts.push_back(std::move(record.fact));
  }
  void Ask(int step) {
    out_.queries.push_back({StepAt(step).target.host, state_.CommandOf(step)});
    // A session that ended may have taken the first word with it.
    if (state_.aborting) Cancel(step);
  }
  void Cancel(int step) {
    out_.cancels.push_back({StepAt(step).target.host, state_.CommandOf(step)});
  }
  void Arm(int step) {
    const absl::Duration limit = StepAt(step).timeout + kAnswerGrace;
    out_.timers.push_back(
        {step, state_.steps[step].attempt, state_.aborting ? std::min(limit, kCancelMax) : limit});
  }

  // Records the outcome of the last try and goes on; an unsuccessful one is tried again first if
  // fewer than `tries` were made and nothing else stands in the way.
  void Finish(int step, const Outcome& outcome, int tries) {
    const bool again = !outcome.ok() && state_.state != PlanState::kWaiting && !state_.aborting &&
                       !Blocked() && !situation_.Withheld(step) &&
                       state_.steps[step].attempts_since_resume < tries;
    Add(StepFinished{state_.plan->id, step, state_.steps[step].attempt, outcome});
    if (again) return Start(step);
    if (state_.state != PlanState::kWaiting) return Advance();
    Unblocked("baton", "every answer that was waited for is in", "");
  }

  // Something that a waiting plan waited for is settled: goes on if it was the last.
  void Unblocked(const std::string& by, const std::string& reason, const std::string& request_id) {
    if (state_.paused || Blocked() || Any(StepState::kRunning)) return Wait();
    GoOn(by, reason, request_id);
  }

  // One of those who keep a right from being given does so no more.
  void Settled(const std::string& how) {
    if (state_.state != PlanState::kWaiting) return Advance();
    if (!state_.paused) GoOnAsPromised(how);
  }
  // Nobody may be in the way any more, and the plan have said that it goes on then. What it waits
  // for besides is for an operator to settle.
  void GoOnAsPromised(const std::string& reason) {
    const bool settled = !Blocked() || (state_.goes_on_by_itself && situation_.OnlyHeldBack());
    if (situation_.Withholds() || !settled || Any(StepState::kRunning)) return Wait();
    GoOn("baton", reason, "");
  }

  void GoOn(const std::string& by, const std::string& reason, const std::string& request_id) {
    Add(PlanResumed{state_.plan->id, by, reason, request_id, std::nullopt});
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
      const std::optional<LogPosition> position = state_.PositionOf(*what.input_from);
      if (position.has_value()) command.action = BindInput(command.action, *position);
    }
    Add(StepStarted{plan, step, attempt, command.id});
    out_.commands.push_back({what.target.host, std::move(command)});
    Arm(step);
  }

  // Starts whatever is due, or settles what becomes of the plan. Steps come after those that they
  // depend on, so one pass is enough.
  void Advance() {
    if (state_.state == PlanState::kWaiting || Terminal(state_.state)) return;
    if (state_.aborting) {
      if (!Any(StepState::kRunning)) SettleAbort();
      return;
    }
    if (Blocked()) {
      if (!Any(StepState::kRunning)) Settle();
      return;
    }
    for (int i = 0; i < Steps(); ++i) {
      if (situation_.Due(i) && !situation_.Withheld(i)) Start(i);
    }
    if (situation_.AllDone()) return Complete();
    if (!Any(StepState::kRunning) && situation_.Withholds()) Wait();
  }

  void End(PlanState how, const std::string& text) { Add(PlanEnded{state_.plan->id, how, text}); }

  // An abort that came too late is told, and changes nothing of what is true.
  void Complete() {
    const char* too_late = state_.aborting ? ", and aborting changed nothing" : "";
    if (state_.undoing) {
      const std::string where = situation_.UndoServes()
                                    ? "chat is served where it was"
                                    : absl::StrCat("every right is back where it was, but no chat ",
                                                   "server serves: baton adopt ",
                                                   state_.plan->pool.value(), " has one serve");
      return End(PlanState::kUndone, absl::StrCat(where, too_late, ": ", state_.end_text));
    }
    End(PlanState::kSucceeded, absl::StrCat("every step succeeded", too_late,
                                            state_.aborting ? ": " : "", state_.end_text));
  }

  // Something failed and nothing runs any more.
  void Settle() {
    if (!situation_.CanGiveUp()) return Wait();
    const std::string reason = situation_.Blockers();
    if (situation_.OnlyLooked()) {
      return End(PlanState::kFailed, absl::StrCat("nothing was moved: ", reason));
    }
    if (situation_.GaveNothing()) {
      return End(PlanState::kFailed, absl::StrCat("nobody was given the right to write: ", reason,
                                                  "; mend it, then: baton adopt ",
                                                  state_.plan->pool.value(), " --reason \"...\""));
    }
    BeginUndo(reason);
  }

  // An operator gave the plan up, and nothing runs any more.
  void SettleAbort() {
    if (situation_.AllDone()) return Complete();
    const std::string word = state_.end_text;
    if (!state_.undoing && situation_.OnlyLooked()) {
      return End(PlanState::kFailed, absl::StrCat("nothing was moved: ", word));
    }
    if (situation_.CanUndo()) return BeginUndo(word);
    End(PlanState::kFailed, absl::StrCat(word, "; ", situation_.LeftBehind()));
  }

  void BeginUndo(const std::string& reason) {
    // It may be in the way of what takes it back.
    for (int i = 0; i < Steps(); ++i) {
      if (state_.steps[i].state == StepState::kUnknown) Cancel(i);
    }
    Add(UndoStarted{state_.plan->id, reason});
    Advance();
  }

  void Wait() {
    // Then it waits for an operator whatever happens, and says so already.
    if (state_.paused) return;
    std::string instead = situation_.InsteadOfUndo();
    if (instead.empty()) instead = situation_.InsteadOfChatHost();
    std::string reason = situation_.Blockers();
    if (!reason.empty() && !situation_.GoesOnByItself()) {
      absl::StrAppend(&reason, "; mend it, then: baton resume ", state_.plan->pool.value(),
                      " --reason \"...\"", instead.empty() ? "" : "; or, ", instead);
    }
    const std::string withheld = situation_.WhyWithheld();
    absl::StrAppend(&reason, reason.empty() || withheld.empty() ? "" : "; ", withheld);
    PlanWaiting waiting{state_.plan->id, std::move(reason), situation_.GoesOnByItself(),
                        situation_.SilentAgain()};
    const bool said = waiting.reason == state_.waiting_for &&
                      waiting.goes_on_by_itself == state_.goes_on_by_itself &&
                      waiting.silent == state_.told_silent;
    if (!said) Add(std::move(waiting));
  }

  Execution state_;
  const Situation situation_;
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
