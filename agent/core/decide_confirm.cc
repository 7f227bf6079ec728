#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/core/decide_internal.h"
#include "common/base/strings.h"

namespace baton::agent {
namespace {

void Answer(const AgentState& now, uint64_t stream, const Confirm& confirm, Outcome outcome,
            Decision& out) {
  if (!outcome.ok()) {
    out.effects.push_back(
        Say{Severity::kWarning,
            absl::StrCat("right to write of ", confirm.resource.value(),
                         " not confirmed: ", outcome.reason, ": ", outcome.message)});
  }
  if (stream != now.stream || now.link != LinkPhase::kWelcomed) return;
  out.effects.push_back(
      Send{Confirmed{confirm.pool, confirm.resource, confirm.epoch, std::move(outcome)}});
}

Outcome JudgeConfirm(const AgentState& now, const Confirm& confirm) {
  const ResourceState* resource = now.Resource(confirm.resource);
  if (resource == nullptr || resource->pool != confirm.pool) {
    return RefusedOutcome("RESOURCE_UNKNOWN",
                          absl::StrCat("found no resource ", confirm.resource.value(), " of pool ",
                                       confirm.pool.value(), " on ", now.host.value()));
  }
  if (confirm.boot.empty() || resource->boot != confirm.boot) {
    return RefusedOutcome("BOOT_DIFFERS",
                          absl::StrCat("confirmation is for boot ", confirm.boot.value(),
                                       ", this is boot ", resource->boot.value()));
  }
  if (!resource->running.empty()) {
    return RefusedOutcome("BUSY", absl::StrCat("command ", resource->running.value(), " runs for ",
                                               confirm.resource.value()));
  }
  if (resource->confirming.has_value()) {
    return RefusedOutcome("BUSY", absl::StrCat("an earlier confirmation of ",
                                               confirm.resource.value(), " is being written"));
  }
  if (resource->revoking.has_value()) {
    return RefusedOutcome(
        std::string(kRevoked),
        absl::StrCat("the right of ", confirm.resource.value(), " is being taken under epoch ",
                     resource->revoking->revoke.epoch.ToString()));
  }
  return JudgeJournal(now, confirm.pool, confirm.epoch);
}

// Does the file, as it is now, hold the right that is confirmed?
Outcome JudgeFile(const Confirm& confirm, const FenceRead& event) {
  if (!event.file.ok()) {
    return RefusedOutcome("FENCE_UNREADABLE",
                          absl::StrCat("fence file of ", confirm.resource.value(), ": ",
                                       event.file.status().message()));
  }
  if (!event.boot.ok() || *event.boot != confirm.boot) {
    return RefusedOutcome("BOOT_DIFFERS", absl::StrCat("confirmation is for boot ",
                                                       confirm.boot.value(), ", another one runs"));
  }
  const FenceRecord& file = *event.file;
  if (file.phase != FencePhase::kOpen && file.phase != FencePhase::kUnconfirmed) {
    return RefusedOutcome(
        "FENCED", absl::StrCat("fence of ", confirm.resource.value(), " is ",
                               ToAbsl(ToString(file.phase)), ", wanted open or unconfirmed"));
  }
  if (!file.write.has_value() || file.write->epoch != confirm.epoch) {
    return RefusedOutcome(
        "EPOCH_DIFFERS",
        absl::StrCat("write epoch of ", confirm.resource.value(), " is ",
                     file.write.has_value() ? file.write->epoch.ToString() : "none",
                     ", confirmed was ", confirm.epoch.ToString()));
  }
  return OkOutcome();
}

}  // namespace

void OnConfirm(const AgentState& now, const Confirm& confirm, Decision& out) {
  Outcome outcome = JudgeConfirm(now, confirm);
  if (!outcome.ok()) return Answer(now, now.stream, confirm, std::move(outcome), out);
  // The file may have been closed by hand since: it is read anew.
  out.changes.push_back(ConfirmBegan{confirm.resource, {now.stream, confirm}});
  out.effects.push_back(ReadFence{confirm.resource});
}

void OnConfirmRead(const AgentState& now, const ResourceState& resource, const FenceRead& event,
                   Decision& out) {
  const Confirm& confirm = resource.confirming->confirm;
  Outcome outcome = resource.revoking.has_value()
                        ? RefusedOutcome(std::string(kRevoked), "it is being taken instead")
                        : JudgeFile(confirm, event);
  if (!outcome.ok()) return EndConfirm(now, event.resource, std::move(outcome), out);
  FenceRecord record = *event.file;
  record.phase = FencePhase::kOpen;
  record.confirmed_boot = confirm.boot;
  record.ledger = now.ledger;
  if (now.JournalOf(confirm.pool).empty() && !now.journal.empty()) {
    out.entries.push_back(Ledger::EpochSeen{confirm.pool, confirm.epoch, now.journal});
  }
  if (resource.fence != record) {
    out.entries.push_back(Ledger::FenceWritten{event.resource, record});
  }
  if (*event.file == record) return EndConfirm(now, event.resource, OkOutcome(), out);
  out.effects.push_back(WriteFence{std::move(record)});
}

void EndConfirm(const AgentState& now, const ResourceId& id, Outcome outcome, Decision& out) {
  const ResourceState* resource = now.Resource(id);
  if (resource == nullptr || !resource->confirming.has_value()) return;
  const Confirming& confirming = *resource->confirming;
  Answer(now, confirming.stream, confirming.confirm, std::move(outcome), out);
  out.changes.push_back(ConfirmEnded{id});
  if (resource->revoking.has_value()) {
    out.effects.push_back(ReadFence{id});
  } else {
    DeliverDeferred(*resource, id, out);
  }
}

}  // namespace baton::agent
