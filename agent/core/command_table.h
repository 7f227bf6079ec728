// What becomes of a command: every state that it can be in at an agent, every event that can meet
// it there, and the one reaction. Rows are disjoint and complete (a test proves both).
#pragma once

#include <array>
#include <string_view>

namespace baton::agent {

enum class CommandPhase {
  kAbsent,     // not in the ledger, not refused in this session
  kRefused,    // refused in this session, never in the ledger
  kUnsettled,  // Accepted by an agent before this one, which ended; being looked at
  kRunning,    // Accepted, acting
  kEnding,     // acted; the ledger could not yet take its outcome
  kFinished,   // its outcome is in the ledger
};
inline constexpr int kCommandPhases = 6;
std::string_view ToString(CommandPhase phase);

enum class CommandEvent {
  kArrives,  // the coordinator sends the command
  kQueried,
  kCancelled,
  kEnds,  // the runner tells its outcome
  kDeadline,
  kLookedAt,    // a look told whether the postcondition holds
  kRetryWrite,  // time to try the ledger again
};
inline constexpr int kCommandEvents = 7;
std::string_view ToString(CommandEvent event);

enum class Reaction {
  kIgnore,
  kAdmit,           // judge it: accept and act, or refuse
  kReplayOutcome,   // say Finished again
  kSayNotAccepted,  // answer: it never acted and never will
  kSayRunning,      // answer: Finished will follow
  kSayFinished,     // answer with its outcome
  kCancelAction,    // ask the runner to stop; its outcome says what was and wasn't done
  kFinish,          // enter the outcome in the ledger, then say Finished
};

struct CommandRow {
  CommandPhase phase;
  CommandEvent event;
  Reaction reaction;
  std::string_view sentence;
};
inline constexpr int kCommandRows = kCommandPhases * kCommandEvents;
extern const std::array<CommandRow, kCommandRows> kCommandTable;

Reaction React(CommandPhase phase, CommandEvent event);

}  // namespace baton::agent
