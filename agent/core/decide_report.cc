#include <algorithm>
#include <utility>

#include "agent/core/decide_internal.h"
#include "agent/core/reconcile.h"

namespace baton::agent {
namespace {

// All that is told at once when it changes is the same: all but the figures that never stand still.
bool SameButFigures(const Observation& one, Observation other) {
  other.age = one.age;
  auto* database = std::get_if<DatabaseObservation>(&other.detail);
  auto* chat = std::get_if<ChatObservation>(&other.detail);
  if (const DatabaseObservation* from = one.database(); from != nullptr && database != nullptr) {
    database->position = from->position;
    database->last_archived = from->last_archived;
    database->ready_files = from->ready_files;
    database->lag_bytes = from->lag_bytes;
    database->lag = from->lag;
    database->client_sessions = from->client_sessions;
  } else if (const ChatObservation* was = one.chat(); was != nullptr && chat != nullptr) {
    chat->users = was->users;
    chat->sessions = was->sessions;
    chat->rooms = was->rooms;
  }
  return one == other;
}

bool Telling(const AgentState& now) {
  return now.stage == Stage::kSettled && now.link == LinkPhase::kWelcomed;
}

// `fresh`, if given, stands for what its resource's state does not hold yet.
void TellEverything(const AgentState& now, absl::Duration at, const Observation* fresh,
                    absl::Duration fresh_at, Decision& out) {
  Report report;
  report.full = true;
  for (const auto& [id, resource] : now.resources) {
    const bool is_fresh = fresh != nullptr && fresh->resource == id;
    if (!is_fresh && !resource.seen.has_value()) continue;
    Observation observation = is_fresh ? *fresh : *resource.seen;
    observation.age = at - (is_fresh ? fresh_at : resource.seen_at);
    report.observations.push_back(std::move(observation));
    out.changes.push_back(ObservationTold{id});
  }
  out.changes.push_back(FullReportTold{});
  out.effects.push_back(Send{std::move(report)});
}

bool AwaitsOthers(const AgentState& now, const ResourceId& but) {
  return std::any_of(now.resources.begin(), now.resources.end(),
                     [&](const auto& entry) { return entry.first != but && entry.second.awaited; });
}

void TellChanges(const AgentState& now, absl::Duration at, Decision& out) {
  Report report;
  absl::Duration oldest = absl::ZeroDuration();
  for (const auto& [id, resource] : now.resources) {
    if (!resource.seen.has_value()) continue;
    oldest = std::max(oldest, at - resource.seen_at);
    if (resource.reported == resource.seen) continue;
    report.observations.push_back(*resource.seen);
    report.observations.back().age = at - resource.seen_at;
    out.changes.push_back(ObservationTold{id});
  }
  if (!report.observations.empty()) out.effects.push_back(Send{std::move(report)});
  out.effects.push_back(Send{Heartbeat{oldest}});
}

}  // namespace

Observation Settle(const AgentState& now, const ResourceId& resource, Observation seen) {
  const ResourceState* state = now.Resource(resource);
  seen.resource = resource;
  seen.age = absl::ZeroDuration();
  if (state == nullptr) return seen;
  seen.pool = state->pool;
  seen.fence = Stricter(seen.fence, state->fence, state->boot);
  // What the file would say of epochs, the pool's commands meet all the same.
  if (!seen.fence.file_readable) {
    seen.fence.fence_epoch = std::max(seen.fence.fence_epoch, now.EpochOf(state->pool));
  }
  return seen;
}

void AskForProbe(const AgentState& now, const ResourceId& resource, absl::Duration at,
                 Decision& out) {
  const ResourceState* state = now.Resource(resource);
  if (state == nullptr) return;
  if (state->probing) {
    out.changes.push_back(ProbeWanted{resource});
    return;
  }
  out.changes.push_back(ProbeBegan{resource, at});
  out.effects.push_back(AskProbe{resource});
}

void OnObserved(const AgentState& now, absl::Duration at, const Observed& event, Decision& out) {
  const ResourceId id = event.observation.resource;
  const ResourceState* resource = now.Resource(id);
  if (resource == nullptr || !resource->probing) return;
  const SharedValue<Observation> settled = Settle(now, id, event.observation);
  const Observation& seen = *settled;
  out.changes.reserve(2);
  out.changes.emplace_back(ProbeEnded{id});
  // A command may have ended, and told what it saw, while this look was under way.
  const bool newer = !resource->seen.has_value() || resource->probe_began >= resource->seen_at;
  if (newer) out.changes.emplace_back(ObservationMade{settled, resource->probe_began});
  if (resource->probe_again) {
    out.changes.emplace_back(ProbeBegan{id, at});
    out.effects.emplace_back(AskProbe{id});
  } else if (newer) {
    EnforceWhatIsSeen(now, event.observation, out);
  }
  if (seen.fence.fence_epoch > now.EpochOf(resource->pool)) {
    out.effects.push_back(Deliver{EpochFound{resource->pool, seen.fence.fence_epoch}});
  }
  if (!Telling(now) || !newer) return;
  if (now.full_report_due) {
    const bool complete = !AwaitsOthers(now, id) && !(resource->awaited && resource->probe_again);
    if (complete) TellEverything(now, at, &seen, resource->probe_began, out);
    return;
  }
  if (resource->reported.has_value() && SameButFigures(*resource->reported, seen)) return;
  Report report;
  report.observations.push_back(seen);
  report.observations.back().age = at - resource->probe_began;
  out.changes.push_back(ObservationTold{id});
  out.effects.push_back(Send{std::move(report)});
}

void OnReportDue(const AgentState& now, absl::Duration at, Decision& out) {
  if (now.stage != Stage::kSettled) return;
  out.changes.reserve(1 + 2 * now.resources.size());
  out.effects.reserve(3 + now.resources.size());
  out.changes.push_back(FinishedPruned{at});
  out.effects.push_back(SetTimer{{TimerKind::kReport, ""}, now.report_interval});
  for (const auto& [id, resource] : now.resources) {
    if (!resource.probing) AskForProbe(now, id, at, out);
  }
  if (!Telling(now)) return;
  if (now.full_report_due && !AwaitsOthers(now, ResourceId())) {
    return TellEverything(now, at, nullptr, absl::ZeroDuration(), out);
  }
  TellChanges(now, at, out);
}

void OnReportNow(const AgentState& now, absl::Duration at, Decision& out) {
  out.changes.push_back(FullReportWanted{true});
  for (const auto& [id, resource] : now.resources) AskForProbe(now, id, at, out);
}

}  // namespace baton::agent
