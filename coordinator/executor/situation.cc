#include "coordinator/executor/situation.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace baton {
namespace {

constexpr int kLostTriesMin = 3;
constexpr char kGoesOn[] = "the plan goes on by itself once who came back is fenced: ";

template <class What>
bool Does(const Step& step) {
  const Action* action = step.action();
  return action != nullptr && std::holds_alternative<What>(*action);
}

bool Looks(const Step& step) {
  return step.raises_epoch() || Does<CheckDatabase>(step) || Does<CheckChat>(step) ||
         Does<PointAt>(step);
}

// It succeeded, or is not needed.
bool Settled(StepState state) {
  return state == StepState::kSucceeded || state == StepState::kSkipped;
}

// It gives a right that nobody else may hold then.
bool Gives(const Step& step) { return Does<Recover>(step) || Does<Activate>(step); }

}  // namespace

std::string Shortened(const std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string ByWhom(const std::string& who, const std::string& why) {
  return absl::StrCat(who.empty() ? "" : " by ", who, why.empty() ? "" : ": ",
                      Shortened(why, kMessageBytesMax));
}

int LostTries(const Step& step) { return std::max(step.automatic_tries, kLostTriesMin); }

template <class What>
bool Situation::Tried(bool undo) const {
  for (int i = 0; i < Steps(); ++i) {
    if (StepAt(i).undo == undo && Does<What>(StepAt(i)) && now_.steps[i].attempt > 0) return true;
  }
  return false;
}

template <class What>
bool Situation::Every(StepState state) const {
  for (int i = 0; i < Steps(); ++i) {
    if (!StepAt(i).undo && Does<What>(StepAt(i)) && now_.steps[i].state != state) return false;
  }
  return true;
}

bool Situation::Any(StepState wanted) const {
  for (int i = 0; i < Steps(); ++i) {
    if (InDirection(i) && now_.steps[i].state == wanted) return true;
  }
  return false;
}

bool Situation::Due(int i) const {
  if (!InDirection(i) || now_.steps[i].state != StepState::kPending) return false;
  const std::vector<int>& after = StepAt(i).after;
  return std::all_of(after.begin(), after.end(),
                     [this](int before) { return Settled(now_.steps[before].state); });
}

bool Situation::AllDone() const {
  for (int i = 0; i < Steps(); ++i) {
    if (InDirection(i) && !Settled(now_.steps[i].state)) return false;
  }
  return true;
}

bool Situation::OnlyLooked() const {
  if (!now_.plan->fence_on_return.empty() && now_.EpochRaisedFor(false)) return false;
  for (int i = 0; i < Steps(); ++i) {
    if (!Looks(StepAt(i)) && now_.steps[i].attempt > 0) return false;
  }
  return true;
}

bool Situation::GaveNothing() const {
  if (now_.plan->kind != PlanKind::kAdopt) return false;
  for (int i = 0; i < Steps(); ++i) {
    if (!Does<Unfence>(StepAt(i)) && !Does<Recover>(StepAt(i))) continue;
    const StepExecution& step = now_.steps[i];
    const bool refused = step.state == StepState::kFailed && step.attempt == 1 &&
                         step.outcome->code == OutcomeCode::kRefused;
    if (step.attempt > 0 && !refused) return false;
  }
  return true;
}

bool Situation::TakesRight(int i) const {
  if (StepAt(i).undo || !Does<Fence>(StepAt(i))) return false;
  const auto& steps = now_.plan->steps;
  return std::any_of(steps.begin(), steps.begin() + i,
                     [](const Step& before) { return before.raises_epoch() && !before.undo; });
}

bool Situation::CanUndo() const {
  if (now_.undoing || !now_.EpochRaisedFor(false) || Tried<Recover>(false)) return false;
  bool any = false;
  for (int i = 0; i < Steps(); ++i) {
    any |= StepAt(i).undo;
    if (!TakesRight(i) || now_.steps[i].attempt == 0) continue;
    const bool covered = std::any_of(
        now_.plan->steps.begin(), now_.plan->steps.end(),
        [i](const Step& step) { return step.undo && step.undoes == i && Does<Recover>(step); });
    if (!covered) return false;
  }
  return any;
}

bool Situation::UndoServes() const {
  for (int i = 0; i < Steps(); ++i) {
    if (!StepAt(i).undo || !Does<Activate>(StepAt(i))) continue;
    // What was not drained is not activated again: it goes on.
    const std::optional<int>& drained = StepAt(i).undoes;
    const bool left_out = now_.steps[i].state == StepState::kSkipped && drained.has_value() &&
                          now_.steps[*drained].attempt > 0;
    if (!left_out) return true;
  }
  return false;
}

bool Situation::BeginsOutage(int i) const {
  const PlanKind kind = now_.plan->kind;
  const bool planned = kind == PlanKind::kSwitchover || kind == PlanKind::kFailback;
  if (!planned || StepAt(i).undo) return false;
  if (!Does<Drain>(StepAt(i)) && !Does<EndConnections>(StepAt(i))) return false;
  return !Tried<Drain>(false) && !Tried<EndConnections>(false);
}

bool Situation::Withheld(int i) const {
  if (!InDirection(i) || (!Gives(StepAt(i)) && !BeginsOutage(i))) return false;
  return std::any_of(now_.fence_due.begin(), now_.fence_due.end(), [&](const auto& due) {
    return due.first != StepAt(i).target && now_.returned.contains(due.first.host);
  });
}

bool Situation::Withholds() const {
  for (int i = 0; i < Steps(); ++i) {
    const StepState state = now_.steps[i].state;
    const bool wanted = Due(i) || state == StepState::kFailed || state == StepState::kUnknown;
    if (wanted && Withheld(i)) return true;
  }
  return false;
}

bool Situation::HeldBack(int i) const {
  const StepExecution& now = now_.steps[i];
  const bool ended = now.state == StepState::kFailed || now.state == StepState::kUnknown;
  if (!Gives(StepAt(i)) || !InDirection(i) || !ended || now.outcome == nullptr) return false;
  const Outcome& outcome = *now.outcome;
  const bool lost = outcome.reason == kNotAccepted ||
                    (outcome.code == OutcomeCode::kUnknown && outcome.reason != kNoAnswer);
  const int tries = lost                                   ? LostTries(StepAt(i))
                    : outcome.code == OutcomeCode::kFailed ? StepAt(i).automatic_tries
                                                           : 0;
  return now.attempts_since_resume < tries;
}

bool Situation::OnlyHeldBack() const {
  for (int i = 0; i < Steps(); ++i) {
    const StepState state = now_.steps[i].state;
    const bool stands = state == StepState::kFailed || state == StepState::kUnknown;
    if (InDirection(i) && stands && !HeldBack(i)) return false;
  }
  return true;
}

bool Situation::GoesOnByItself() const {
  return Withholds() && OnlyHeldBack() && !Any(StepState::kRunning);
}

bool Situation::PromisedToGoOn() const {
  return now_.state == PlanState::kWaiting && !now_.paused &&
         now_.waiting_for.find(kGoesOn) != std::string::npos;
}

bool Situation::AwaitsFenceOf(const HostId& host) const {
  const bool due = std::any_of(now_.fence_due.begin(), now_.fence_due.end(),
                               [&](const auto& one) { return one.first.host == host; });
  for (int i = 0; due && i < Steps(); ++i) {
    if (Gives(StepAt(i)) && InDirection(i) && !Settled(now_.steps[i].state)) return true;
  }
  return false;
}

std::string Situation::WhyWithheld() const {
  if (!Withholds()) return "";
  std::vector<std::string> lines;
  bool served = false;
  for (int i = 0; i < Steps(); ++i) served |= Due(i) && BeginsOutage(i);
  for (const auto& [ref, epoch] : now_.fence_due) {
    const auto host = now_.returned.find(ref.host);
    if (host == now_.returned.end()) continue;
    const std::string& name = ref.host.value();
    if (host->second == ReturnState::kAnswers) {
      lines.push_back(absl::StrCat(name, " answers, and ", ref.ToString(),
                                   " is not seen to be fenced yet: if that takes long, baton-guard "
                                   "fence ",
                                   ref.resource.value(), " ", epoch.ToString(), " on ", name,
                                   ", or turn its power off"));
    } else {
      lines.push_back(absl::StrCat(name, " answered and is silent again, and ", ref.ToString(),
                                   " was not seen to be fenced: turn its power off, then take it "
                                   "for lost anew: baton resume ",
                                   now_.plan->pool.value(), " --reason \"...\""));
    }
  }
  const char* what = served ? "chat is not taken down" : "no right is given away";
  const std::string until = GoesOnByItself()
                                ? absl::StrCat(what, ", and ", kGoesOn)
                                : absl::StrCat(what, " either before who came back is fenced: ");
  return Shortened(absl::StrCat(until, absl::StrJoin(lines, "; ")), kReasonBytesMax);
}

std::set<HostId> Situation::ToldSilent() const {
  const std::string why = WhyWithheld();
  const bool told = now_.state == PlanState::kWaiting && !now_.paused && !why.empty() &&
                    now_.waiting_for.ends_with(why);
  std::set<HostId> silent;
  for (const auto& [ref, epoch] : now_.fence_due) {
    const auto host = now_.returned.find(ref.host);
    const bool is = host != now_.returned.end() && host->second == ReturnState::kSilent;
    if (told && is) silent.insert(ref.host);
  }
  return silent;
}

std::string Situation::WhyNotSkippable(int i) const {
  if (!StepAt(i).skippable) return "safety stands on this step: mend what it says, then retry it";
  for (int other = 0; other < Steps(); ++other) {
    if (StepAt(other).input_from == i && now_.steps[other].state != StepState::kSkipped) {
      return absl::StrCat("\"", StepAt(other).title, "\" needs its position");
    }
  }
  return "";
}

std::string Situation::Complaint(int step) const {
  const StepExecution& now = now_.steps[step];
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

std::string Situation::Blockers() const {
  std::string text;
  for (int i = 0; i < Steps(); ++i) {
    const StepState now = now_.steps[i].state;
    if (InDirection(i) &&
        (now == StepState::kFailed || now == StepState::kUnknown || now == StepState::kRunning)) {
      absl::StrAppend(&text, text.empty() ? "" : "; ", Complaint(i));
    }
  }
  return Shortened(text, kReasonBytesMax);
}

std::string Situation::InsteadOfUndo() const {
  if (!now_.undoing) return "";
  for (int i = 0; i < Steps(); ++i) {
    if (!StepAt(i).undo || !Does<Recover>(StepAt(i))) continue;
    if (Settled(now_.steps[i].state)) continue;
    const std::string& pool = now_.plan->pool.value();
    const char* loss = Every<ApplyPendingLogs>(StepState::kSucceeded)
                           ? "which loses nothing: all that was written is applied there"
                       : Every<ShipTail>(StepState::kSucceeded)
                           ? "which loses nothing that was shipped, and all of it was"
                           : "which says first what it loses, with --dry-run";
    const std::string& host = StepAt(i).target.host.value();
    return absl::StrCat("if ", host, " cannot serve again: baton abort ", pool,
                        " --reason \"...\", then baton failover ", pool, " --lost-host ", host,
                        " --reason \"...\" (without --lost-host while its agent answers), ", loss);
  }
  return "";
}

std::string Situation::InsteadOfChatHost() const {
  std::string flags;
  for (int i = 0; i < Steps(); ++i) {
    const StepState state = now_.steps[i].state;
    const bool open = state == StepState::kRunning || state == StepState::kUnknown;
    if (!InDirection(i) || !Does<Activate>(StepAt(i)) || !open) continue;
    absl::StrAppend(&flags, " --lost-host ", StepAt(i).target.host.value());
  }
  if (flags.empty()) return "";
  const std::string& pool = now_.plan->pool.value();
  return absl::StrCat("if that host is down: baton abort ", pool,
                      " --reason \"...\", then baton adopt ", pool, flags,
                      " --reason \"...\", which has another chat server serve");
}

std::string Situation::AdoptWords() const {
  std::string words = absl::StrCat("baton adopt ", now_.plan->pool.value());
  for (int i = 0; i < Steps(); ++i) {
    const StepExecution& now = now_.steps[i];
    if (!Does<Activate>(StepAt(i)) || now.attempt == 0 || Settled(now.state)) continue;
    absl::StrAppend(&words, " (with --lost-host ", StepAt(i).target.host.value(),
                    " if that host is down)");
  }
  return words;
}

std::string Situation::LeftBehind() const {
  const std::string& pool = now_.plan->pool.value();
  bool moves = Tried<Recover>(false) || Tried<Unfence>(false) ||
               (now_.EpochRaisedFor(false) && !now_.plan->fence_on_return.empty());
  for (int i = 0; i < Steps(); ++i) moves |= TakesRight(i) && now_.steps[i].attempt > 0;
  if (now_.plan->kind == PlanKind::kRemoveQuarantine) {
    return absl::StrCat("baton quarantine list ", pool, " shows what is left");
  }
  if (!moves && (Tried<Drain>(false) || Tried<Deactivate>(false))) {
    return absl::StrCat("no right to write was moved, but chat may be down: ", AdoptWords(),
                        " has it served");
  }
  if (!moves) {
    return absl::StrCat("nothing was moved; what was set up or copied stays: baton ",
                        std::string(ToString(now_.plan->kind)), " ", pool, " begins anew from it");
  }
  std::vector<std::string> lines;
  bool given = true;
  for (int i = 0; i < Steps(); ++i) {
    const Step& step = StepAt(i);
    if (!Does<Recover>(step) && !Does<Unfence>(step)) continue;
    const StepExecution& now = now_.steps[i];
    if (step.undo && now.attempt == 0) continue;
    if (now.state == StepState::kSucceeded) {
      lines.push_back(
          absl::StrCat(step.database.value(), " is written on ", step.target.host.value()));
    } else if (now.attempt > 0) {
      given = false;
      lines.push_back(absl::StrCat("it is not known whether ", step.target.host.value(),
                                   " may write ", step.database.value()));
    } else if (!now_.undoing) {
      given = false;
      lines.push_back(absl::StrCat(step.target.host.value(), " was not given the right to write ",
                                   step.database.value()));
    }
  }
  if (lines.empty()) {
    given = false;
    lines.push_back("nobody was given the right to write");
  }
  const std::string where = absl::StrJoin(lines, "; ");
  if (given) {
    return absl::StrCat(where, "; ", AdoptWords(), " has chat served if it is not, baton protect ",
                        pool, " sets log shipping up again");
  }
  return absl::StrCat(where, "; baton adopt ", pool, " gives the right back, baton failover ", pool,
                      " takes it to the other site");
}

}  // namespace baton
