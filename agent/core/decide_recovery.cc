#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/core/decide_internal.h"
#include "agent/core/reconcile.h"

namespace baton::agent {
namespace {

constexpr absl::Duration kFenceRetry = absl::Seconds(1);

// Everything is looked at and told from now on.
void BecomeSettled(const AgentState& now, Decision& out) {
  out.changes.push_back(StageReached{Stage::kSettled});
  OpenSession(now, out);
  out.effects.push_back(SetTimer{{TimerKind::kReport, ""}, absl::ZeroDuration()});
}

void StartLooking(const AgentState& now, Decision& out) {
  out.changes.push_back(StageReached{Stage::kLooking});
  bool any = false;
  for (const auto& [id, record] : now.commands) {
    if (record.phase != CommandPhase::kUnsettled) continue;
    any = true;
    out.effects.push_back(LookAt{record.command});
  }
  if (!any) BecomeSettled(now, out);
}

void StartReconciling(const AgentState& now, Decision& out) {
  out.changes.push_back(StageReached{Stage::kReconciling});
  for (const auto& [id, resource] : now.resources) out.effects.push_back(ReadFence{id});
  if (now.resources.empty()) StartLooking(now, out);
}

void SettleFence(const AgentState& now, const ResourceId& settled, Decision& out) {
  out.changes.push_back(FenceSettled{settled});
  for (const auto& [id, resource] : now.resources) {
    if (id != settled && !resource.fence_settled) return;
  }
  StartLooking(now, out);
}

void Reconcile(const AgentState& now, const ResourceState& resource, const FenceRead& event,
               Decision& out) {
  FenceFacts facts;
  facts.pool = resource.pool;
  facts.resource = event.resource;
  if (event.file.ok()) facts.file = *event.file;
  facts.ledger = resource.fence;
  facts.ledger_id = now.ledger;
  if (event.boot.ok()) facts.boot = *event.boot;
  out.changes.push_back(FenceKnown{event.resource, facts.boot});
  if (!event.boot.ok()) {
    out.effects.push_back(
        Say{Severity::kError,
            absl::StrCat("boot id of ", event.resource.value(), ": ", event.boot.status().message(),
                         "; nothing of it is started writable")});
  }
  FenceReconciliation result = ReconcileFence(facts);
  if (!result.note.empty()) out.effects.push_back(Say{Severity::kWarning, result.note});
  if (result.write_ledger) {
    out.entries.push_back(Ledger::FenceWritten{event.resource, *result.record});
  }
  if (result.record.has_value() && result.record->fence_epoch > now.EpochOf(resource.pool)) {
    out.entries.push_back(
        Ledger::EpochSeen{resource.pool, result.record->fence_epoch, JournalId()});
  }
  if (result.write_file) {
    out.effects.push_back(WriteFence{*std::move(result.record)});
  } else {
    SettleFence(now, event.resource, out);
  }
}

}  // namespace

void OnStarted(const AgentState& now, Decision& out) {
  if (now.children.empty()) return StartReconciling(now, out);
  out.effects.push_back(EndChildren{now.children});
}

void OnChildrenEnded(const AgentState& now, const ChildrenEnded& event, Decision& out) {
  if (now.stage != Stage::kEndingChildren) return;
  for (const ChildProcess& child : event.lingering) {
    out.effects.push_back(Say{
        Severity::kError,
        absl::StrCat("process ", child.pid, " of command ", child.command.value(),
                     " does not end, not even by SIGKILL; it may hang on a file system that does "
                     "not answer. Going on without it")});
  }
  StartReconciling(now, out);
}

void OnFenceRead(const AgentState& now, absl::Duration at, const FenceRead& event, Decision& out) {
  const ResourceState* resource = now.Resource(event.resource);
  if (resource == nullptr) return;
  if (now.stage == Stage::kReconciling && !resource->fence_settled) {
    return Reconcile(now, *resource, event, out);
  }
  if (resource->confirming.has_value()) return OnConfirmRead(now, *resource, event, out);
  if (resource->revoking.has_value()) OnRevokeRead(now, at, *resource, event, out);
}

void OnFenceFileWritten(const AgentState& now, absl::Duration at, const FenceFileWritten& event,
                        Decision& out) {
  const ResourceState* resource = now.Resource(event.resource);
  if (resource == nullptr) return;
  if (now.stage == Stage::kReconciling && !resource->fence_settled) {
    if (event.status.ok()) return SettleFence(now, event.resource, out);
    out.effects.push_back(
        Say{Severity::kError,
            absl::StrCat("fence file of ", event.resource.value(), ": ", event.status.message())});
    out.effects.push_back(SetTimer{{TimerKind::kFenceRetry, event.resource.value()}, kFenceRetry});
    return;
  }
  if (!resource->confirming.has_value()) {
    if (resource->revoking.has_value()) OnRevokeWritten(now, at, *resource, event, out);
    return;
  }
  Outcome outcome = event.status.ok()
                        ? OkOutcome()
                        : FailedOutcome("FENCE_NOT_WRITTEN", std::string(event.status.message()));
  EndConfirm(now, event.resource, std::move(outcome), out);
}

void AfterSettled(const AgentState& now, const CommandId& command, Decision& out) {
  if (now.stage != Stage::kLooking) return;
  for (const auto& [id, record] : now.commands) {
    if (id != command && record.phase != CommandPhase::kFinished) return;
  }
  BecomeSettled(now, out);
}

}  // namespace baton::agent
