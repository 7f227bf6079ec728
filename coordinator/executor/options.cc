#include "coordinator/executor/options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "coordinator/executor/situation.h"

namespace baton {
namespace {

struct Verdict {
  bool allowed = false;
  std::string effect;
};
Verdict Yes(std::string effect) { return {true, std::move(effect)}; }
Verdict No(std::string why) { return {false, std::move(why)}; }

bool Waits(const Execution& now) { return now.state == PlanState::kWaiting; }

// Whether a step stands in the plan's way.
bool Stands(const Execution& now, int i) {
  const StepState state = now.steps[i].state;
  return Situation(now).InDirection(i) &&
         (state == StepState::kFailed || state == StepState::kUnknown ||
          (state == StepState::kRunning && Waits(now)));
}

Verdict Pause(const Execution& now) {
  if (now.paused) return No("it is paused already");
  const Situation situation(now);
  if (Waits(now) && !situation.Any(StepState::kRunning) && !situation.Withholds()) {
    return No("it waits already, and goes on only when it is told to");
  }
  return Yes("no further step begins; what runs ends");
}

// Whoever answered and is silent again is taken for lost; who answers is not.
std::string ResumeWithheld(const Execution& now) {
  std::vector<std::string> silent;
  std::vector<std::string> awaited;
  std::vector<std::string> answering;
  for (const auto& [host, how] : now.returned) {
    if (!Situation(now).AwaitsFenceOf(host)) continue;
    (now.told_silent.contains(host) ? silent
     : how == ReturnState::kAwaited ? awaited
                                    : answering)
        .push_back(host.value());
  }
  std::string text;
  if (!silent.empty()) {
    text = absl::StrCat(absl::StrJoin(silent, " and "),
                        " counts as lost anew, on your word that nothing is written there");
  }
  if (!awaited.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", absl::StrJoin(awaited, " and "),
                    " has some seconds more to answer, whatever is said of it");
  }
  if (!answering.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", absl::StrJoin(answering, " and "),
                    " answers and is waited for until it is seen to be fenced");
  }
  return answering.empty() && awaited.empty() ? absl::StrCat(text, "; it goes on") : text;
}

Verdict Resume(const Execution& now) {
  if (!Waits(now)) return No("it does not wait");
  const Situation situation(now);
  if (situation.Withholds() && !now.paused) return Yes(ResumeWithheld(now));
  if (situation.Blocked()) {
    return Yes(now.undoing ? "the undo goes on; failed and unknown steps are tried anew"
                           : "it goes on; failed and unknown steps are tried anew");
  }
  if (situation.Any(StepState::kRunning)) {
    return Yes("it asks again what became of the steps that were not answered, and goes on");
  }
  return Yes("it goes on");
}

Verdict Retry(const Execution& now, int step) {
  if (!Waits(now)) return No("it does not wait");
  if (Situation(now).Withheld(step)) return No("who came back is to be fenced first");
  if (now.steps[step].state == StepState::kRunning) {
    return Yes("asks again what became of it, with a new time limit");
  }
  return Yes(now.paused ? "tries it anew; the plan stays paused"
                        : "tries it anew, and nothing else");
}

Verdict Skip(const Execution& now, int step) {
  const std::string why_not = Situation(now).WhyNotSkippable(step);
  if (!why_not.empty()) return No(why_not);
  if (!Waits(now)) return No("it does not wait");
  return Yes("goes on without it, on your word");
}

Verdict Abort(const Execution& now) {
  const Situation situation(now);
  if (situation.AllDone()) return Yes("it ends; every step has succeeded, and none is taken back");
  const char* stops = situation.Any(StepState::kRunning)
                          ? "what runs is cancelled and its word waited for, then "
                          : "";
  if (now.undoing) {
    return Yes(absl::StrCat(stops, "the undo ends where it is: ", situation.LeftBehind()));
  }
  if (situation.OnlyLooked()) return Yes(absl::StrCat(stops, "it ends; nothing was moved"));
  if (situation.CanUndo()) {
    return Yes(absl::StrCat(stops, "what was done is taken back, ",
                            situation.UndoServes()
                                ? "chat is served where it was"
                                : "and no chat server serves: baton adopt has one serve then"));
  }
  return Yes(absl::StrCat(stops, "it ends where it is: ", situation.LeftBehind()));
}

Verdict Judge(const Execution& now, Verb verb, int step) {
  if (now.aborting) return No("it is being aborted: what runs is waited for");
  switch (verb) {
    case Verb::kPause:
      return Pause(now);
    case Verb::kResume:
      return Resume(now);
    case Verb::kRetry:
      return Retry(now, step);
    case Verb::kSkip:
      return Skip(now, step);
    case Verb::kAbort:
      return Abort(now);
  }
  return No("there is no such verb");
}

bool OfStep(Verb verb) { return verb == Verb::kRetry || verb == Verb::kSkip; }

absl::Status NotAllowed(const Execution& now, Verb verb, const std::string& why) {
  return absl::FailedPreconditionError(
      absl::StrCat("plan ", now.plan->id.value(), " is ", std::string(ToString(now.state)),
                   ", cannot ", std::string(ToString(verb)), ": ", why, "; baton plan show ",
                   now.plan->id.value(), " tells what can be done now"));
}

// People count steps from 1.
int64_t ForPeople(int step) { return int64_t{step} + 1; }

// The step that is meant; an error when none or several could be.
absl::StatusOr<int> Meant(const Execution& now, const OperatorRequest& request) {
  const int steps = static_cast<int>(now.steps.size());
  if (request.step.has_value()) {
    const int step = *request.step;
    if (step < 0 || step >= steps) {
      return absl::InvalidArgumentError(absl::StrCat("step: found ", ForPeople(step),
                                                     ", wanted one of 1 to ", steps, " of plan ",
                                                     now.plan->id.value()));
    }
    if (!Stands(now, step)) {
      return NotAllowed(now, request.verb,
                        absl::StrCat("step ", ForPeople(step), " (\"", now.plan->steps[step].title,
                                     "\") is ", std::string(ToString(now.steps[step].state)),
                                     ", wanted one that failed, is unknown or was not answered"));
    }
    return step;
  }
  std::vector<int> found;
  for (int i = 0; i < steps; ++i) {
    if (Stands(now, i) && Judge(now, request.verb, i).allowed) found.push_back(i);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return NotAllowed(now, request.verb, "no step qualifies");
  return absl::InvalidArgumentError(absl::StrCat(
      "step: found none, wanted one of the ", found.size(), " steps that qualify: --step ",
      ForPeople(found.front()), " or another; see baton plan show ", now.plan->id.value()));
}

}  // namespace

std::vector<PlanOption> OptionsFor(const Execution& now) {
  std::vector<PlanOption> options;
  if (now.plan == nullptr || Terminal(now.state)) return options;
  const auto add = [&](Verb verb, std::optional<int> step) {
    Verdict verdict = Judge(now, verb, step.value_or(0));
    options.push_back({verb, step, verdict.allowed, std::move(verdict.effect)});
  };
  add(Verb::kPause, std::nullopt);
  add(Verb::kResume, std::nullopt);
  for (const Verb verb : {Verb::kRetry, Verb::kSkip}) {
    for (int i = 0; i < static_cast<int>(now.steps.size()); ++i) {
      if (Stands(now, i)) add(verb, i);
    }
  }
  add(Verb::kAbort, std::nullopt);
  return options;
}

absl::StatusOr<OperatorRequest> Resolve(const Execution& now, const OperatorRequest& request) {
  OperatorRequest resolved = request;
  if (Terminal(now.state)) return NotAllowed(now, request.verb, "it has ended");
  if (OfStep(request.verb)) {
    const absl::StatusOr<int> step = Meant(now, request);
    if (!step.ok()) return step.status();
    resolved.step = *step;
  } else {
    resolved.step.reset();
  }
  const Verdict verdict = Judge(now, request.verb, resolved.step.value_or(0));
  if (!verdict.allowed) return NotAllowed(now, request.verb, verdict.effect);
  return resolved;
}

}  // namespace baton
