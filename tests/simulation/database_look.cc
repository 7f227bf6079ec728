#include "tests/simulation/database_look.h"

#include <variant>

namespace baton::sim {
namespace database {

bool StandbyRuns(const Unit& unit) {
  return unit.Answers() && unit.state() == ServerState::kStandby;
}
bool PrimaryRuns(const Unit& unit) {
  return unit.Answers() && unit.state() == ServerState::kPrimary;
}

Outcome At(const Unit& unit) {
  Outcome outcome = OkOutcome();
  outcome.system_id = "sys";
  outcome.position = unit.data.Position();
  return outcome;
}

std::optional<LogPosition> FinalPosition(const Unit& unit, const FenceRecord& record) {
  if (!record.write.has_value()) return std::nullopt;
  if (record.write->sealed.has_value()) return record.write->sealed;
  if (unit.data.control == DataDirectory::Control::kStopped) {
    return LogPosition{unit.data.timeline, unit.data.checkpoint};
  }
  return std::nullopt;
}

Outcome InRole(const Run& run, const CheckDatabase& wanted) {
  const Unit& unit = run.unit;
  const bool primary = wanted.role == InstanceRole::kPrimary;
  if (unit.Answers()) {
    if ((unit.state() == ServerState::kPrimary) != primary) {
      return Fail("WRONG_ROLE", "found it running in another role");
    }
    const bool may_ship = wanted.checkpoint || unit.PhaseNow() != FencePhase::kClosed;
    if (primary && unit.archive_failing && may_ship)
      return Fail("ARCHIVER_FAILS", "its archiver failed");
    const auto& record = unit.fence.visible;
    if (!primary && record.has_value() && record->write.has_value() &&
        record->phase < FencePhase::kClosing) {
      return Refuse(run, "HOLDS_THE_RIGHT", "it may yet be promoted");
    }
    if (!primary && !unit.problem.empty()) return Fail("GAP", unit.problem.c_str());
    const bool follows = !primary && wanted.running && unit.fence.visible.has_value();
    if (follows && unit.FollowChain(unit.fence.visible->fetch, false).gap) {
      return Fail("GAP", "waits for a log file though later ones have come");
    }
  } else if (!unit.Runs() && !wanted.running) {
    if (unit.data.standby_signal == primary) return Fail("WRONG_ROLE", "stopped in another role");
  } else {
    return Fail("UNAVAILABLE", "it does not answer");
  }
  // The other site may be lost, shares and all: what can be read of them is in the observation.
  if (!primary && !wanted.checkpoint) return OkOutcome();
  // Nothing is set up yet: ConfigureLogShipping makes the share ready.
  if (primary && !wanted.running && !unit.configured) return OkOutcome();
  for (const Share& share : run.agent.world.shares) {
    if (!share.Readable() || share.full) return Fail("SHARE", "a share is missing or full");
  }
  return OkOutcome();
}

}  // namespace database

namespace {

using database::At;
using database::FinalPosition;
using database::InRole;
using database::PrimaryRuns;
using database::StandbyRuns;

Outcome SeeWritable(const Run& run, const Lineage& write) {
  const Unit& unit = run.unit;
  if (unit.PhaseNow() != FencePhase::kOpen || unit.fence.visible->write != write ||
      !PrimaryRuns(unit)) {
    return Unsure("NOT_SEEN", "it does not write under this right");
  }
  Outcome outcome = At(unit);
  if (!unit.data.history.empty()) outcome.position->lsn = unit.data.history.back().lsn;
  return outcome;
}

struct Looker {
  Run* run;

  Outcome operator()(const Fence&) const {
    const Unit& unit = run->unit;
    const auto& record = unit.fence.visible;
    if (!record.has_value() || record->phase < FencePhase::kClosing ||
        record->fence_epoch < run->command.epoch || !unit.data.standby_signal) {
      return Unsure("NOT_SEEN", "it is not fenced");
    }
    if (!record->write.has_value() && StandbyRuns(unit)) return At(unit);
    if (!unit.LockFree()) return Unsure("NOT_SEEN", "something of it is alive");
    Outcome outcome = OkOutcome();
    outcome.position = FinalPosition(unit, *record);
    return outcome;
  }
  Outcome operator()(const Unfence& action) const { return SeeWritable(*run, action.write); }
  Outcome operator()(const Recover& action) const { return SeeWritable(*run, action.write); }
  Outcome operator()(const ShipTail&) const {
    const auto& record = run->unit.fence.visible;
    if (!record.has_value() || record->phase != FencePhase::kClosed || !record->write.has_value() ||
        !record->write->sealed.has_value()) {
      return Unsure("NOT_SEEN", "the fence names no final position");
    }
    Outcome outcome = OkOutcome();
    outcome.position = record->write->sealed;
    return outcome;
  }
  Outcome operator()(const StartStandby& action) const {
    const auto& record = run->unit.fence.visible;
    if (!record.has_value() || record->phase != FencePhase::kClosed || record->write.has_value() ||
        record->fetch != action.fetch || !StandbyRuns(run->unit)) {
      return Unsure("NOT_SEEN", "it does not follow these lineages");
    }
    return At(run->unit);
  }
  Outcome operator()(const ApplyPendingLogs& action) const {
    const Unit& unit = run->unit;
    if (!StandbyRuns(unit) || unit.data.timeline != action.until.timeline ||
        unit.data.end <= action.until.lsn) {
      return Unsure("NOT_SEEN", "it has not applied that");
    }
    return At(unit);
  }
  Outcome operator()(const StopLogShipping& action) const {
    const auto& record = run->unit.fence.visible;
    const bool sealed = record.has_value() && record->fence_epoch == run->command.epoch &&
                        record->fetch.size() == action.fetch.size() &&
                        record->fetch.back().epoch == action.fetch.back().epoch &&
                        record->fetch.back().sealed.has_value();
    if (!sealed) return Unsure("NOT_SEEN", "the last lineage is not sealed");
    Outcome outcome = OkOutcome();
    outcome.position = record->fetch.back().sealed;
    return outcome;
  }
  Outcome operator()(const EndConnections&) const { return OkOutcome(); }
  Outcome operator()(const CheckDatabase& action) const { return InRole(*run, action); }
  Outcome operator()(const Start&) const {
    return run->unit.Answers() ? At(run->unit) : Unsure("NOT_SEEN", "it does not run");
  }
  Outcome operator()(const Stop&) const {
    return run->unit.LockFree() ? At(run->unit) : Unsure("NOT_SEEN", "it runs");
  }
  template <class Other>
  Outcome operator()(const Other&) const {
    return Unsure("NOT_SEEN", "only another run can tell");
  }
};

}  // namespace

Outcome LookAtDatabase(Run* run) { return std::visit(Looker{run}, run->command.action); }

}  // namespace baton::sim
