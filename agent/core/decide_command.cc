#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/core/command_table.h"
#include "agent/core/decide_internal.h"

namespace baton::agent {
namespace {

constexpr absl::Duration kFinishRetry = absl::Seconds(1);
constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);
constexpr std::string_view kDeadlineExceeded = "DEADLINE_EXCEEDED";
constexpr std::string_view kCancelled = "CANCELLED";

TimerKey Deadline(const CommandId& id) { return {TimerKind::kDeadline, id.value()}; }

// What is kept and replayed: an observation is true only of the moment it was made in.
Outcome ForLedger(Outcome outcome) {
  outcome.observation.reset();
  if (outcome.message.size() > kOutcomeTextBytesMax) outcome.message.resize(kOutcomeTextBytesMax);
  return outcome;
}

void Refuse(const CommandId& id, Outcome outcome, Decision& out) {
  outcome = ForLedger(std::move(outcome));
  if (!id.empty() && id.value().size() <= kIdBytesMax) {
    out.changes.push_back(CommandRefused{id, outcome});
  }
  out.effects.push_back(Say{
      Severity::kWarning,
      absl::StrCat("command ", id.value(), " refused: ", outcome.reason, ": ", outcome.message)});
  out.effects.push_back(Send{Finished{id, std::move(outcome)}});
}

Outcome JudgeEpoch(const AgentState& now, const Command& command) {
  Outcome journal = JudgeJournal(now, command.pool, command.epoch);
  if (!journal.ok()) return journal;
  const Epoch seen = now.EpochOf(command.pool);
  if (command.epoch < seen) {
    return RefusedOutcome(
        "EPOCH_TOO_LOW",
        absl::StrCat("command has epoch ", command.epoch.ToString(), " of ", command.pool.value(),
                     ", ", now.host.value(), " has seen ", seen.ToString()));
  }
  return OkOutcome();
}

Outcome Judge(const AgentState& now, const Command& command) {
  if (command.id.empty() || command.id.value().size() > kIdBytesMax ||
      command.timeout <= absl::ZeroDuration()) {
    return RefusedOutcome(
        "INVALID_COMMAND",
        absl::StrCat("found an id of ", command.id.value().size(), " bytes and a timeout of ",
                     absl::FormatDuration(command.timeout), ", wanted 1 to ", kIdBytesMax,
                     " bytes and a time above zero"));
  }
  const ResourceState* resource = now.Resource(command.resource);
  if (resource == nullptr) {
    return RefusedOutcome("RESOURCE_UNKNOWN",
                          absl::StrCat("found no resource ", command.resource.value(), " on ",
                                       now.host.value(), "; its resource file is missing there"));
  }
  if (resource->pool != command.pool) {
    return RefusedOutcome(
        "POOL_UNKNOWN", absl::StrCat("resource ", command.resource.value(), " on ",
                                     now.host.value(), " belongs to pool ", resource->pool.value(),
                                     ", not to ", command.pool.value()));
  }
  Outcome epoch = JudgeEpoch(now, command);
  if (!epoch.ok()) return epoch;
  const CommandId& other = !resource->running.empty()       ? resource->running
                           : resource->deferred.has_value() ? resource->deferred->command.id
                                                            : CommandId();
  if (!other.empty()) {
    return RefusedOutcome("BUSY", absl::StrCat("command ", other.value(), " runs for ",
                                               command.resource.value(), " on ", now.host.value()));
  }
  return OkOutcome();
}

void Admit(const AgentState& now, const Command& command, Decision& out) {
  if (now.DeferredFor(command.id) != nullptr) return;
  Outcome judged = Judge(now, command);
  if (!judged.ok()) return Refuse(command.id, std::move(judged), out);
  const ResourceState* resource = now.Resource(command.resource);
  if (resource->AwaitsFence()) {
    out.changes.push_back(CommandDeferred{{now.stream, command}});
    return;
  }
  const JournalId pinned = now.JournalOf(command.pool);
  if (command.epoch > now.EpochOf(command.pool) || pinned != now.journal) {
    out.entries.push_back(Ledger::EpochSeen{command.pool, command.epoch, now.journal});
  }
  out.entries.emplace_back(Ledger::CommandAccepted{command, now.journal});
  out.effects.reserve(3);
  out.effects.push_back(Send{Accepted{command.id}});
  out.effects.push_back(SetTimer{Deadline(command.id), command.timeout});
  out.effects.emplace_back(StartAction{command});
}

void Finish(const AgentState& now, const CommandId& id, Outcome outcome, Decision& out) {
  out.entries.push_back(Ledger::CommandFinished{id, ForLedger(outcome)});
  out.effects.reserve(3);
  out.effects.push_back(StopTimer{Deadline(id)});
  if (now.link == LinkPhase::kWelcomed) {
    out.effects.push_back(Send{Finished{id, std::move(outcome)}});
  } else {
    out.changes.push_back(FinishedUntold{id});
  }
  AfterSettled(now, id, out);
}

// The answers that only tell. False: `reaction` asks for more.
bool Tell(const AgentState& now, const CommandId& id, Reaction reaction, Decision& out) {
  const CommandRecord* record = now.Find(id);
  switch (reaction) {
    case Reaction::kIgnore:
      return true;
    case Reaction::kReplayOutcome:
      out.effects.push_back(Send{Finished{id, *record->outcome}});
      return true;
    case Reaction::kSayNotAccepted:
      out.effects.push_back(Send{CommandAnswer{id, AnswerState::kNotAccepted, {}}});
      return true;
    case Reaction::kSayRunning:
      out.effects.push_back(Send{CommandAnswer{id, AnswerState::kRunning, {}}});
      return true;
    case Reaction::kSayFinished:
      out.effects.push_back(Send{CommandAnswer{id, AnswerState::kFinished, *record->outcome}});
      return true;
    case Reaction::kAdmit:
    case Reaction::kCancelAction:
    case Reaction::kFinish:
      return false;
  }
  return true;
}

// How an outcome reads once its runner was asked to stop: what was done, what was not, and why.
void TellOfStop(const CommandRecord& record, Outcome& outcome) {
  if (record.cancel_reason.empty()) return;
  if (outcome.ok()) {
    outcome.message =
        absl::StrCat("was done in full before it could be stopped",
                     outcome.message.empty() ? "" : absl::StrCat(": ", outcome.message));
    return;
  }
  if (outcome.code != OutcomeCode::kCancelled) return;
  outcome.reason = record.cancel_reason;
  if (outcome.message.empty()) outcome.message = "stopped; how far it had come is not known";
  if (record.cancel_reason == kDeadlineExceeded) {
    outcome.message = absl::StrCat("its ", absl::FormatDuration(record.command.timeout),
                                   " were over; ", outcome.message);
  } else if (record.cancel_reason == kRevoked) {
    outcome.message = absl::StrCat("the right to write was taken meanwhile; ", outcome.message);
  }
}

}  // namespace

void Stop(const AgentState& now, const CommandId& id, std::string_view reason, Decision& out) {
  const CommandRecord* record = now.Find(id);
  out.changes.push_back(CancelAsked{id, std::string(reason)});
  out.effects.push_back(CancelAction{record->command.resource, id});
}

void DeliverDeferred(const ResourceState& resource, const ResourceId& id, Decision& out) {
  if (!resource.deferred.has_value()) return;
  out.changes.push_back(DeferredTaken{id});
  out.effects.push_back(
      Deliver{MessageCame{resource.deferred->stream, resource.deferred->command}});
}

Outcome JudgeJournal(const AgentState& now, const PoolId& pool, const Epoch& epoch) {
  const JournalId pinned = now.JournalOf(pool);
  if (pinned.empty() || pinned == now.journal) return OkOutcome();
  if (epoch.generation > now.EpochOf(pool).generation) return OkOutcome();
  return RefusedOutcome(
      "JOURNAL_UNKNOWN",
      absl::StrCat("pool ", pool.value(), " on ", now.host.value(), " belongs to journal ",
                   pinned.value(), ", the coordinator speaks for journal ", now.journal.value(),
                   "; adopt the pool to move it there"));
}

void OnCommand(const AgentState& now, const Command& command, Decision& out) {
  const Reaction reaction = React(now.PhaseOf(command.id), CommandEvent::kArrives);
  if (!Tell(now, command.id, reaction, out)) Admit(now, command, out);
}

void OnQuery(const AgentState& now, const QueryCommand& query, Decision& out) {
  if (now.DeferredFor(query.command) != nullptr) {
    out.effects.push_back(Send{CommandAnswer{query.command, AnswerState::kRunning, {}}});
    return;
  }
  Tell(now, query.command, React(now.PhaseOf(query.command), CommandEvent::kQueried), out);
}

void OnCancel(const AgentState& now, const CancelCommand& cancel, Decision& out) {
  // One that still waits for the fence file is forgotten: the answer says that it never acts.
  if (const ResourceState* resource = now.DeferredFor(cancel.command)) {
    out.changes.push_back(DeferredTaken{resource->deferred->command.resource});
  }
  const Reaction reaction = React(now.PhaseOf(cancel.command), CommandEvent::kCancelled);
  if (!Tell(now, cancel.command, reaction, out)) Stop(now, cancel.command, kCancelled, out);
}

void OnDeadline(const AgentState& now, const CommandId& command, Decision& out) {
  const Reaction reaction = React(now.PhaseOf(command), CommandEvent::kDeadline);
  if (!Tell(now, command, reaction, out)) Stop(now, command, kDeadlineExceeded, out);
}

void OnActionEnded(const AgentState& now, absl::Duration at, const ActionEnded& event,
                   Decision& out) {
  if (React(now.PhaseOf(event.command), CommandEvent::kEnds) != Reaction::kFinish) return;
  const CommandRecord* record = now.Find(event.command);
  const ResourceId resource = record->command.resource;
  Outcome outcome = event.outcome;
  TellOfStop(*record, outcome);
  if (outcome.observation.has_value()) {
    outcome.observation = Settle(now, resource, *outcome.observation);
    out.changes.push_back(ObservationMade{outcome.observation, at});
  }
  Finish(now, event.command, std::move(outcome), out);
  AskForProbe(now, resource, at, out);
}

void OnLooked(const AgentState& now, const Looked& event, Decision& out) {
  if (React(now.PhaseOf(event.command), CommandEvent::kLookedAt) != Reaction::kFinish) return;
  Outcome outcome = event.outcome;
  const std::string found = outcome.message.empty() ? "" : absl::StrCat(": ", outcome.message);
  if (outcome.ok()) {
    outcome.message =
        absl::StrCat("the agent ended while it acted; seen afterwards to hold", found);
  } else {
    outcome.code = OutcomeCode::kUnknown;
    outcome.reason = "AGENT_RESTARTED";
    outcome.message =
        absl::StrCat("the agent ended while it acted; not seen to hold afterwards", found);
  }
  Finish(now, event.command, std::move(outcome), out);
}

void OnProgress(const AgentState& now, absl::Duration at, const ActionProgressed& event,
                Decision& out) {
  const CommandRecord* record = now.Find(event.command);
  if (record == nullptr || record->phase != CommandPhase::kRunning) return;
  if (now.link != LinkPhase::kWelcomed || at - record->progress_told < kProgressInterval) return;
  out.changes.push_back(ProgressTold{event.command, at});
  out.effects.push_back(Send{Progressed{event.command, event.progress}});
}

void OnFinishRetry(const AgentState& now, const CommandId& command, Decision& out) {
  if (React(now.PhaseOf(command), CommandEvent::kRetryWrite) != Reaction::kFinish) return;
  Finish(now, command, *now.Find(command)->outcome, out);
}

void OnDryRun(const AgentState& now, const DryRun& dry_run, Decision& out) {
  Outcome refused;
  if (now.Resource(dry_run.resource) == nullptr) {
    refused = RefusedOutcome(
        "RESOURCE_UNKNOWN", absl::StrCat("found no resource ", dry_run.resource.value(), " on ",
                                         now.host.value(), "; its resource file is missing there"));
  } else if (now.dry_runs >= kDryRunsMax) {
    refused = RefusedOutcome(
        "BUSY", absl::StrCat(now.dry_runs, " dry runs are under way on ", now.host.value()));
  } else {
    out.changes.push_back(DryRunBegan{});
    out.effects.push_back(CheckAction{now.stream, dry_run});
    return;
  }
  out.effects.push_back(Send{DryRunResult{dry_run.id, std::move(refused)}});
}

void OnChecked(const AgentState& now, const Checked& event, Decision& out) {
  out.changes.push_back(DryRunEnded{});
  if (event.stream != now.stream || now.link != LinkPhase::kWelcomed) return;
  out.effects.push_back(Send{DryRunResult{event.id, event.outcome}});
}

void OnLedgerFailed(const AgentState& now, absl::Duration at, const LedgerFailed& event,
                    Decision& out) {
  const std::string problem(event.status.message());
  out.effects.push_back(Say{Severity::kError, absl::StrCat("ledger: ", problem)});
  for (const Ledger::Entry& entry : event.entries) {
    if (const auto* accepted = std::get_if<Ledger::CommandAccepted>(&entry)) {
      Refuse(accepted->command.id,
             RefusedOutcome("LEDGER_FAILED", absl::StrCat("ledger of ", now.host.value(),
                                                          " takes no entry: ", problem)),
             out);
    } else if (const auto* finished = std::get_if<Ledger::CommandFinished>(&entry)) {
      out.changes.push_back(OutcomeHeld{finished->command, finished->outcome});
      out.effects.push_back(
          SetTimer{{TimerKind::kFinishRetry, finished->command.value()}, kFinishRetry});
    } else if (std::holds_alternative<Ledger::SessionOpened>(entry)) {
      out.effects.push_back(ReconnectLater{});
    } else if (const auto* fence = std::get_if<Ledger::FenceWritten>(&entry)) {
      const Outcome failed =
          FailedOutcome("LEDGER_FAILED",
                        absl::StrCat("ledger of ", now.host.value(), " takes no entry: ", problem));
      const ResourceState* resource = now.Resource(fence->resource);
      if (resource != nullptr && resource->confirming.has_value()) {
        EndConfirm(now, fence->resource, failed, out);
      } else {
        EndRevoke(now, at, fence->resource, failed, out);
      }
    }
  }
  if (now.stage != Stage::kReconciling) return;
  for (const auto& [id, resource] : now.resources) {
    if (resource.fence_settled) continue;
    out.effects.push_back(SetTimer{{TimerKind::kFenceRetry, id.value()}, kFinishRetry});
  }
}

}  // namespace baton::agent
