// Durable facts. The journal holds nothing else; replaying them through Evolve gives the state in
// memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "absl/time/time.h"

#include "common/protocol/epoch.h"
#include "common/protocol/ids.h"
#include "common/protocol/observation.h"
#include "coordinator/model/plan.h"
#include "coordinator/model/topology.h"

namespace baton {

struct TopologyApplied {
  uint64_t revision = 0;
  std::string text;
  std::string applied_by;
  std::string request_id;
  std::string reason;
};
// From now on this ledger speaks for the host.
struct LedgerAccepted {
  HostId host;
  LedgerId ledger;
  std::string by;  // empty: first contact
  std::string reason;
  std::string request_id;
};
struct PlanAdmitted {
  std::shared_ptr<const Plan> plan;
};
// Durable before any command under the epoch is sent.
struct EpochRaised {
  PlanId plan;
  PoolId pool;
  int step = 0;
  Epoch epoch;
};
// The command may be sent once this is durable. One command id per attempt.
struct StepStarted {
  PlanId plan;
  int step = 0;
  int attempt = 0;  // from 1
  CommandId command;
};
// kOk: succeeded. kUnknown: to be looked at again. Otherwise failed.
struct StepFinished {
  PlanId plan;
  int step = 0;
  int attempt = 0;
  Outcome outcome;
};
struct PlanWaiting {
  PlanId plan;
  std::string reason;  // found, wanted, what to do
  // The reason says that the plan goes on without anybody's word, once who came back is fenced.
  bool goes_on_by_itself = false;
  // Of whom the reason says that they answered and are silent again.
  std::set<HostId> silent = {};
};
struct PlanResumed {
  PlanId plan;
  std::string by;
  std::string reason;
  std::string request_id;
  std::optional<int> step;  // only this one is tried again; a paused plan stays paused
};
// No further step begins until it is resumed.
struct PlanPaused {
  PlanId plan;
  std::string by;
  std::string reason;
  std::string request_id;
};
// The plan goes on without the step, on someone's word.
struct StepSkipped {
  PlanId plan;
  int step = 0;
  std::string by;
  std::string reason;
  std::string request_id;
};
// What runs is being cancelled. Once it has ended, or said nothing for too long, the plan takes
// back what it did or ends where it is.
struct AbortStarted {
  PlanId plan;
  std::string by;
  std::string reason;
  std::string request_id;
};
struct UndoStarted {
  PlanId plan;
  std::string reason;
};
struct PlanEnded {
  PlanId plan;
  PlanState state = PlanState::kSucceeded;  // a terminal one
  std::string text;
};
// Someone whose right was taken while away (PoolState::fence_due) was seen to be fenced.
struct ReturnFenced {
  PoolId pool;
  ResourceRef resource;
  Epoch epoch;
};

// How a host stands that has to be fenced (PoolState::fence_due) before its plan gives a right.
enum class ReturnState {
  kAnswers,       // whoever said that it is lost was wrong, or it came back
  kSilent,        // it answered, and does no more
  kTakenForLost,  // silent, and an operator has said once more that it is lost
  kAwaited,       // may have answered a coordinator that died before that was durable
  kStayedAway,    // was awaited and did not answer: what was said of it before holds
};
struct ReturnNoted {
  PlanId plan;
  HostId host;
  ReturnState state = ReturnState::kAnswers;
};

using Fact = std::variant<TopologyApplied, LedgerAccepted, PlanAdmitted, EpochRaised, StepStarted,
                          StepFinished, PlanWaiting, PlanResumed, UndoStarted, PlanEnded,
                          PlanPaused, StepSkipped, AbortStarted, ReturnFenced, ReturnNoted>;

// The plan that the fact is about; empty: none.
const PlanId& PlanOf(const Fact& fact);

struct Record {
  uint64_t sequence = 0;  // set by the journal: 1, 2, 3, … without a gap
  absl::Time time;        // wall time of the coordinator, for people
  Fact fact;
};

}  // namespace baton
