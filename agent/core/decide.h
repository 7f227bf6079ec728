// The agent's mind: what happened in, what is to be done out. Pure; the driver (agent_core.h) makes
// the entries durable, then evolves, then carries out the effects, in this order.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/core/ports.h"
#include "agent/core/session.h"
#include "agent/core/state.h"

namespace baton::agent {

// --- timers: one of each key at a time, setting it again replaces it ---

enum class TimerKind { kReconnect, kReport, kDeadline, kFinishRetry, kFenceRetry };
struct TimerKey {
  TimerKind kind = TimerKind::kReport;
  std::string subject;  // a command's or resource's name; empty: the agent's only one of its kind

  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

// --- events ---

struct Started {};
struct ChildrenEnded {
  std::vector<ChildProcess> lingering;
};
struct FenceRead {
  ResourceId resource;
  absl::StatusOr<FenceRecord> file;
  absl::StatusOr<BootId> boot;
};
struct FenceFileWritten {
  ResourceId resource;
  absl::Status status;
};
struct FenceEnforced {
  ResourceId resource;
  absl::Status status;
};
struct FenceEntered {  // by a runner, through its FenceStore
  ResourceId resource;
  FenceRecord record;
};
struct Looked {
  CommandId command;
  Outcome outcome;
};
struct ActionEnded {
  CommandId command;
  Outcome outcome;
};
struct ActionProgressed {
  CommandId command;
  Progress progress;
};
struct Observed {
  Observation observation;
};
struct Checked {
  uint64_t stream = 0;
  std::string id;
  Outcome outcome;
};
struct MessageCame {
  uint64_t stream = 0;
  FromCoordinator message;
};
struct LinkClosed {
  uint64_t stream = 0;
  absl::Status status;
};
struct TimerRan {
  TimerKey key;
};
// A fence file names an epoch that the ledger has not seen: it was fenced by hand.
struct EpochFound {
  PoolId pool;
  Epoch epoch;
};
// The entries of an earlier decision could not be made durable: none of them holds, and none of the
// decision's effects took place.
struct LedgerFailed {
  std::vector<Ledger::Entry> entries;
  absl::Status status;
};
using What = std::variant<Started, ChildrenEnded, FenceRead, FenceFileWritten, FenceEnforced,
                          FenceEntered, Looked, ActionEnded, ActionProgressed, Observed, Checked,
                          MessageCame, LinkClosed, TimerRan, EpochFound, LedgerFailed>;
struct AgentEvent {
  absl::Duration now;  // since boot
  What what;
};

// --- effects ---

struct EndChildren {
  std::vector<ChildProcess> children;
};
struct ReadFence {
  ResourceId resource;
};
struct WriteFence {
  FenceRecord record;
};
struct EnforceFence {
  ResourceId resource;
};
struct LookAt {
  Command command;
};
struct StartAction {
  Command command;
};
struct CancelAction {
  ResourceId resource;
  CommandId command;
};
struct CheckAction {
  uint64_t stream = 0;
  DryRun dry_run;
};
struct AskProbe {
  ResourceId resource;
};
struct OpenLink {};  // with MakeHello of the state evolved
struct CloseLink {};
struct Send {
  ToCoordinator message;
};
struct SetTimer {
  TimerKey key;
  absl::Duration after;
};
struct StopTimer {
  TimerKey key;
};
struct ReconnectLater {};  // after a wait that grows with each failure and varies between agents
struct ResetBackoff {};
struct Deliver {  // as the next event
  std::variant<MessageCame, EpochFound> event;
};
enum class Severity { kInfo, kWarning, kError };
struct Say {  // to the log
  Severity severity = Severity::kInfo;
  std::string text;
};
using Effect = std::variant<EndChildren, ReadFence, WriteFence, EnforceFence, LookAt, StartAction,
                            CancelAction, CheckAction, AskProbe, OpenLink, CloseLink, Send,
                            SetTimer, StopTimer, ReconnectLater, ResetBackoff, Deliver, Say>;

struct Decision {
  std::vector<Ledger::Entry> entries;
  std::vector<Change> changes;
  std::vector<Effect> effects;
};

Decision Decide(const AgentState& now, const AgentEvent& event);

// What the agent says first in a session.
Hello MakeHello(const AgentState& state);

}  // namespace baton::agent
