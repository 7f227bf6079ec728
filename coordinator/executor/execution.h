// One plan under way: what has happened to each step. Small and copyable; changed by Evolve alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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

struct StepExecution {
  StepState state = StepState::kPending;
  int attempt = 0;                // of the last try
  int attempts_since_resume = 0;  // automatic tries are counted anew when an operator resumes
  CommandId command;              // of the last try
  absl::Time started = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();
  std::shared_ptr<const Outcome> outcome;  // of the last try that ended
};

struct Execution {
  std::shared_ptr<const Plan> plan;
  PlanState state = PlanState::kRunning;
  std::string waiting_for;
  std::string end_text;
  absl::Time ended = absl::InfinitePast();
  std::vector<StepExecution> steps;  // parallel to plan->steps

  // What ShipTail (or whichever step) gave; none while it has not succeeded.
  std::optional<LogPosition> PositionOf(int step) const;
};

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
struct StepTimedOut {
  int step = 0;
  int attempt = 0;
};
struct ResumeRequested {
  std::string by;
  std::string reason;
  std::string request_id;
};
using PlanEvent = std::variant<Proceed, CommandEnded, CommandNotAccepted, HostReady, HostLost,
                               StepTimedOut, ResumeRequested>;

struct SendCommand {
  HostId host;
  Command command;
};
struct QueryCommandState {
  HostId host;
  CommandId command;
};
struct StartTimer {
  int step = 0;
  int attempt = 0;
  absl::Duration after;
};

// In this order: make the records durable, evolve, then send, ask and set timers.
struct Decision {
  std::vector<Fact> facts;
  std::vector<SendCommand> commands;
  std::vector<QueryCommandState> queries;
  std::vector<StartTimer> timers;
};

// Pure. Command ids derive from plan, step and attempt, so that replay and retry never reuse one.
Decision Decide(const Execution& now, const PlanEvent& event);

// Pure: the only ways that state changes, live and in replay alike. Facts of other plans are
// ignored.
void Evolve(Execution& state, const Record& record);
// The pool's right to write and its archives follow from the plan's records.
void Evolve(PoolState& state, const Plan& plan, const Record& record);

}  // namespace baton
