// What agent and coordinator say to each other in a session, as plain values, and the stream that
// carries it (protocol.md "Session"; the wire form is proto/baton/v1/agent_session.proto).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "agent/core/ports.h"
#include "common/protocol/action.h"
#include "common/protocol/ids.h"
#include "common/protocol/observation.h"

namespace baton::agent {

// --- from the agent ---

struct ResourceFence {
  PoolId pool;
  ResourceId resource;
  FenceSummary fence;
};
struct Hello {
  HostId host;
  BootId boot;
  std::string version;
  LedgerId ledger;
  uint64_t session_counter = 0;
  std::vector<ResourceFence> fences;
  std::vector<CommandId> unfinished;  // Accepted in the ledger, not Finished
};
struct Report {
  bool full = false;
  std::vector<Observation> observations;    // `age` as of the moment it is sent
  absl::Time clock = absl::InfinitePast();  // the host's own, at that moment
};
struct Heartbeat {
  absl::Duration age;                       // of the oldest among the resources' last observations
  absl::Time clock = absl::InfinitePast();  // the host's own, at the moment it is sent
};
struct Accepted {
  CommandId command;
};
struct Progressed {
  CommandId command;
  Progress progress;
};
struct Finished {
  CommandId command;
  Outcome outcome;
};
enum class AnswerState { kNotAccepted, kRunning, kFinished };
struct CommandAnswer {
  CommandId command;
  AnswerState state = AnswerState::kNotAccepted;
  Outcome outcome;  // kFinished only
};
struct DryRunResult {
  std::string id;
  Outcome outcome;
};
struct Confirmed {
  PoolId pool;
  ResourceId resource;
  Epoch epoch;
  Outcome outcome;
};
struct Revoked {
  PoolId pool;
  ResourceId resource;
  Epoch epoch;
  Outcome outcome;
};
using ToCoordinator = std::variant<Report, Heartbeat, Accepted, Progressed, Finished, CommandAnswer,
                                   DryRunResult, Confirmed, Revoked>;

// --- from the coordinator ---

struct Welcome {
  SessionId session;
  JournalId journal;
  absl::Duration report_interval;
};
struct QueryCommand {
  CommandId command;
};
struct DryRun {
  std::string id;
  ResourceId resource;
  Action action;
};
struct Confirm {
  PoolId pool;
  ResourceId resource;
  Epoch epoch;  // the write epoch
  BootId boot;
};
// Its right to write was taken while it could not be reached.
struct Revoke {
  PoolId pool;
  ResourceId resource;
  Epoch epoch;  // to be fenced under
};
struct ReportNow {};
struct CancelCommand {
  CommandId command;
};
using FromCoordinator =
    std::variant<Welcome, Command, QueryCommand, DryRun, Confirm, Revoke, ReportNow, CancelCommand>;

// One stream to the coordinator at a time. Called on the loop; calls back from any thread.
class CoordinatorLink {
 public:
  struct Events {
    std::function<void(FromCoordinator)> message;
    // Exactly once, last. OK: the peer ended it in order.
    std::function<void(absl::Status)> closed;
  };
  virtual ~CoordinatorLink() = default;
  // Closes the stream before it, then opens a new one and says Hello. What the older stream still
  // had under way may yet be called back: the core tells them apart.
  virtual void Open(const Hello& hello, Events events) = 0;
  // Best effort. A peer that does not read closes the stream with RESOURCE_EXHAUSTED.
  virtual void Send(const ToCoordinator& message) = 0;
  virtual void Close() = 0;
};

}  // namespace baton::agent
