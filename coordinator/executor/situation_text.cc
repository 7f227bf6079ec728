// What a situation says to operators: what a plan waits for, and what to do.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "coordinator/executor/situation.h"

namespace baton {

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

std::string Situation::WhyWithheld() const {
  if (!Withholds()) return "";
  std::vector<std::string> lines;
  bool served = false;
  for (int i = 0; i < Steps(); ++i) served |= Due(i) && BeginsOutage(i);
  bool taken = true;  // a failover's right, from those who were said to be lost
  for (int i = 0; i < Steps(); ++i) taken &= !Due(i) || !TakesFromLost(i);
  bool awaited = true;
  for (const auto& [host, how] : now_.returned) {
    awaited &= how == ReturnState::kAwaited;
    if (how != ReturnState::kAwaited) continue;
    lines.push_back(absl::StrCat(
        host.value(), " was taken for lost and may have answered the coordinator before this one: ",
        "it has some seconds more to answer this one",
        taken ? ", and is fenced first if it does" : ", and if it does, nothing is moved"));
  }
  for (const auto& [ref, epoch] : now_.fence_due) {
    const auto host = now_.returned.find(ref.host);
    if (host == now_.returned.end() || host->second == ReturnState::kAwaited) continue;
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
  const char* until = !GoesOnByItself() ? " either before who came back is fenced: "
                      : awaited ? ", and the plan goes on by itself when that time is over: "
                                : ", and the plan goes on by itself once who came back is fenced: ";
  return Shortened(absl::StrCat(what, until, absl::StrJoin(lines, "; ")), kReasonBytesMax);
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
