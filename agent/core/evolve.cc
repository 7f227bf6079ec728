#include <algorithm>
#include <utility>

#include "agent/core/reconcile.h"
#include "agent/core/state.h"

namespace baton::agent {
namespace {

ResourceState* ResourceOf(AgentState& state, const ResourceId& id) {
  const auto it = state.resources.find(id);
  return it == state.resources.end() ? nullptr : &it->second;
}

CommandRecord* CommandOf(AgentState& state, const CommandId& id) {
  const auto it = state.commands.find(id);
  return it == state.commands.end() ? nullptr : &it->second;
}

void RaiseEpoch(AgentState& state, const PoolId& pool, const Epoch& epoch,
                const JournalId& journal) {
  Epoch& seen = state.epochs[pool];
  if (!journal.empty() && (state.JournalOf(pool).empty() || epoch.generation > seen.generation)) {
    state.journals[pool] = journal;
  }
  seen = std::max(seen, epoch);
}

void Forget(AgentState& state, const CommandId& id) { state.commands.erase(id); }

// The durable facts.

void Apply(AgentState& state, const Ledger::CommandAccepted& fact, absl::Duration) {
  CommandRecord record;
  record.command = fact.command;
  state.commands[fact.command.id] = std::move(record);
  if (ResourceState* resource = ResourceOf(state, fact.command.resource)) {
    resource->running = fact.command.id;
  }
}

void Apply(AgentState& state, const Ledger::CommandFinished& fact, absl::Duration now) {
  CommandRecord* record = CommandOf(state, fact.command);
  if (record == nullptr || record->phase == CommandPhase::kFinished) return;
  record->phase = CommandPhase::kFinished;
  record->outcome = fact.outcome;
  record->command.action = Action{};
  record->ended = now;
  if (ResourceState* resource = ResourceOf(state, record->command.resource)) {
    if (resource->running == fact.command) resource->running = CommandId();
  }
  state.finished_order.push_back(fact.command);
  while (state.finished_order.size() > kFinishedCommandsMax) {
    Forget(state, state.finished_order.front());
    state.finished_order.pop_front();
  }
}

void Apply(AgentState& state, const Ledger::EpochSeen& fact, absl::Duration) {
  RaiseEpoch(state, fact.pool, fact.epoch, fact.journal);
}

void Apply(AgentState& state, const Ledger::FenceWritten& fact, absl::Duration) {
  if (ResourceState* resource = ResourceOf(state, fact.resource)) resource->fence = fact.record;
}

void Apply(AgentState& state, const Ledger::SessionOpened& fact, absl::Duration) {
  state.session_counter = fact.counter;
  state.stream = fact.counter;
  state.link = LinkPhase::kOpening;
  state.journal = JournalId();
  state.refused.clear();
  state.refused_order.clear();
}

// The volatile ones.

void Apply(AgentState& state, const StageReached& change) { state.stage = change.stage; }

void Apply(AgentState& state, const FenceKnown& change) {
  ResourceState* resource = ResourceOf(state, change.resource);
  if (resource != nullptr && !change.boot.empty()) resource->boot = change.boot;
}

void Apply(AgentState& state, const FenceSettled& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->fence_settled = true;
}

void Apply(AgentState& state, const FenceNoted& change) {
  ResourceState* r = ResourceOf(state, change.resource);
  if (r == nullptr) return;
  r->fence = change.record;
  if (r->revoking.has_value()) {
    r->revoking->noted = NewerRight(r->revoking->noted, change.record.write);
  }
}

void Apply(AgentState& state, const StreamWelcomed& change) {
  state.link = LinkPhase::kWelcomed;
  state.journal = change.journal;
  state.report_interval = change.report_interval;
  state.last_link_problem.clear();
}

void Apply(AgentState& state, const StreamEnded&) {
  state.link = LinkPhase::kDown;
  state.stream = 0;
  state.journal = JournalId();
  for (auto& [id, resource] : state.resources) resource.awaited = false;
}

void Apply(AgentState& state, const LinkProblemTold& change) {
  state.last_link_problem = change.problem;
}

void Apply(AgentState& state, const CommandRefused& change) {
  CommandRecord record;
  record.command.id = change.command;
  record.phase = CommandPhase::kRefused;
  record.outcome = change.outcome;
  if (state.refused.insert_or_assign(change.command, std::move(record)).second) {
    state.refused_order.push_back(change.command);
  }
  while (state.refused_order.size() > kRefusedCommandsMax) {
    state.refused.erase(state.refused_order.front());
    state.refused_order.pop_front();
  }
}

void Apply(AgentState& state, const CancelAsked& change) {
  CommandRecord* record = CommandOf(state, change.command);
  if (record != nullptr && record->cancel_reason.empty()) record->cancel_reason = change.reason;
}

void Apply(AgentState& state, const OutcomeHeld& change) {
  CommandRecord* record = CommandOf(state, change.command);
  if (record == nullptr || record->phase == CommandPhase::kFinished) return;
  record->phase = CommandPhase::kEnding;
  record->outcome = change.outcome;
}

void Apply(AgentState& state, const FinishedUntold& change) {
  state.untold.push_back(change.command);
  while (state.untold.size() > kUntoldMax) state.untold.pop_front();
}

void Apply(AgentState& state, const FinishedTold&) { state.untold.clear(); }

void Apply(AgentState& state, const ProgressTold& change) {
  if (CommandRecord* record = CommandOf(state, change.command)) record->progress_told = change.at;
}

void Apply(AgentState& state, const ConfirmBegan& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->confirming = change.confirming;
}

void Apply(AgentState& state, const ConfirmEnded& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->confirming.reset();
}

void Apply(AgentState& state, const RevokeBegan& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->revoking = change.revoking;
}

void Apply(AgentState& state, const RevokeEnded& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->revoking.reset();
}

void Apply(AgentState& state, const EnforceBegan& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->enforcing = true;
}

void Apply(AgentState& state, const EnforceEnded& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) {
    r->enforcing = false;
    r->enforce_problem = change.problem;
  }
}

void Apply(AgentState& state, const CommandDeferred& change) {
  ResourceState* r = ResourceOf(state, change.deferred.command.resource);
  if (r != nullptr) r->deferred = change.deferred;
}

void Apply(AgentState& state, const DeferredTaken& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->deferred.reset();
}

void Apply(AgentState& state, const ProbeBegan& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) {
    r->probing = true;
    r->probe_again = false;
    r->probe_began = change.at;
  }
}

void Apply(AgentState& state, const ProbeWanted& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->probe_again = true;
}

void Apply(AgentState& state, const ProbeEnded& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) {
    r->probing = false;
    if (!r->probe_again) r->awaited = false;
  }
}

void Apply(AgentState& state, const ObservationMade& change) {
  if (ResourceState* r = ResourceOf(state, change.observation->resource)) {
    r->seen = change.observation;
    r->seen_at = change.at;
  }
}

void Apply(AgentState& state, const ObservationTold& change) {
  if (ResourceState* r = ResourceOf(state, change.resource)) r->reported = r->seen;
}

void Apply(AgentState& state, const FullReportWanted& change) {
  state.full_report_due = true;
  for (auto& [id, resource] : state.resources) {
    resource.awaited = resource.awaited || change.look_first || !resource.seen.has_value();
  }
}

void Apply(AgentState& state, const FullReportTold&) { state.full_report_due = false; }

void Apply(AgentState& state, const DryRunBegan&) { ++state.dry_runs; }

void Apply(AgentState& state, const DryRunEnded&) {
  if (state.dry_runs > 0) --state.dry_runs;
}

void Apply(AgentState& state, const FinishedPruned& change) {
  while (!state.finished_order.empty()) {
    const CommandRecord* record = CommandOf(state, state.finished_order.front());
    if (record != nullptr && change.now - record->ended < kFinishedKept) return;
    Forget(state, state.finished_order.front());
    state.finished_order.pop_front();
  }
}

}  // namespace

void Evolve(AgentState& state, const Ledger::Entry& entry, absl::Duration now) {
  std::visit([&](const auto& fact) { Apply(state, fact, now); }, entry);
}

void Evolve(AgentState& state, const Change& change) {
  std::visit([&](const auto& one) { Apply(state, one); }, change);
}

}  // namespace baton::agent
