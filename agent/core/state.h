// Everything that the agent's core knows, and the changes that it consists of. Copied by nobody,
// changed by Evolve alone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "agent/core/command_table.h"
#include "agent/core/ports.h"
#include "agent/core/session.h"
#include "common/base/shared_value.h"

namespace baton::agent {

inline constexpr size_t kFinishedCommandsMax = 2000;
inline constexpr size_t kRefusedCommandsMax = 1000;
inline constexpr size_t kUntoldMax = 1000;
inline constexpr size_t kDryRunsMax = 256;
inline constexpr size_t kIdBytesMax = 256;
inline constexpr size_t kOutcomeTextBytesMax = 4 * 1024;
inline constexpr absl::Duration kFinishedKept = absl::Hours(24);

enum class Stage {
  kEndingChildren,  // of the agent before this one
  kReconciling,     // fence files and ledger
  kLooking,         // what Accepted without Finished left behind
  kSettled,         // may speak to the coordinator
};

enum class LinkPhase { kDown, kOpening, kWelcomed };

struct CommandRecord {
  Command command;  // kFinished and kRefused: without its action
  CommandPhase phase = CommandPhase::kRunning;
  std::optional<Outcome> outcome;  // kEnding, kFinished, kRefused
  std::string cancel_reason;       // why the runner was asked to stop; empty: it was not
  absl::Duration ended;            // since boot; kFinished only
  absl::Duration progress_told = -absl::InfiniteDuration();
};

// A Confirm being carried out: the fence file is read anew, then written.
struct Confirming {
  uint64_t stream = 0;
  Confirm confirm;
};

// A Revoke being carried out likewise; while `confirming` is there too, it waits for that to end.
struct Revoking {
  uint64_t stream = 0;
  JournalId journal;  // of the session that it came in
  Revoke revoke;
  std::optional<Lineage> known;  // the newest right that the record being written is made from
  // The newest right that a runner entered meanwhile: the file must not forget it.
  std::optional<Lineage> noted;
};

struct Deferred {
  uint64_t stream = 0;
  Command command;
};

struct ResourceState {
  PoolId pool;
  BootId boot;
  std::optional<FenceRecord> fence;  // as in the ledger
  bool fence_settled = false;        // file and ledger were reconciled
  CommandId running;                 // Accepted, not Finished; empty: none
  std::optional<Confirming> confirming;
  std::optional<Revoking> revoking;
  bool enforcing = false;            // what runs against its fence is being stopped
  std::string enforce_problem;       // logged already
  std::optional<Deferred> deferred;  // came while AwaitsFence

  bool probing = false;
  bool probe_again = false;  // something happened that the running probe may not have seen
  absl::Duration probe_began;
  bool awaited = false;  // the next full report waits for a probe that began after it was asked
  SharedValue<Observation> seen;
  absl::Duration seen_at;  // since boot: when the look began
  SharedValue<Observation> reported;

  // The fence file is being written, or made good on: commands have to wait.
  bool AwaitsFence() const { return confirming.has_value() || revoking.has_value() || enforcing; }
};

struct AgentState {
  HostId host;
  std::string version;
  LedgerId ledger;
  uint64_t session_counter = 0;
  Stage stage = Stage::kEndingChildren;

  LinkPhase link = LinkPhase::kDown;
  uint64_t stream = 0;  // the session counter of the present stream; what other streams say is void
  JournalId journal;    // of the present session
  absl::Duration report_interval = absl::Seconds(1);
  bool full_report_due = false;
  std::string last_link_problem;  // logged already
  size_t dry_runs = 0;            // under way

  std::map<PoolId, Epoch> epochs;
  std::map<PoolId, JournalId> journals;
  std::map<ResourceId, ResourceState> resources;
  std::map<CommandId, CommandRecord> commands;  // in the ledger
  std::map<CommandId, CommandRecord> refused;   // in this session
  std::deque<CommandId> finished_order;         // oldest first
  std::deque<CommandId> refused_order;
  std::deque<CommandId> untold;  // finished while no session was open
  std::vector<ChildProcess> children;

  const CommandRecord* Find(const CommandId& id) const;
  CommandPhase PhaseOf(const CommandId& id) const;
  const ResourceState* Resource(const ResourceId& id) const;
  // The resource that `command` waits for; null: none.
  const ResourceState* DeferredFor(const CommandId& command) const;
  Epoch EpochOf(const PoolId& pool) const;
  JournalId JournalOf(const PoolId& pool) const;
  // Of the first resource: all resources of a host are in one boot.
  BootId Boot() const;
};

struct ResourceName {
  ResourceId resource;
  PoolId pool;
};
// The state before Started. Unfinished commands are kUnsettled. `now` is time since boot.
AgentState MakeState(HostId host, std::string version, const std::vector<ResourceName>& resources,
                     const Ledger::Contents& ledger, absl::Duration now);

// --- volatile changes; the durable ones are Ledger::Entry ---

struct StageReached {
  Stage stage;
};
struct FenceKnown {  // the file was read; `boot` is set when known
  ResourceId resource;
  BootId boot;
};
struct FenceSettled {
  ResourceId resource;
};
struct FenceNoted {  // a runner entered it in the ledger
  ResourceId resource;
  FenceRecord record;
};
struct StreamWelcomed {
  JournalId journal;
  absl::Duration report_interval;
};
struct StreamEnded {};
struct LinkProblemTold {
  std::string problem;
};
struct CommandRefused {
  CommandId command;
  Outcome outcome;
};
struct CancelAsked {
  CommandId command;
  std::string reason;
};
struct OutcomeHeld {
  CommandId command;
  Outcome outcome;
};
struct FinishedUntold {
  CommandId command;
};
struct FinishedTold {};  // all of them
struct ProgressTold {
  CommandId command;
  absl::Duration at;
};
struct ConfirmBegan {
  ResourceId resource;
  Confirming confirming;
};
struct ConfirmEnded {
  ResourceId resource;
};
struct RevokeBegan {  // or goes on
  ResourceId resource;
  Revoking revoking;
};
struct RevokeEnded {
  ResourceId resource;
};
struct EnforceBegan {
  ResourceId resource;
};
struct EnforceEnded {
  ResourceId resource;
  std::string problem;  // empty: it has stopped
};
struct CommandDeferred {
  Deferred deferred;
};
struct DeferredTaken {
  ResourceId resource;
};
struct ProbeBegan {
  ResourceId resource;
  absl::Duration at;
};
struct ProbeWanted {  // again, once the running one has ended
  ResourceId resource;
};
struct ProbeEnded {
  ResourceId resource;
};
struct ObservationMade {
  SharedValue<Observation> observation;
  absl::Duration at;
};
struct ObservationTold {
  ResourceId resource;
};
struct FullReportWanted {
  bool look_first;  // every resource is looked at anew before it is sent
};
struct FullReportTold {};
struct DryRunBegan {};
struct DryRunEnded {};
struct FinishedPruned {
  absl::Duration now;
};

using Change =
    std::variant<StageReached, FenceKnown, FenceSettled, FenceNoted, StreamWelcomed, StreamEnded,
                 LinkProblemTold, CommandRefused, CancelAsked, OutcomeHeld, FinishedUntold,
                 FinishedTold, ProgressTold, ConfirmBegan, ConfirmEnded, RevokeBegan, RevokeEnded,
                 EnforceBegan, EnforceEnded, CommandDeferred, DeferredTaken, ProbeBegan,
                 ProbeWanted, ProbeEnded, ObservationMade, ObservationTold, FullReportWanted,
                 FullReportTold, DryRunBegan, DryRunEnded, FinishedPruned>;

// Pure: the only ways that state changes. `now` is time since boot.
void Evolve(AgentState& state, const Ledger::Entry& entry, absl::Duration now);
void Evolve(AgentState& state, const Change& change);

}  // namespace baton::agent
