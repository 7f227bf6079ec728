// What the Prosody runner does (agent/chat), effect by effect, on the model.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/agent.h"
#include "tests/simulation/oracle.h"

namespace baton::sim {
namespace {

const Unit* DatabaseOf(const Run& run, int host) {
  return host < 0 ? nullptr : run.agent.world.InstanceOn(0, host);
}

bool Connected(const Run& run) {
  const Unit* database = DatabaseOf(run, run.unit.uses);
  return database != nullptr && database->Answers() &&
         run.agent.world.Reaches(run.unit.host.index, run.unit.uses) &&
         run.agent.world.Reaches(run.unit.uses, run.unit.host.index);
}

bool LooksServing(const Run& run) {
  return run.unit.Answers() && run.unit.accepting && Connected(run) &&
         run.unit.uses == run.unit.points_at;
}

Task<Outcome> Act(Run* run, CheckChat wanted) {
  SIM_PAUSE(run, kMilli, 3 * kMilli);
  if (!run->unit.Managed()) co_return Refuse(*run, "NOT_MANAGED", "no supervisor answers");
  if (wanted.running && !LooksServing(*run)) co_return Refuse(*run, "NOT_SERVING", "not serving");
  if (!wanted.running && run->unit.Runs()) co_return Refuse(*run, "NOT_STOPPED", "it runs");
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, Drain) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  if (StaleEpoch(*run, FenceOrClosed(run))) co_return Refuse(*run, "STALE_EPOCH", "seen more");
  if (!unit.Runs()) co_return OkOutcome();
  if (!unit.Answers()) co_return Unsure("CONTROL_SILENT", "it does not answer");
  unit.Drain();
  run->did = true;
  SIM_PAUSE(run, 2 * kMilli, 10 * kMilli);
  if (unit.Runs() && unit.accepting) co_return Fail("NOT_DRAINED", "it takes clients");
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, Deactivate) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  FenceRecord record = FenceOrClosed(run);
  if (StaleEpoch(*run, record)) co_return Refuse(*run, "STALE_EPOCH", "the fence has seen more");
  record.phase = FencePhase::kClosed;
  record.fence_epoch = run->command.epoch;
  record.write.reset();
  record.fetch.clear();
  if (unit.Answers()) unit.Drain();
  SIM_PAUSE(run, kMilli, 3 * kMilli);
  SIM_TRY(WriteFence(run, record));
  if (run->agent.world.Is(Mutation::kDrainNotProven)) co_return OkOutcome();
  SIM_TRY(StopAndProve(run));
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, PointAt action) {
  Unit& unit = run->unit;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  if (StaleEpoch(*run, FenceOrClosed(run))) co_return Refuse(*run, "STALE_EPOCH", "seen more");
  const int wanted = run->agent.world.HostIndex(action.instance);
  if (unit.points_at == wanted) co_return OkOutcome();
  if (unit.Runs()) co_return Refuse(*run, "RUNNING", "it reads its file only when it starts");
  unit.points_at = wanted;
  run->did = true;
  SIM_PAUSE(run, kMilli / 10, kMilli);
  co_return OkOutcome();
}

Task<Outcome> StartAndWait(Run* run) {
  Unit& unit = run->unit;
  if (unit.points_at < 0) co_return Refuse(*run, "NOT_POINTED", "PointAt comes first");
  const auto asker = std::make_shared<Unit::Asker>();
  if (!unit.RequestStart(asker)) co_return Fail("NOT_MANAGED", "its supervisor does not answer");
  Nanos wait = 2 * kMilli;
  for (int polls = 1; !LooksServing(*run); ++polls) {
    SIM_PAUSE(run, wait, wait * 2);
    wait = std::min(wait * 2, 50 * kMilli);
    if (!unit.refused().empty() && !unit.Runs()) co_return Fail("GATE_REFUSED", "the gate refused");
    if (polls % 10 == 0 && !unit.Runs()) {
      co_return Fail("ENDED_WHILE_STARTING", "it ended while it started");
    }
    if (unit.Answers() && !unit.accepting) {
      unit.accepting = true;
      run->agent.world.oracle->OnChatServes(unit);
    }
  }
  run->did = true;
  co_return OkOutcome();
}

FenceRecord OpenFence(Run* run) {
  FenceRecord record = FenceOrClosed(run);
  record.confirmed_boot = run->unit.host.boot;
  record.phase = FencePhase::kOpen;
  record.fence_epoch = run->command.epoch;
  Lineage write;
  write.epoch = run->command.epoch;
  write.instance = run->unit.host.id;
  record.write = write;
  record.fetch.clear();
  return record;
}

Task<Outcome> Act(Run* run, Activate) {
  SIM_PAUSE(run, kMilli / 10, kMilli);
  if (StaleEpoch(*run, FenceOrClosed(run))) co_return Refuse(*run, "STALE_EPOCH", "seen more");
  if (run->unit.points_at < 0) co_return Refuse(*run, "NOT_POINTED", "PointAt comes first");
  run->agent.world.oracle->OnConfirmed(run->unit, run->unit.host.boot);
  SIM_TRY(WriteFence(run, OpenFence(run)));
  SIM_PAUSE(run, kMilli / 10, kMilli);
  SIM_TRY(StartAndWait(run));
  co_return OkOutcome();
}

Task<Outcome> Act(Run* run, Canary) {
  SIM_PAUSE(run, kMilli, 5 * kMilli);
  Unit* database = run->unit.uses < 0 ? nullptr : run->agent.world.InstanceOn(0, run->unit.uses);
  if (!LooksServing(*run) || database->state() != ServerState::kPrimary) {
    co_return Fail("CANARY_LOST", "the message did not come back");
  }
  database->Append(0);
  SIM_PAUSE(run, kMilli, 5 * kMilli);
  co_return OkOutcome();
}

template <class Other>
Task<Outcome> Act(Run* run, Other) {
  co_return Refuse(*run, "UNSUPPORTED_ACTION", "a chat server has no such action");
}

struct Looker {
  Run* run;

  Outcome Seen(bool holds) const {
    return holds ? OkOutcome() : Unsure("NOT_SEEN", "it is not seen to hold");
  }
  Outcome operator()(const CheckChat& wanted) const {
    return Seen(wanted.running ? LooksServing(*run) : !run->unit.Runs());
  }
  Outcome operator()(const Drain&) const {
    return Seen(!run->unit.Runs() || (run->unit.Answers() && !run->unit.accepting));
  }
  Outcome operator()(const Deactivate&) const {
    const auto& record = run->unit.fence.visible;
    return Seen(record.has_value() && record->phase == FencePhase::kClosed &&
                record->fence_epoch >= run->command.epoch && run->unit.LockFree());
  }
  Outcome operator()(const Activate&) const {
    FenceRecord wanted = OpenFence(run);
    return Seen(!StaleEpoch(*run, FenceOrClosed(run)) && run->unit.fence.visible == wanted &&
                LooksServing(*run));
  }
  Outcome operator()(const PointAt& action) const {
    return Seen(run->unit.points_at == run->agent.world.HostIndex(action.instance));
  }
  template <class Other>
  Outcome operator()(const Other&) const {
    return Seen(false);
  }
};

}  // namespace

Task<Outcome> ActOnChat(Run* run) {
  return std::visit([run](const auto& action) { return Act(run, action); }, run->command.action);
}

Outcome LookAtChat(Run* run) { return std::visit(Looker{run}, run->command.action); }

}  // namespace baton::sim
