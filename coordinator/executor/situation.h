// What an execution's state means for what may come next. Pure, shared by Decide and the table of
// what an operator can do.
#pragma once

#include <set>
#include <string>

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
  // planned move, and somebody else who is to be fenced first has answered and was not seen to be.
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
  // The plan waits, and has said that it goes on by itself once who came back is fenced.
  bool PromisedToGoOn() const;
  // Something at the host is to be fenced before what the plan still has to give.
  bool AwaitsFenceOf(const HostId& host) const;
  // Whom the plan waits for, why, and what to do. Empty unless it Withholds().
  std::string WhyWithheld() const;
  // Hosts of which the plan, as it waits, says that they answered and are silent again.
  std::set<HostId> ToldSilent() const;
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
  bool Tried(bool undo) const;
  template <class What>
  bool Every(StepState state) const;  // forward steps that do What
  // The forward step fences who held a right when the plan began. Those before the epoch is raised
  // fence who lost its right before, so that it can be seeded.
  bool TakesRight(int i) const;

  const Execution& now_;
};

}  // namespace baton
