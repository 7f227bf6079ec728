#include "agent/core/command_table.h"

namespace baton::agent {
namespace {

using P = CommandPhase;
using E = CommandEvent;
using R = Reaction;

}  // namespace

constexpr std::array<CommandRow, kCommandRows> kCommandTable = {{
    {P::kAbsent, E::kArrives, R::kAdmit, "A command never seen is judged, and acts if admitted."},
    {P::kAbsent, E::kQueried, R::kSayNotAccepted,
     "What the ledger does not hold never acted, and its session is closed."},
    {P::kAbsent, E::kCancelled, R::kSayNotAccepted, "There is nothing to stop."},
    {P::kAbsent, E::kEnds, R::kIgnore, "A runner speaks of a command that nobody knows."},
    {P::kAbsent, E::kDeadline, R::kIgnore, "Its record was pruned before its timer ran."},
    {P::kAbsent, E::kLookedAt, R::kIgnore, "A look ended for a command that nobody knows."},
    {P::kAbsent, E::kRetryWrite, R::kIgnore, "There is no outcome to enter."},

    {P::kRefused, E::kArrives, R::kReplayOutcome,
     "Refused once is refused for the session: its sender was told that it never acts."},
    {P::kRefused, E::kQueried, R::kSayFinished, "The refusal is its outcome."},
    {P::kRefused, E::kCancelled, R::kSayFinished, "It never acted, as its outcome says."},
    {P::kRefused, E::kEnds, R::kIgnore, "A refused command was never started."},
    {P::kRefused, E::kDeadline, R::kIgnore, "A refused command has no deadline."},
    {P::kRefused, E::kLookedAt, R::kIgnore, "A refused command changed nothing to look at."},
    {P::kRefused, E::kRetryWrite, R::kIgnore, "A refusal is not kept in the ledger."},

    {P::kUnsettled, E::kArrives, R::kSayRunning, "The same id never acts twice."},
    {P::kUnsettled, E::kQueried, R::kSayRunning, "A look is under way; Finished follows."},
    {P::kUnsettled, E::kCancelled, R::kSayRunning, "A look changes nothing that could be stopped."},
    {P::kUnsettled, E::kEnds, R::kIgnore, "This agent has started no runner for it."},
    {P::kUnsettled, E::kDeadline, R::kIgnore, "Nothing acts that could be stopped."},
    {P::kUnsettled, E::kLookedAt, R::kFinish,
     "It took effect if its postcondition holds, else nobody knows."},
    {P::kUnsettled, E::kRetryWrite, R::kIgnore, "There is no outcome yet."},

    {P::kRunning, E::kArrives, R::kSayRunning, "The same id never acts twice."},
    {P::kRunning, E::kQueried, R::kSayRunning, "It still acts; Finished follows."},
    {P::kRunning, E::kCancelled, R::kCancelAction,
     "The runner stops, and its outcome acknowledges the cancel."},
    {P::kRunning, E::kEnds, R::kFinish, "The outcome is durable before anyone hears of it."},
    {P::kRunning, E::kDeadline, R::kCancelAction, "Its time is up: the runner stops."},
    {P::kRunning, E::kLookedAt, R::kIgnore, "Looks settle only what an ended agent left."},
    {P::kRunning, E::kRetryWrite, R::kIgnore, "There is no outcome yet."},

    {P::kEnding, E::kArrives, R::kSayRunning, "The same id never acts twice."},
    {P::kEnding, E::kQueried, R::kSayRunning, "Its outcome is told once it is durable."},
    {P::kEnding, E::kCancelled, R::kSayRunning, "It has acted; Finished follows."},
    {P::kEnding, E::kEnds, R::kIgnore, "It has ended already."},
    {P::kEnding, E::kDeadline, R::kIgnore, "It has ended already."},
    {P::kEnding, E::kLookedAt, R::kIgnore, "It has an outcome already."},
    {P::kEnding, E::kRetryWrite, R::kFinish, "The outcome is offered to the ledger again."},

    {P::kFinished, E::kArrives, R::kReplayOutcome,
     "The same id never acts twice: its recorded outcome is the answer."},
    {P::kFinished, E::kQueried, R::kSayFinished, "The ledger holds its outcome."},
    {P::kFinished, E::kCancelled, R::kReplayOutcome, "It ended before the cancel came."},
    {P::kFinished, E::kEnds, R::kIgnore, "It has ended already."},
    {P::kFinished, E::kDeadline, R::kIgnore, "It ended in time."},
    {P::kFinished, E::kLookedAt, R::kIgnore, "It has an outcome already."},
    {P::kFinished, E::kRetryWrite, R::kIgnore, "The ledger has its outcome."},
}};

Reaction React(CommandPhase phase, CommandEvent event) {
  for (const CommandRow& row : kCommandTable) {
    if (row.phase == phase && row.event == event) return row.reaction;
  }
  return Reaction::kIgnore;
}

std::string_view ToString(CommandPhase phase) {
  switch (phase) {
    case P::kAbsent:
      return "absent";
    case P::kRefused:
      return "refused";
    case P::kUnsettled:
      return "unsettled";
    case P::kRunning:
      return "running";
    case P::kEnding:
      return "ending";
    case P::kFinished:
      return "finished";
  }
  return "?";
}

std::string_view ToString(CommandEvent event) {
  switch (event) {
    case E::kArrives:
      return "arrives";
    case E::kQueried:
      return "queried";
    case E::kCancelled:
      return "cancelled";
    case E::kEnds:
      return "ends";
    case E::kDeadline:
      return "deadline";
    case E::kLookedAt:
      return "looked at";
    case E::kRetryWrite:
      return "retry write";
  }
  return "?";
}

}  // namespace baton::agent
