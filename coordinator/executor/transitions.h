// What a step does about an event, as a table with one sentence per row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "coordinator/executor/execution.h"

namespace baton {

// What can happen to one step. An answer is that of its last try; older ones never get here.
enum class StepEvent {
  kAnsweredOk,
  kAnsweredFailed,   // tried, the postcondition does not hold
  kAnsweredRefused,  // refused or cancelled
  kAnsweredUnknown,
  kNotAccepted,
  kHostReady,
  kHostLost,
  kTimedOut,
  kResumed,
  kRetried,  // by its number
  kSkipped,
  kAborted,
  kReplayed,
};
inline constexpr int kStepStates = 6;
inline constexpr int kStepEvents = 13;

enum class Reaction {
  kIgnore,
  kRecord,       // make the outcome durable, then see what is due
  kRetryFailed,  // record; another try at once while automatic tries are left
  kRetryLost,    // record; another try at once, up to the tries that lost answers get
  kAsk,          // ask the agent what became of the command
  kGiveUpOrWait,
  kTryAgain,
  kAskAgain,  // ask, with a new time limit
  kRearm,     // a new time limit
  kSkip,      // go on without it; what may still run of it is told to stop
  kStop,      // told to stop, and waited for
  kTellStop,  // told to stop, not waited for
};

struct Transition {
  uint32_t states = 0;  // a bit per StepState
  uint32_t events = 0;  // a bit per StepEvent
  Reaction reaction = Reaction::kIgnore;
  std::string_view why;
};

template <class... E>
constexpr uint32_t Bits(E... values) {
  return (0u | ... | (1u << static_cast<uint32_t>(values)));
}
inline constexpr uint32_t kAnyEvent = (1u << kStepEvents) - 1;

inline constexpr Transition kTransitions[] = {
    {Bits(StepState::kPending), kAnyEvent, Reaction::kIgnore,
     "Nothing was asked yet, so nothing can have been answered."},
    {Bits(StepState::kSucceeded, StepState::kSkipped), kAnyEvent, Reaction::kIgnore,
     "What was seen to hold, or is not needed, is not changed by a late word."},

    {Bits(StepState::kRunning), Bits(StepEvent::kAnsweredOk), Reaction::kRecord,
     "The postcondition was seen to hold."},
    {Bits(StepState::kRunning), Bits(StepEvent::kAnsweredFailed), Reaction::kRetryFailed,
     "Actions are idempotent and look first: a failed one may be tried again."},
    {Bits(StepState::kRunning), Bits(StepEvent::kAnsweredRefused), Reaction::kRecord,
     "The same command would be refused again: someone must look."},
    {Bits(StepState::kRunning), Bits(StepEvent::kAnsweredUnknown, StepEvent::kNotAccepted),
     Reaction::kRetryLost, "Nobody knows, or it never began: a new try looks before it acts."},
    {Bits(StepState::kRunning), Bits(StepEvent::kHostReady), Reaction::kAsk,
     "A command is valid only in the session that carried it: what became of it?"},
    {Bits(StepState::kRunning), Bits(StepEvent::kHostLost), Reaction::kIgnore,
     "The command may still be acting; its time limit goes on."},
    {Bits(StepState::kRunning), Bits(StepEvent::kTimedOut), Reaction::kGiveUpOrWait,
     "No answer in time is no answer: go back where that is safe, else say whom we wait for."},
    {Bits(StepState::kRunning), Bits(StepEvent::kResumed, StepEvent::kRetried), Reaction::kAskAgain,
     "It may have ended unheard: ask before another try is thought of."},
    {Bits(StepState::kRunning), Bits(StepEvent::kReplayed), Reaction::kRearm,
     "Time limits do not outlive the coordinator; the question is asked when the host is ready."},
    {Bits(StepState::kRunning, StepState::kUnknown, StepState::kFailed), Bits(StepEvent::kSkipped),
     Reaction::kSkip, "An operator answers for it: the plan goes on without."},
    {Bits(StepState::kRunning), Bits(StepEvent::kAborted), Reaction::kStop,
     "What becomes of the plan depends on what was and wasn't done: its word is waited for."},
    {Bits(StepState::kUnknown), Bits(StepEvent::kAborted), Reaction::kTellStop,
     "It had its time to answer; whatever it still does is to end."},
    {Bits(StepState::kFailed), Bits(StepEvent::kAborted), Reaction::kIgnore,
     "It ended: there is nothing to stop."},

    {Bits(StepState::kUnknown),
     Bits(StepEvent::kAnsweredOk, StepEvent::kAnsweredFailed, StepEvent::kAnsweredRefused),
     Reaction::kRecord, "A late answer settles what was unknown."},
    {Bits(StepState::kUnknown), Bits(StepEvent::kAnsweredUnknown, StepEvent::kNotAccepted),
     Reaction::kIgnore, "Known no better than before."},
    {Bits(StepState::kUnknown), Bits(StepEvent::kHostReady), Reaction::kAsk,
     "The host is back: it may know by now."},
    {Bits(StepState::kUnknown),
     Bits(StepEvent::kHostLost, StepEvent::kTimedOut, StepEvent::kReplayed), Reaction::kIgnore,
     "It is not being waited for."},
    {Bits(StepState::kUnknown, StepState::kFailed), Bits(StepEvent::kResumed, StepEvent::kRetried),
     Reaction::kTryAgain, "An operator wants it tried again, as a new command."},
    {Bits(StepState::kFailed),
     kAnyEvent &
         ~Bits(StepEvent::kResumed, StepEvent::kRetried, StepEvent::kSkipped, StepEvent::kAborted),
     Reaction::kIgnore, "It ended; only an operator's word begins another try."},
};

// The row for `state` and `event`; there is exactly one (a test proves it).
constexpr const Transition& Lookup(StepState state, StepEvent event) {
  for (const Transition& row : kTransitions) {
    if ((row.states & Bits(state)) != 0 && (row.events & Bits(event)) != 0) return row;
  }
  return kTransitions[0];
}

}  // namespace baton
