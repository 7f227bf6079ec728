// One plan under way: what has happened to each step. Small and copyable; changed by Evolve alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/ids.h"
#include "common/protocol/observation.h"
#include "coordinator/executor/record.h"
#include "coordinator/model/plan.h"
#include "coordinator/model/pool_state.h"

namespace baton {

enum class StepState { kPending, kRunning, kUnknown, kSucceeded, kFailed, kSkipped };
std::string_view ToString(StepState state);

// Kept free of text: an Execution is copied for every decision (see CommandOf for the id).
struct StepExecution {
  StepState state = StepState::kPending;
  int attempt = 0;                // of the last try; 0: never tried
  int attempts_since_resume = 0;  // automatic tries are counted anew when an operator resumes
  absl::Time started = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();
  std::shared_ptr<const Outcome> outcome;  // of the last try that ended
};

struct Execution {
  std::shared_ptr<const Plan> plan;
  PlanState state = PlanState::kRunning;
  bool undoing = false;     // the way back was begun; stays true while it waits or after it ended
  bool paused = false;      // kWaiting only: until an operator resumes it, whatever answers come
  bool aborting = false;    // what runs was told to stop; nothing new begins
  std::string waiting_for;  // kWaiting only
  // kWaiting only, and true of what was said last: see PlanWaiting. Whoever answered since is none
  // of those who are silent.
  bool goes_on_by_itself = false;
  std::set<HostId> told_silent;
  std::string end_text;  // once aborting, undoing or ended: why
  absl::Time ended = absl::InfinitePast();
  std::vector<StepExecution> steps;  // parallel to plan->steps
  // The pool's, as long as the plan runs: whose fence is waited for before a right is given, once
  // its host has answered.
  std::map<ResourceRef, Epoch> fence_due;
  // Hosts that answered while something there was to be fenced, or may have. None: nobody did, or
  // it was taken for lost anew, or stayed away.
  std::map<HostId, ReturnState> returned;

  // What ShipTail (or whichever step) gave; none while it has not succeeded.
  std::optional<LogPosition> PositionOf(int step) const;
  // Of the step's last try; empty when it was never tried.
  CommandId CommandOf(int step) const;
  // The epoch that a command of `step` carries now.
  Epoch EpochOf(const Step& step) const;
  // The plan's epoch (an undo: its undo epoch) is durable.
  bool EpochRaisedFor(bool undo) const;
};

// "PLAN/STEP/ATTEMPT": a retry is another command, and no two plans share one.
CommandId MakeCommandId(const PlanId& plan, int step, int attempt);
struct CommandName {
  PlanId plan;
  int step = 0;
  int attempt = 0;
};
// None for an id that MakeCommandId did not make.
std::optional<CommandName> ParseCommandId(const CommandId& id);

// What may happen to a plan.
struct Proceed {};  // admitted, or replayed: do what is due
struct CommandEnded {
  CommandId command;
  Outcome outcome;
};
// The agent has no such command in its ledger, and the session that could bring it is gone.
struct CommandNotAccepted {
  CommandId command;
};
// A session is open and its full report is in.
struct HostReady {
  HostId host;
};
struct HostLost {
  HostId host;
};
// A session is open, and nothing was heard in it yet.
struct HostAnswers {
  HostId host;
};
// The coordinator has just started: the host had no time yet to open a session with it.
struct HostAwaited {
  HostId host;
};
// It had the time, and opened none.
struct HostStayedAway {
  HostId host;
};
// Someone who came back was seen to be fenced: the ReturnFenced is durable.
struct ReturnSettled {};
struct StepTimedOut {
  int step = 0;
  int attempt = 0;
};
// What an operator may ask of a plan; options.h says what each does and when it is allowed.
enum class Verb { kPause, kResume, kRetry, kSkip, kAbort };
inline constexpr int kVerbs = 5;
std::string_view ToString(Verb verb);
struct OperatorRequest {
  Verb verb = Verb::kResume;
  std::optional<int> step;  // kRetry, kSkip: which; none: the only one that qualifies
  std::string by;
  std::string reason;
  std::string request_id;
  // kResume: whom the plan said to be silent when the request came (Situation::ToldSilent), and who
  // did not answer since. Set by the driver; the word is about nobody else.
  std::set<HostId> told_silent = {};
};
using PlanEvent =
    std::variant<Proceed, CommandEnded, CommandNotAccepted, HostReady, HostLost, HostAnswers,
                 HostAwaited, HostStayedAway, ReturnSettled, StepTimedOut, OperatorRequest>;

struct SendCommand {
  HostId host;
  Command command;
};
struct QueryCommandState {
  HostId host;
  CommandId command;
};
struct CancelRunning {
  HostId host;
  CommandId command;
};
struct StartTimer {
  int step = 0;
  int attempt = 0;
  absl::Duration after;
};

// In this order: make the records durable, evolve, then cancel, send, ask and set timers. Each
// command belongs to the StepStarted fact of its step; whoever sends it sets its sequence to that
// of the fact's record, which is durable and grows over all plans.
struct Decision {
  std::vector<Fact> facts;
  std::vector<CancelRunning> cancels;
  std::vector<SendCommand> commands;
  std::vector<QueryCommandState> queries;
  std::vector<StartTimer> timers;
};

// Pure. The facts of a decision are appended all or none, but a cut between them would be survived
// too. An event that has nothing to say (stale, doubled, of an ended plan) gives an empty decision.
Decision Decide(const Execution& now, const PlanEvent& event);

// Pure: what `now` doesn't know yet of the hosts that it takes for lost or waits for, by who is
// connected. To be decided on before any other event, so that nothing is given away while one of
// them can be talked to.
std::vector<PlanEvent> PresenceOf(const Execution& now,
                                  const std::function<bool(const HostId&)>& connected);

// Pure: the only ways that state changes, live and in replay alike. Facts of other plans are
// ignored.
void Evolve(Execution& state, const Record& record);
// The pool's right to write and its archives follow from the plan's records.
void Evolve(PoolState& state, const Plan& plan, const Record& record);

}  // namespace baton
