#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/core/decide_internal.h"
#include "agent/core/reconcile.h"
#include "common/base/strings.h"

namespace baton::agent {
namespace {

void Answer(const AgentState& now, uint64_t stream, const Revoke& revoke, Outcome outcome,
            Decision& out) {
  if (!outcome.ok()) {
    out.effects.push_back(Say{Severity::kWarning,
                              absl::StrCat("right to write of ", revoke.resource.value(),
                                           " not taken: ", outcome.reason, ": ", outcome.message)});
  }
  if (stream != now.stream || now.link != LinkPhase::kWelcomed) return;
  out.effects.push_back(
      Send{Revoked{revoke.pool, revoke.resource, revoke.epoch, std::move(outcome)}});
}

Outcome Stale(const Revoke& revoke, const std::string& found) {
  return RefusedOutcome("STALE_EPOCH", absl::StrCat("the right of ", revoke.resource.value(),
                                                    " would be taken under epoch ",
                                                    revoke.epoch.ToString(), ", but ", found));
}

std::string Describe(const FenceRecord& fence) {
  return absl::StrCat("its fence is ", ToAbsl(ToString(fence.phase)), " under ",
                      fence.fence_epoch.ToString(), ", its right of ",
                      fence.write.has_value() ? fence.write->epoch.ToString() : "none");
}

// A command of a lower epoch keeps nobody from fencing; one of the same epoch does what is asked
// for, or more.
Outcome JudgeRunning(const AgentState& now, const ResourceState& resource, const Revoke& revoke) {
  const CommandRecord* running = now.Find(resource.running);
  if (running == nullptr || running->command.epoch < revoke.epoch) return OkOutcome();
  const std::string found = absl::StrCat("command ", resource.running.value(), " of epoch ",
                                         running->command.epoch.ToString(), " runs for it");
  if (running->command.epoch > revoke.epoch) return Stale(revoke, found);
  return RefusedOutcome("BUSY", found);
}

Outcome JudgeRevoke(const AgentState& now, const Revoke& revoke) {
  const ResourceState* resource = now.Resource(revoke.resource);
  if (resource == nullptr || resource->pool != revoke.pool) {
    return RefusedOutcome("RESOURCE_UNKNOWN",
                          absl::StrCat("found no resource ", revoke.resource.value(), " of pool ",
                                       revoke.pool.value(), " on ", now.host.value()));
  }
  if (revoke.epoch.none()) {
    return RefusedOutcome("INVALID_EPOCH", "found no epoch to fence under, wanted one");
  }
  Outcome judged = JudgeJournal(now, revoke.pool, revoke.epoch);
  if (!judged.ok()) return judged;
  if (resource->fence.has_value() && OutdatesRevoke(*resource->fence, revoke.epoch)) {
    return Stale(revoke, Describe(*resource->fence));
  }
  if (resource->revoking.has_value() && resource->revoking->revoke.epoch != revoke.epoch) {
    return RefusedOutcome("BUSY", absl::StrCat("it is being taken under epoch ",
                                               resource->revoking->revoke.epoch.ToString()));
  }
  return JudgeRunning(now, *resource, revoke);
}

// What the file says, or would say if it were there; with the newest right that anyone entered. An
// error: nobody can tell.
absl::StatusOr<FenceRecord> Holds(const AgentState& now, const ResourceState& resource,
                                  const FenceRead& event) {
  const absl::Status& problem = event.file.status();
  if (!problem.ok() && !absl::IsNotFound(problem) && !absl::IsDataLoss(problem)) return problem;
  std::optional<FenceRecord> file;
  if (event.file.ok()) file = *event.file;
  FenceRecord holds = file.value_or(WithoutFile(file, resource.fence).value_or(FenceRecord()));
  if (resource.fence.has_value()) {
    holds.write = NewerRight(holds.write, resource.fence->write);
  }
  holds.write = NewerRight(holds.write, resource.revoking->noted);
  holds.pool = resource.pool;
  holds.resource = event.resource;
  holds.ledger = now.ledger;
  return holds;
}

}  // namespace

void OnRevoke(const AgentState& now, const Revoke& revoke, Decision& out) {
  Outcome outcome = JudgeRevoke(now, revoke);
  if (!outcome.ok()) return Answer(now, now.stream, revoke, std::move(outcome), out);
  const ResourceState& resource = *now.Resource(revoke.resource);
  if (resource.revoking.has_value()) {
    // Asked again meanwhile, perhaps in another session, which is the one to hear of it.
    Revoking again = *resource.revoking;
    again.stream = now.stream;
    out.changes.push_back(RevokeBegan{revoke.resource, std::move(again)});
    return;
  }
  const CommandRecord* running = now.Find(resource.running);
  if (running != nullptr && running->phase == CommandPhase::kRunning) {
    Stop(now, resource.running, kRevoked, out);
  }
  out.changes.push_back(RevokeBegan{revoke.resource, {now.stream, now.journal, revoke, {}, {}}});
  if (!resource.confirming.has_value()) out.effects.push_back(ReadFence{revoke.resource});
}

void OnRevokeRead(const AgentState& now, absl::Duration at, const ResourceState& resource,
                  const FenceRead& event, Decision& out) {
  Revoking revoking = *resource.revoking;
  const Epoch epoch = revoking.revoke.epoch;
  const absl::StatusOr<FenceRecord> holds = Holds(now, resource, event);
  if (!holds.ok()) {
    return EndRevoke(
        now, at, event.resource,
        FailedOutcome("FENCE_UNREADABLE", absl::StrCat("fence file of ", event.resource.value(),
                                                       ": ", holds.status().message())),
        out);
  }
  if (OutdatesRevoke(*holds, epoch)) {
    return EndRevoke(now, at, event.resource, Stale(revoking.revoke, Describe(*holds)), out);
  }
  FenceRecord record = TakeRight(*holds, epoch);
  const PoolId& pool = revoking.revoke.pool;
  const bool news = epoch > now.EpochOf(pool) || now.JournalOf(pool) != revoking.journal;
  if (news) out.entries.push_back(Ledger::EpochSeen{pool, epoch, revoking.journal});
  if (news || resource.fence != record) {
    out.entries.push_back(Ledger::FenceWritten{event.resource, record});
  }
  revoking.known = holds->write;
  out.changes.push_back(RevokeBegan{event.resource, std::move(revoking)});
  out.effects.push_back(WriteFence{std::move(record)});
}

void OnRevokeWritten(const AgentState& now, absl::Duration at, const ResourceState& resource,
                     const FenceFileWritten& event, Decision& out) {
  const Revoking& revoking = *resource.revoking;
  if (!event.status.ok()) {
    return EndRevoke(now, at, event.resource,
                     FailedOutcome("FENCE_NOT_WRITTEN", std::string(event.status.message())), out);
  }
  // The command that was cancelled had given a right between our look at the file and our write.
  if (NewerRight(revoking.known, revoking.noted) != revoking.known) {
    out.effects.push_back(ReadFence{event.resource});
    return;
  }
  EndRevoke(now, at, event.resource, OkOutcome(), out);
}

void EndRevoke(const AgentState& now, absl::Duration at, const ResourceId& id, Outcome outcome,
               Decision& out) {
  const ResourceState* resource = now.Resource(id);
  if (resource == nullptr || !resource->revoking.has_value()) return;
  const Revoking& revoking = *resource->revoking;
  if (outcome.ok()) {
    out.effects.push_back(
        Say{Severity::kWarning, absl::StrCat("right to write of ", id.value(),
                                             " was taken while this host could not be reached: "
                                             "fenced under epoch ",
                                             revoking.revoke.epoch.ToString())});
  }
  Answer(now, revoking.stream, revoking.revoke, std::move(outcome), out);
  out.changes.push_back(RevokeEnded{id});
  DeliverDeferred(*resource, id, out);
  AskForProbe(now, id, at, out);
}

}  // namespace baton::agent
