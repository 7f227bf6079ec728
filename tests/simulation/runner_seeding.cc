// What the PostgreSQL runner does to end a dead instance's log, to seed another, and to keep what
// would be lost by that, effect by effect.
#include "tests/simulation/runner_seeding.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/database_look.h"
#include "tests/simulation/oracle.h"

namespace baton::sim {
namespace {

using database::At;
using database::PrimaryRuns;

bool SameLineage(const Lineage& a, const Lineage& b) {
  return a.epoch == b.epoch && a.instance == b.instance;
}

}  // namespace

Task<Outcome> Act(Run* run, StopLogShipping action) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (record.write.has_value()) co_return Refuse(*run, "HOLDS_THE_RIGHT", "it may write");
  if (!unit.data.Whole()) co_return Refuse(*run, "NO_DATA", "there is nothing to follow with");
  Outcome outcome = OkOutcome();
  const bool again = record.fence_epoch == run->command.epoch && !record.fetch.empty() &&
                     SameLineage(record.fetch.back(), action.fetch.back()) &&
                     record.fetch.back().sealed.has_value();
  if (again) {
    outcome.position = record.fetch.back().sealed;
    co_return outcome;
  }
  record.phase = FencePhase::kClosed;
  record.fence_epoch = run->command.epoch;
  record.fetch = action.fetch;
  for (int round = 0;; ++round) {
    SIM_PAUSE(run, kMilli, 4 * kMilli);
    for (size_t i = 0; i < action.fetch.size(); ++i) {
      const Share& share = *world.ShareOf(action.fetch[i].share);
      if (!share.Readable() && !action.without_share) {
        co_return Refuse(*run, "SHARE_UNREADABLE", "the share's marker is missing");
      }
    }
    const LogPosition end = unit.FollowChain(action.fetch, !action.without_share).end;
    const LogPosition had =
        std::max<LogPosition>({unit.data.timeline, unit.data.end}, {end.timeline, end.lsn + 1});
    if (round == 0 && had < action.announced && !world.Is(Mutation::kSealsWhatIsLeft)) {
      co_return Refuse(*run, "KEEPS_LESS", "the log ends before what was announced");
    }
    record.fetch.back().sealed = end;
    SIM_TRY(WriteFence(run, record));
    // What was served between list and seal lies in its log: the seal must not leave it out.
    if (unit.data.end <= record.fetch.back().sealed->lsn + 1 || round == 5) break;
  }
  outcome.position = record.fetch.back().sealed;
  co_return outcome;
}

Task<Outcome> Act(Run* run, SalvageLogs action) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  SIM_PAUSE(run, kMilli, 10 * kMilli);
  const FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (record.write.has_value()) co_return Refuse(*run, "HOLDS_THE_RIGHT", "it may write");
  const Unit& dead = *world.InstanceOn(unit.database, world.HostIndex(action.from.instance));
  if (!dead.LockFree()) co_return Refuse(*run, "STILL_ALIVE", "something of it is alive");
  const LineageKey key = world.KeyOf(unit.database, action.from);
  for (uint64_t n = unit.data.end / kSegmentBytes; n <= dead.data.end / kSegmentBytes; ++n) {
    SIM_PAUSE(run, kMilli / 10, kMilli);
    const FileName name{dead.data.timeline, n, false};
    const std::shared_ptr<const LogFile> file = dead.data.Read(name);
    if (!file->entries.empty()) unit.copied[{key, name}] = file;
    run->did = true;
  }
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, ConfigureLogShipping action) {
  SIM_PAUSE(run, kMilli, 5 * kMilli);
  Share& share = run->agent.world.shares[run->unit.host.index % 2];
  if (!share.mounted) co_return Fail("UNAVAILABLE", "the share is not mounted");
  if (action.prepare_share && !share.marked) share.marked = true;
  if (!share.marked) co_return Fail("UNAVAILABLE", "the share has no marker");
  run->unit.configured = true;
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, Seed action) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  const FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (record.phase < FencePhase::kClosing || record.write.has_value()) {
    co_return Refuse(*run, "NOT_FENCED", "fence it first");
  }
  if (!unit.LockFree()) co_return Refuse(*run, "STILL_RUNS", "something of it is alive");
  if (unit.data.Whole()) co_return Refuse(*run, "NOT_EMPTY", "there is a whole data directory");
  if (unit.disk_full) co_return Fail("NO_ROOM", "no room for what is to be seeded");
  unit.data = DataDirectory();
  unit.data.exists = true;
  unit.data.half = true;
  run->did = true;
  const int from = world.HostIndex(action.source);
  const Unit& source = *world.InstanceOn(unit.database, from);
  for (int part = 0; part < 4; ++part) {
    SIM_PAUSE(run, 5 * kMilli, 60 * kMilli);
    const int here = unit.host.index;
    if (!world.Reaches(here, from) || !world.Reaches(from, here) || !PrimaryRuns(source)) {
      co_return Fail("UNAVAILABLE", "the source does not answer");
    }
  }
  unit.data = source.data;
  unit.data.half = true;
  unit.data.ready.clear();
  unit.data.done.clear();
  unit.data.standby_signal = true;
  unit.data.control = DataDirectory::Control::kStoppedInRecovery;
  unit.problem.clear();
  SIM_PAUSE(run, kMilli, 5 * kMilli);
  unit.data.half = false;
  co_return OkOutcome();
}

// By renaming, or, to another filesystem, by a copy that is whole before it gets its name.
Task<Outcome> MoveAside(Run* run, Quarantine action) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  const bool blind = world.Is(Mutation::kRoomNotLookedAt);
  KeptData kept{action.name, action.fork, unit.data, world.queue.now()};
  if (unit.disk_full && !blind) co_return Fail("NO_ROOM", "no room in the quarantine");
  for (int part = 0; unit.quarantine_elsewhere && part < 4; ++part) {
    SIM_PAUSE(run, 5 * kMilli, 30 * kMilli);
    if (!unit.disk_full) continue;
    if (!blind) co_return Fail("NO_ROOM", "the disk is full, the copy is not whole");
    kept.data.log.resize(kept.data.log.size() / 2);
  }
  unit.quarantine.push_back(std::move(kept));
  run->did = true;
  co_return OkOutcome();
}

// Kept durably before the data directory is gone; an earlier try may have come that far.
Task<Outcome> Act(Run* run, Quarantine action) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  SIM_PAUSE(run, kMilli, 5 * kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (record.phase < FencePhase::kClosing) co_return Refuse(*run, "NOT_FENCED", "fence it first");
  if (!unit.LockFree()) co_return Refuse(*run, "STILL_RUNS", "something of it is alive");
  Outcome outcome = OkOutcome();
  if (unit.data.Whole()) {
    outcome.position = unit.data.Position();
    const uint64_t end = unit.data.end;
    if (end > action.fork.lsn) outcome.bytes = end - action.fork.lsn;
    // Only a fork that left the very timeline that was written tells that nothing is here alone.
    const bool sure = unit.data.timeline == 1 && action.fork.timeline == 2;
    const bool follows = unit.data.timeline + 1 == action.fork.timeline;
    const bool named =
        follows && action.discard_bytes.has_value() && outcome.bytes <= *action.discard_bytes;
    const bool removed = named || (sure && outcome.bytes == 0);
    const auto kept = std::find_if(unit.quarantine.begin(), unit.quarantine.end(),
                                   [&](const KeptData& one) { return one.name == action.name; });
    if (kept != unit.quarantine.end() && kept->data.Position() != unit.data.Position()) {
      co_return Refuse(*run, "NAME_TAKEN", "other data has that name");
    }
    const bool keep = !removed && !world.Is(Mutation::kQuarantineDrops);
    if (keep && kept == unit.quarantine.end()) {
      SIM_TRY(MoveAside(run, action));
      SIM_PAUSE(run, kMilli / 10, kMilli);
    }
    world.oracle->OnDataGone(unit, unit.data, named);
  }
  unit.data = DataDirectory();
  unit.data.exists = false;
  unit.problem.clear();
  SIM_PAUSE(run, kMilli / 10, kMilli);
  record.phase = FencePhase::kClosed;
  record.fence_epoch = std::max(record.fence_epoch, run->command.epoch);
  record.write.reset();
  record.fetch.clear();
  SIM_TRY(WriteFence(run, record));
  co_return outcome;
}

Task<Outcome> Act(Run* run, RemoveQuarantine action) {
  SIM_PAUSE(run, kMilli / 10, kMilli);
  for (auto kept = run->unit.quarantine.begin(); kept != run->unit.quarantine.end(); ++kept) {
    if (kept->name != action.name) continue;
    const DataDirectory gone = std::move(kept->data);
    run->unit.quarantine.erase(kept);
    run->agent.world.oracle->OnDataGone(run->unit, gone, true);
    break;
  }
  co_return OkOutcome();
}

}  // namespace baton::sim
