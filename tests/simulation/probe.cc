// What an agent sees of its resources.
#include <utility>

#include "tests/simulation/agent.h"

namespace baton::sim {
namespace {

FenceSummary SummariseFence(const Unit& unit) {
  FenceSummary summary;
  const auto& record = unit.fence.visible;
  summary.file_readable = record.has_value();
  if (!record.has_value()) return summary;
  summary.phase = EffectivePhase(*record, unit.host.boot);
  summary.fence_epoch = record->fence_epoch;
  if (record->write.has_value()) {
    summary.write_epoch = record->write->epoch;
    summary.sealed = record->write->sealed;
  }
  if (summary.phase < FencePhase::kClosing) return summary;
  summary.proven =
      unit.LockFree() || (unit.state() == ServerState::kStandby && summary.write_epoch.none());
  return summary;
}

void SeeStandby(const World& world, const Unit& unit, DatabaseObservation* seen) {
  seen->problem = unit.problem;
  if (!unit.data.log.empty()) seen->last_commit = WallTime(unit.data.log.back().dated);
  if (!unit.fence.visible.has_value()) return;
  const std::vector<Lineage>& fetch = unit.fence.visible->fetch;
  for (const Lineage& lineage : fetch) {
    for (const Share& share : world.shares) {
      if (share.id == lineage.share && !share.Readable()) seen->share_problem = "not mounted";
    }
  }
  const Unit::Chain chain = unit.FollowChain(fetch, true);
  const uint64_t here = unit.data.end / kSegmentBytes;
  if (chain.end.lsn / kSegmentBytes > here) seen->lag_bytes = chain.end.lsn + 1 - unit.data.end;
  if (chain.gap) seen->gap = "a log file";
}

DatabaseObservation SeeDatabase(const World& world, const Unit& unit) {
  DatabaseObservation seen;
  for (auto kept = unit.quarantine.rbegin(); kept != unit.quarantine.rend(); ++kept) {
    QuarantineEntry entry;
    entry.name = kept->name;
    entry.fork = kept->fork;
    entry.end = kept->data.Position();
    entry.moved = WallTime(kept->moved);
    seen.quarantine.push_back(std::move(entry));
  }
  if (!unit.data.Whole()) {
    seen.state = DatabaseState::kEmpty;
    return seen;
  }
  seen.standby_signal = unit.data.standby_signal;
  seen.ready_files = unit.data.ready.size();
  seen.system_id = "sys";
  seen.version = "15.5";
  seen.position = unit.data.Position();
  if (unit.Answers()) {
    seen.state =
        unit.state() == ServerState::kPrimary ? DatabaseState::kPrimary : DatabaseState::kStandby;
    seen.archiving = unit.state() == ServerState::kPrimary && !unit.archive_failing;
    if (unit.archive_failing) seen.archive_failure = "the last try failed";
    if (seen.state == DatabaseState::kStandby) SeeStandby(world, unit, &seen);
  } else if (!unit.Runs() && unit.LockFree()) {
    seen.state = DatabaseState::kDown;
    seen.log_end = unit.data.Position();
    const bool stopped = unit.data.control == DataDirectory::Control::kStopped;
    seen.clean_shutdown =
        stopped || unit.data.control == DataDirectory::Control::kStoppedInRecovery;
    seen.in_recovery = unit.data.InRecovery();
    if (stopped && unit.data.checkpoint > 0) seen.position.lsn = unit.data.checkpoint;
    seen.problem = unit.refused();
  } else {
    const bool hangs = world.queue.Paused(unit.server);
    seen.state = hangs ? DatabaseState::kUnknown : DatabaseState::kStarting;
    seen.problem = "it does not answer";
  }
  return seen;
}

ChatObservation SeeChat(const World& world, const Unit& unit) {
  ChatObservation seen;
  const int points_at = unit.Runs() ? unit.uses : unit.points_at;
  if (points_at >= 0) seen.points_at = world.hosts[points_at].id;
  if (unit.Answers()) {
    seen.state = unit.accepting ? ChatState::kServing : ChatState::kDraining;
  } else if (!unit.Runs()) {
    seen.state = ChatState::kDown;
    seen.problem = unit.refused();
  } else {
    seen.problem = "it does not answer";
  }
  return seen;
}

}  // namespace

void UnitProbe::Observe(std::function<void(Observation)> done) {
  World& world = agent_.world;
  world.queue.At(agent_.process, world.Jitter(500, 3000) * kMicro,
                 [this, &world, done = std::move(done)] {
                   Observation seen;
                   seen.resource = unit_.ref.resource;
                   seen.pool = world.pool;
                   seen.fence = SummariseFence(unit_);
                   seen.service_managed = unit_.Managed();
                   if (unit_.is_database()) {
                     seen.detail = SeeDatabase(world, unit_);
                   } else {
                     seen.detail = SeeChat(world, unit_);
                   }
                   done(std::move(seen));
                 });
}

}  // namespace baton::sim
