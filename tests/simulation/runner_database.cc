// What the PostgreSQL runner does (agent/database), effect by effect, on the model.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/agent.h"
#include "tests/simulation/database_look.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/runner_seeding.h"

namespace baton::sim {
namespace {

using database::At;
using database::FinalPosition;
using database::InRole;
using database::PrimaryRuns;
using database::StandbyRuns;

Task<Outcome> StartAndWait(Run* run) {
  Unit& unit = run->unit;
  const auto asker = std::make_shared<Unit::Asker>();
  if (!unit.RequestStart(asker)) co_return Fail("NOT_MANAGED", "its supervisor does not answer");
  Nanos wait = 2 * kMilli;
  for (int polls = 1;; ++polls) {
    SIM_PAUSE(run, wait, wait * 2);
    wait = std::min(wait * 2, 50 * kMilli);
    if (unit.Answers()) break;
    if (!unit.refused().empty() && !unit.Runs()) co_return Fail("GATE_REFUSED", "the gate refused");
    if (polls % 10 == 0 && !unit.Runs()) {
      co_return Fail("ENDED_WHILE_STARTING", "it ended while it started");
    }
  }
  run->did = true;
  co_return OkOutcome();
}

Task<Outcome> ProveWritable(Run* run) {
  SIM_PAUSE(run, kMilli / 2, 2 * kMilli);
  if (!PrimaryRuns(run->unit)) co_return Fail("NOT_WRITABLE", "a write was refused");
  run->unit.Append(0);
  co_return OkOutcome();
}

void PlaceSignal(Run* run) {
  if (run->agent.world.Is(Mutation::kStandbyWithoutSignal)) return;
  run->unit.data.standby_signal = true;
  run->did = true;
}

Task<Outcome> Act(Run* run, CheckDatabase wanted) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli, 3 * kMilli);
  Outcome in_role = InRole(*run, wanted);
  if (!in_role.ok()) co_return in_role;
  if (!wanted.checkpoint || !PrimaryRuns(unit)) co_return At(unit);
  unit.Append(0);
  unit.data.Switch();
  unit.ArchiveSoon(kMilli);
  const Nanos limit = run->agent.world.queue.now() + 2 * kSecond;
  while (!unit.data.ready.empty()) {
    SIM_PAUSE(run, 2 * kMilli, 10 * kMilli);
    if (!PrimaryRuns(unit)) co_return Fail("UNAVAILABLE", "it ended meanwhile");
    if (run->agent.world.queue.now() > limit) co_return Fail("ARCHIVER_STUCK", "files wait");
  }
  co_return At(unit);
}

Task<Outcome> Act(Run* run, EndConnections) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli, 5 * kMilli);
  if (!unit.Runs()) co_return OkOutcome();
  if (!unit.Answers()) co_return Fail("UNAVAILABLE", "it does not answer");
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, Fence) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  record.fence_epoch = run->command.epoch;
  if (!record.write.has_value()) {
    record.phase = FencePhase::kClosed;
    if (StandbyRuns(unit)) {
      SIM_TRY(WriteFence(run, record));
      PlaceSignal(run);
      SIM_PAUSE(run, kMilli, 2 * kMilli);
      if (!StandbyRuns(unit)) co_return Fail("BECAME_WRITABLE", "promoted or ended meanwhile");
      co_return At(unit);
    }
  } else if (!record.write->sealed.has_value()) {
    record.phase = FencePhase::kClosing;
  }
  SIM_TRY(WriteFence(run, record));
  SIM_PAUSE(run, kMilli / 10, kMilli);
  PlaceSignal(run);
  SIM_PAUSE(run, kMilli / 10, kMilli);
  SIM_TRY(StopAndProve(run));
  Outcome outcome = OkOutcome();
  outcome.position = FinalPosition(unit, record);
  co_return outcome;
}

// An earlier try may have opened the fence, in this boot or before; somebody may have closed it
// since.
bool IsOurs(const FenceRecord& record, const Recover& action) {
  return record.phase < FencePhase::kClosing && record.write == action.write;
}

Task<Outcome> OpenFor(Run* run, FenceRecord record, Lineage write, FencePhase phase) {
  record.phase = phase;
  record.fence_epoch = run->command.epoch;
  record.write = std::move(write);
  if (phase == FencePhase::kOpen || run->agent.world.Is(Mutation::kRightForgetsFetch)) {
    record.fetch.clear();
  }
  record.confirmed_boot = run->unit.host.boot;
  run->agent.world.oracle->OnConfirmed(run->unit, run->unit.host.boot);
  Outcome written = co_await WriteFence(run, record);
  co_return written;
}

Task<Outcome> Act(Run* run, Unfence action) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  const bool repeated = record.phase == FencePhase::kOpen && record.write == action.write;
  if (!repeated && record.write.has_value() && record.write->sealed.has_value()) {
    co_return Refuse(*run, "SHIPPED_TO_ITS_END", "its log was shipped to its end");
  }
  if (unit.data.InRecovery()) {
    co_return Refuse(*run, "IS_A_STANDBY", "its control file says in recovery");
  }
  if (unit.data.standby_signal && !record.write.has_value() && !record.fetch.empty()) {
    co_return Refuse(*run, "IS_A_STANDBY", "it holds no right and has standby.signal");
  }
  // The signal goes first: a manager may start the server as soon as the fence is open.
  unit.data.standby_signal = false;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  SIM_TRY(OpenFor(run, record, action.write, FencePhase::kOpen));
  SIM_PAUSE(run, kMilli / 10, kMilli);
  SIM_TRY(StartAndWait(run));
  if (StandbyRuns(unit)) co_return Fail("RUNS_AS_STANDBY", "it runs read-only");
  SIM_TRY(ProveWritable(run));
  co_return At(unit);
}

// A file goes into the share by the hand of a child process, which outlives the agent.
Task<Outcome> Ship(Run* run, FileName name, Lineage lineage) {
  AgentProcess& agent = run->agent;
  Unit& unit = run->unit;
  LineageKey key = agent.world.KeyOf(unit.database, lineage);
  if (agent.world.Is(Mutation::kShipsIntoOldLineage)) key.epoch = Epoch{1, 1};
  auto result = std::make_shared<PushResult>(PushResult::kNoShare);
  agent.world.oracle->OnAsksToShip(unit, key);
  // Its name tells the timeline: what the instance writes in a later one is in another file.
  const std::function<void()> child = [&world = agent.world, &unit, name, key,
                                       file = unit.data.Read(name), share = lineage.share, result,
                                       boots = unit.host.boots] {
    if (unit.host.boots != boots || !unit.host.up) return;
    *result = Push(world, unit, name, *file, key, share);
  };
  // Of two databases' children the later one is the one that may outlive the agent.
  agent.child = child;
  agent.ledger.children.push_back({1, 1, run->command.id});
  const int slowness = agent.world.ShareOf(lineage.share)->slowness;
  const Interrupt interrupt = co_await Pause{run, kMilli * slowness, 4 * kMilli * slowness};
  agent.child = nullptr;
  agent.ledger.children.clear();
  if (interrupt != Interrupt::kNone) co_return Interrupted(interrupt);
  child();
  if (*result == PushResult::kNoShare)
    co_return Fail("UNAVAILABLE", "the share is missing or full");
  if (*result == PushResult::kOtherBytes) co_return Fail("OTHER_BYTES", "other bytes are there");
  unit.data.MarkDone(name);
  run->did = true;
  co_return OkOutcome();
}

// The end of a crashed server's log: it recovers under its fence, as a standby that fetches
// nothing.
Task<Outcome> ReplayToEnd(Run* run) {
  SIM_TRY(StartAndWait(run));
  SIM_PAUSE(run, 5 * kMilli, 10 * kMilli);
  if (!StandbyRuns(run->unit)) co_return Fail("STARTED_WRITABLE", "came up writable or ended");
  Outcome end = At(run->unit);
  SIM_TRY(StopAndProve(run));
  end.position->lsn -= 1;
  co_return end;
}

Task<Outcome> Act(Run* run, ShipTail) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (!record.write.has_value()) co_return Refuse(*run, "NO_RIGHT", "there is nothing to ship");
  if (record.phase < FencePhase::kClosing) co_return Refuse(*run, "NOT_FENCED", "fence it first");
  Outcome outcome = OkOutcome();
  if (record.phase == FencePhase::kClosed) {
    if (!record.write->sealed.has_value()) {
      co_return Refuse(*run, "CLOSED_UNSHIPPED", "closed, but not shipped to its end");
    }
    outcome.position = record.write->sealed;
    co_return outcome;
  }
  if (!unit.LockFree()) {
    // What may run is only what an earlier try started to find the end of the log.
    if (!StandbyRuns(unit)) co_return Refuse(*run, "STILL_RUNS", "something of it is alive");
    SIM_TRY(StopAndProve(run));
  }
  if (!world.Is(Mutation::kReadyFilesSkipped) && !world.Is(Mutation::kTailNotShipped)) {
    while (!unit.data.ready.empty()) {
      const FileName name = unit.data.ready.front();
      SIM_TRY(Ship(run, name, *record.write));
    }
  }
  std::optional<LogPosition> end = FinalPosition(unit, record);
  if (!end.has_value()) {
    Outcome replayed = co_await ReplayToEnd(run);
    if (!replayed.ok()) co_return replayed;
    end = replayed.position;
  }
  std::vector<FileName> tail = unit.data.NotDone(end->lsn);
  if (world.Is(Mutation::kReadyFilesSkipped) && tail.size() > 1) tail.erase(tail.begin());
  if (world.Is(Mutation::kTailNotShipped) && !tail.empty()) {
    end->lsn = std::max(tail.front().segment * kSegmentBytes, kSegmentBytes + 1) - 1;
    tail.clear();
  }
  if (world.Is(Mutation::kFinalBeforeCheckpoint)) {
    tail.clear();
    end->lsn -= 1;
  }
  for (size_t i = 0; i < tail.size(); ++i) SIM_TRY(Ship(run, tail[i], *record.write));
  record.phase = FencePhase::kClosed;
  record.write->sealed = end;
  SIM_TRY(WriteFence(run, record));
  outcome.position = end;
  co_return outcome;
}

Task<Outcome> Act(Run* run, StartStandby action) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (PrimaryRuns(unit)) co_return Refuse(*run, "RUNS_WRITABLE", "it runs read-write");
  if (record.write.has_value()) {
    if (record.phase != FencePhase::kClosed || !record.write->sealed.has_value()) {
      co_return Refuse(*run, "NOT_SHIPPED", "its log was not shipped to its end");
    }
  } else if (!unit.data.standby_signal) {
    co_return Refuse(*run, "NOT_A_STANDBY", "it is a primary of another life");
  }
  PlaceSignal(run);
  record.phase = FencePhase::kClosed;
  record.fence_epoch = run->command.epoch;
  record.write.reset();
  record.fetch = std::move(action.fetch);
  SIM_TRY(WriteFence(run, record));
  SIM_TRY(StartAndWait(run));
  if (!StandbyRuns(unit)) co_return Fail("STARTED_WRITABLE", "came up read-write");
  unit.ReplaySoon(kMilli);
  co_return At(unit);
}

Task<Outcome> Act(Run* run, CopyPendingLogs action) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (record.write.has_value()) co_return Refuse(*run, "HOLDS_THE_RIGHT", "it may write");
  record.phase = FencePhase::kClosed;
  record.fence_epoch = run->command.epoch;
  record.fetch = action.fetch;
  SIM_TRY(WriteFence(run, record));
  for (size_t i = 0; i < action.fetch.size(); ++i) {
    const Lineage& lineage = action.fetch[i];
    SIM_PAUSE(run, kMilli, 4 * kMilli * world.ShareOf(lineage.share)->slowness);
    const Share& share = *world.ShareOf(lineage.share);
    if (!share.Readable() && !world.Is(Mutation::kMarkerNotRead)) {
      co_return Fail("UNAVAILABLE", "the share's marker is missing");
    }
    if (!share.Readable()) continue;
    const LineageKey key = world.KeyOf(unit.database, lineage);
    const Archive& seen = share.SeenFrom(unit.host.index);
    for (auto it = seen.lower_bound({key, FileName{}}); it != seen.end() && it->first.first == key;
         ++it) {
      if (!Served(it->first.second, lineage.sealed) || unit.copied.contains(it->first)) continue;
      if (it->second->damaged && !world.Is(Mutation::kDamagedLogTaken)) {
        co_return Fail("DATA_LOSS", "a log file differs from its checksum: move it aside");
      }
      unit.copied.emplace(it->first, it->second);
    }
  }
  co_return OkOutcome();
}

// Of a log that nobody ended in order: replay has looked for more since and found nothing, and
// what is served ends there.
bool HasAllServed(const Unit& unit, const LogPosition& until) {
  if (unit.idle_replays == 0 || !unit.fence.visible.has_value()) return false;
  const LogPosition end = unit.FollowChain(unit.fence.visible->fetch, false).end;
  if (end.timeline == until.timeline && end.lsn < until.lsn) return false;
  return unit.data.timeline == end.timeline &&
         unit.data.end / kSegmentBytes >= end.lsn / kSegmentBytes;
}

// About as long as a real agent looks twice.
constexpr int kGapLooks = 30;
constexpr Nanos kReplayPatience = 10 * kSecond;

bool WaitsInGap(const Unit& unit) {
  return unit.fence.visible.has_value() && unit.FollowChain(unit.fence.visible->fetch, true).gap;
}

Task<Outcome> Act(Run* run, ApplyPendingLogs action) {
  Unit& unit = run->unit;
  const auto asker = std::make_shared<Unit::Asker>();
  Nanos wait = kMilli;
  bool started = false;
  int looks = 0;  // that found a file missing for good, and no replay
  Nanos replayed_at = run->agent.world.queue.now();
  uint64_t replayed = 0;
  unit.idle_replays = 0;
  while (true) {
    if (!unit.Runs() && !std::exchange(started, true)) unit.RequestStart(asker);
    if (run->agent.world.Is(Mutation::kServedNotAwaited) && action.to_end && unit.Answers()) {
      co_return At(unit);
    }
    if (run->agent.world.Is(Mutation::kApplyDoesNotWait) && unit.Answers()) co_return At(unit);
    if (PrimaryRuns(unit)) co_return Refuse(*run, "NOT_IN_RECOVERY", "it runs read-write");
    if (StandbyRuns(unit)) {
      if (unit.data.timeline > action.until.timeline) {
        co_return Fail("WRONG_TIMELINE", "it has left the timeline that was shipped");
      }
      if (unit.data.timeline == action.until.timeline && unit.data.end > action.until.lsn) {
        co_return At(unit);
      }
      if (action.to_end && HasAllServed(unit, action.until)) co_return At(unit);
      const bool moves = std::exchange(replayed, unit.data.end) != unit.data.end;
      looks = !moves && WaitsInGap(unit) ? looks + 1 : 0;
      const Nanos now = run->agent.world.queue.now();
      if (moves) replayed_at = now;
      if (now - replayed_at > kReplayPatience) co_return Fail("NO_PROGRESS", "nothing is replayed");
      if (looks > kGapLooks) co_return Fail("GAP", "a log file is missing, later ones are there");
      unit.ReplaySoon(kMilli / 4);
    }
    SIM_PAUSE(run, wait, wait * 2);
    wait = std::min(wait * 2, 100 * kMilli);
  }
}

// It may have been started since all that is served was applied, and begun anew further back.
Task<Outcome> ReplayWhatWasSealed(Run* run) {
  Unit& unit = run->unit;
  const FenceRecord record = FenceOrClosed(run);
  if (record.fetch.empty() || !record.fetch.back().sealed.has_value()) co_return OkOutcome();
  const LogPosition seal = *record.fetch.back().sealed;
  if (unit.data.timeline > seal.timeline) co_return OkOutcome();
  if (unit.data.timeline == seal.timeline && unit.data.end > seal.lsn) co_return OkOutcome();
  Outcome applied = co_await Act(run, ApplyPendingLogs{seal, true});
  co_return applied;
}

// One that is down is started as the standby that it is, or as what an earlier try made of it.
Task<Outcome> StartForRecovery(Run* run, FenceRecord record, Recover action) {
  Unit& unit = run->unit;
  if (!IsOurs(record, action)) {
    if (record.write.has_value()) co_return Refuse(*run, "HOLDS_ANOTHER_RIGHT", "another right");
    if (!unit.data.standby_signal) co_return Refuse(*run, "NOT_IN_RECOVERY", "it is no standby");
  } else if (unit.data.standby_signal || unit.data.InRecovery()) {
    PlaceSignal(run);  // a promotion that was cut off may have removed it
  } else {
    SIM_TRY(OpenFor(run, record, action.write, FencePhase::kOpen));
  }
  SIM_TRY(StartAndWait(run));
  co_return OkOutcome();
}

// Until the promotion is seen the fence is unconfirmed: it ships, and a server that dies meanwhile
// is not started writable in the timeline that it followed.
Task<Outcome> Promote(Run* run, FenceRecord record, Recover action) {
  Unit& unit = run->unit;
  SIM_TRY(OpenFor(run, record, action.write, FencePhase::kUnconfirmed));
  SIM_PAUSE(run, kMilli / 10, kMilli);
  if (!unit.Answers()) co_return Unsure("PROMOTION_UNKNOWN", "no answer to the request");
  unit.AskToPromote();
  run->did = true;
  do {
    const Interrupt interrupt = co_await Pause{run, 2 * kMilli, 8 * kMilli};
    if (interrupt != Interrupt::kNone)
      co_return Unsure("PROMOTION_PENDING", "it may take effect later");
  } while (!PrimaryRuns(unit));
  co_return OkOutcome();
}

// A fenced instance that wrote before takes its right back: under standby.signal it replays its own
// log to the end, which is then left for a timeline of its own.
Task<Outcome> ReplayOwnLog(Run* run, FenceRecord record, Recover action) {
  Unit& unit = run->unit;
  if (record.phase < FencePhase::kClosing) co_return Refuse(*run, "NOT_FENCED", "fence it first");
  if (!record.write.has_value() && unit.data.InRecovery()) {
    co_return Refuse(*run, "NO_LOG_OF_ITS_OWN", "it has no log of its own to take back");
  }
  if (!unit.LockFree() && !StandbyRuns(unit)) co_return Refuse(*run, "STILL_RUNS", "it is alive");
  if (run->agent.world.Is(Mutation::kOwnLogNotLeft)) {
    unit.data.standby_signal = false;
    SIM_TRY(OpenFor(run, record, action.write, FencePhase::kOpen));
    SIM_TRY(StartAndWait(run));
    co_return OkOutcome();
  }
  PlaceSignal(run);
  SIM_PAUSE(run, kMilli / 10, kMilli);
  SIM_TRY(OpenFor(run, record, action.write, FencePhase::kUnconfirmed));
  SIM_TRY(StartAndWait(run));
  SIM_PAUSE(run, 5 * kMilli, 10 * kMilli);
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, Recover action) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  if (action.own_log && !IsOurs(record, action)) {
    SIM_TRY(ReplayOwnLog(run, record, action));
    record = FenceOrClosed(run);
  }
  // The list of what it follows may have been lost with its fence file.
  const bool refused = record.write.has_value() && record.write != action.write;
  const bool lost = !action.fetch.empty() && record.fetch != action.fetch;
  const World& world = run->agent.world;
  const bool forgets =
      world.Is(Mutation::kFollowsByFileAlone) || world.Is(Mutation::kRightForgetsFetch);
  if (lost && record.phase != FencePhase::kOpen && !refused && !forgets) {
    record.fence_epoch = run->command.epoch;
    record.fetch = action.fetch;
    SIM_TRY(WriteFence(run, record));
  }
  if (!unit.Runs()) SIM_TRY(StartForRecovery(run, record, action));
  if (!unit.Answers()) co_return Fail("UNAVAILABLE", "it does not answer");
  const bool in_recovery = StandbyRuns(unit);
  if (!in_recovery && !IsOurs(record, action)) {
    co_return Refuse(*run, "NOT_IN_RECOVERY", "it runs read-write");
  }
  if (in_recovery && !IsOurs(record, action) && record.write.has_value()) {
    co_return Refuse(*run, "HOLDS_ANOTHER_RIGHT", "StartStandby gives that back");
  }
  if (in_recovery) {
    SIM_TRY(ReplayWhatWasSealed(run));
    SIM_TRY(Promote(run, record, action));
  }
  SIM_TRY(ProveWritable(run));
  SIM_TRY(OpenFor(run, record, action.write, FencePhase::kOpen));
  Outcome outcome = At(unit);
  if (!unit.data.history.empty()) outcome.position->lsn = unit.data.history.back().lsn;
  co_return outcome;
}

Task<Outcome> Act(Run* run, Start) {
  SIM_TRY(StartAndWait(run));
  co_return At(run->unit);
}
Task<Outcome> Act(Run* run, Stop) {
  SIM_TRY(StopAndProve(run));
  co_return At(run->unit);
}
template <class Other>
Task<Outcome> Act(Run* run, Other) {
  co_return Refuse(*run, "NOT_A_DATABASE_ACTION", "this resource is a database");
}

}  // namespace

Task<Outcome> ActOnDatabase(Run* run) {
  return std::visit([run](const auto& action) { return Act(run, action); }, run->command.action);
}

}  // namespace baton::sim
