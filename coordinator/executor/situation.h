// What an execution's state means for what may come next. Pure, shared by Decide and the table of
// what an operator can do.
#pragma once

#include <set>
#include <string>
#include <variant>

#include "absl/time/time.h"

#include "coordinator/executor/execution.h"

namespace baton {

// What is recorded stays well below what a message may hold, so that nothing is cut on its way.
inline constexpr size_t kMessageBytesMax = 1000;
inline constexpr size_t kReasonBytesMax = 6000;
// Beyond its own time limit an answer still has to travel.
inline constexpr absl::Duration kAnswerGrace = absl::Seconds(5);

// Reasons of outcomes that no agent gave.
inline constexpr char kNotAccepted[] = "NOT_ACCEPTED";
inline constexpr char kNoAnswer[] = "NO_ANSWER";
// How often a step is tried whose answers are lost: nothing was found to be wrong.
int LostTries(const Step& step);

template <class What>
bool Does(const Step& step) {
  const Action* action = step.action();
  return action != nullptr && std::holds_alternative<What>(*action);
}
// It succeeded, or is not needed.
inline bool Settled(StepState state) {
  return state == StepState::kSucceeded || state == StepState::kSkipped;
}

// The first `bytes_max` bytes of UTF-8 text, cut between characters.
std::string Shortened(const std::string& text, size_t bytes_max);
// " by NAME: reason", as far as there is one.
std::string ByWhom(const std::string& who, const std::string& why);

// A view of one execution, which must outlive it.
class Situation {
 public:
  explicit Situation(const Execution& now) : now_(now) {}

  int Steps() const { return static_cast<int>(now_.steps.size()); }
  const Step& StepAt(int i) const { return now_.plan->steps[i]; }
  // While the plan takes back what it did, nothing that its forward steps say changes anything.
  bool InDirection(int i) const { return StepAt(i).undo == now_.undoing; }
  bool Any(StepState wanted) const;
  bool Blocked() const { return Any(StepState::kFailed) || Any(StepState::kUnknown); }
  // Pending, and everything before it succeeded or is not needed.
  bool Due(int i) const;

  // Every step succeeded or is not needed: nothing is left to be done, or to be given up.
  bool AllDone() const;

  // Nothing was asked of anyone but to look, and to point servers that do not run; nobody's right
  // was taken.
  bool OnlyLooked() const;
  // An adoption that gave nobody the right to write can be made anew from what is seen then; one
  // that waited would keep its pool from being mended by a change of the topology.
  bool GaveNothing() const;
  // Before the first Recover there is a way back that knows how to give back every right that was
  // taken.
  bool CanUndo() const;
  // Its way back has chat served again; without, nobody served it that could be reached.
  bool UndoServes() const;
  // The step would give someone the right to write or to serve, or take chat down for that in a
  // planned move, and somebody else who is to be fenced first has answered, or may have, and was
  // not seen to be. A failover takes no right either while someone who was said to be lost may have
  // answered.
  // True of steps back as well: while a right is given back to where it was, a third one may hold
  // it.
  bool Withheld(int i) const;
  // Such a step is all that is due, or is to be tried anew.
  bool Withholds() const;
  // A step that gives a right ended without success and has automatic tries left: if it is
  // withheld, that is why it was not tried again.
  bool HeldBack(int i) const;
  // Every step that stands in the plan's way is such a one; also when none does.
  bool OnlyHeldBack() const;
  // Who came back is to be fenced, and nothing else is missing.
  bool GoesOnByItself() const;
  // Something at the host is to be fenced before what the plan still has to give, or will be once a
  // failover has taken its right.
  bool AwaitsFenceOf(const HostId& host) const;
  // Hosts whose answer would count and may have been heard by a coordinator that is dead: all whose
  // fence is awaited, but for those that were known to be silent, or are kept from serving.
  std::set<HostId> ToBeAwaited() const;
  // Whom the plan waits for, why, and what to do. Empty unless it Withholds().
  std::string WhyWithheld() const;
  // Those of them of whom it says that they answered and are silent again.
  std::set<HostId> SilentAgain() const;
  // A failure now ends the plan with chat served where it was, rather than leave it waiting.
  bool CanGiveUp() const { return !now_.undoing && (OnlyLooked() || GaveNothing() || CanUndo()); }
  // Why the step cannot be left out; empty: it can, once it has failed or is not answered.
  std::string WhyNotSkippable(int i) const;

  // "“Fence mgc on hq-sql1” on hq-sql1/mgc (try 2): BUSY: still runs"
  std::string Complaint(int step) const;
  // Everything that keeps the plan from going on.
  std::string Blockers() const;
  // The way on of an undo that cannot give the right back; empty while there is none to give.
  std::string InsteadOfUndo() const;
  // The way on where chat servers were to be activated and do not answer; empty where none was.
  std::string InsteadOfChatHost() const;
  // Where a plan that is given up now leaves its pool, and which verb goes on from there.
  std::string LeftBehind() const;

 private:
  // A planned move's first step that users feel. Once one was tried, those after it only shorten
  // what they feel.
  bool BeginsOutage(int i) const;
  // "baton adopt POOL", with the word that it may need of servers that were to be activated.
  std::string AdoptWords() const;
  template <class What>
  bool Tried(bool undo) const {
    for (int i = 0; i < Steps(); ++i) {
      if (StepAt(i).undo == undo && Does<What>(StepAt(i)) && now_.steps[i].attempt > 0) return true;
    }
    return false;
  }
  template <class What>
  bool Every(StepState state) const {  // forward steps that do What
    for (int i = 0; i < Steps(); ++i) {
      if (!StepAt(i).undo && Does<What>(StepAt(i)) && now_.steps[i].state != state) return false;
    }
    return true;
  }
  // The forward step fences who held a right when the plan began. Those before the epoch is raised
  // fence who lost its right before, so that it can be seeded.
  bool TakesRight(int i) const;
  // It owes only fences of chat servers, all since this planned move took their side's database,
  // which is fenced with proof before anything is given: they have none that takes messages.
  bool KeptFromServing(const HostId& host) const;
  // A failover's step that takes the right of those who were said to be lost.
  bool TakesFromLost(int i) const;

  const Execution& now_;
};

}  // namespace baton
