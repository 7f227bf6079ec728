// The supervisor of a unit: its own mind is agent/guard/supervisor_rules.h and the gate.
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/guard/supervisor_rules.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/unit.h"
#include "tests/simulation/world.h"

namespace baton::sim {

void Unit::StartSupervisor() {
  world_.queue.Revive(supervisor);
  refused_.clear();
  if (!Runs()) {
    EndOrphans();
    mind_.could_write = false;
    TrustNoOpenFence();
    if (mind_.desired_up) {
      world_.queue.At(supervisor, kMilli, [this] {
        if (!Runs() && mind_.desired_up && MayStartUnasked(fence.visible)) StartServer();
      });
    }
  }
  SupervisorTick();
}

// It cannot tell for how long nobody has looked after its server: the right may be gone meanwhile.
void Unit::TrustNoOpenFence() {
  if (!fence.visible.has_value() || fence.visible->phase != FencePhase::kOpen) return;
  world_.oracle->OnUnattended(*this);
  if (world_.Is(Mutation::kSupervisorTrustsOpen)) return;
  FenceRecord record = *fence.visible;
  record.phase = FencePhase::kUnconfirmed;
  SetFence(record, true);
}

// What a killed server left behind goes on until it is ended.
void Unit::EndOrphans() {
  if (Runs() || orphans_ == 0 || world_.Is(Mutation::kSupervisorLeavesOrphans)) return;
  world_.Tell([&] {
    return absl::StrCat("supervisor of ", ref.ToString(), " ends what its server left behind");
  });
  ++orphans_batch_;
  orphans_ = writable_orphans_ = 0;
  world_.oracle->OnWritable(*this);
}

void Unit::KillSupervisor() {
  world_.queue.Kill(supervisor);
  // A child that was not told to go on ends with its pipe.
  judging_ = 0;
  start_asked_ = restart_after_stop_ = false;
  world_.queue.At(world_.outside(), world_.Jitter(100, 900) * kMilli, [this, boots = host.boots] {
    if (boots == host.boots && host.up && !world_.queue.Alive(supervisor)) StartSupervisor();
  });
}

void Unit::KillForGood() {
  KillServer(false);
  world_.queue.Kill(supervisor);
  judging_ = 0;
  start_asked_ = restart_after_stop_ = false;
}

void Unit::StartAgain() {
  if (host.up && !world_.queue.Alive(supervisor)) StartSupervisor();
}

void Unit::SupervisorTick() {
  LookAtFence();
  world_.queue.At(supervisor, kSecond, [this] { SupervisorTick(); });
}

void Unit::LookSoon(Nanos delay) {
  world_.queue.At(supervisor, delay, [this] { LookAtFence(); });
}

void Unit::LookAtFence() {
  const bool changed = last_look_ != fence.visible;
  last_look_ = fence.visible;
  if (changed) EndOrphans();
  if (Runs() && !mind_.could_write && WasOpenedSince(fence.visible, mind_.write_at_start)) {
    mind_.could_write = true;
  }
  const bool unconfirmed =
      world_.Is(Mutation::kSupervisorStopsUnconfirmed) && PhaseNow() == FencePhase::kUnconfirmed;
  const bool must = (MustStop(fence.visible, mind_.could_write) &&
                     !world_.Is(Mutation::kSupervisorIgnoresFence)) ||
                    unconfirmed;
  if (Runs() && state_ != ServerState::kStopping && must) {
    world_.Tell([&] { return absl::StrCat("supervisor of ", ref.ToString(), " stops it"); });
    mind_.desired_up = false;
    if (is_database()) data.standby_signal = true;
    world_.oracle->OnStopBegins(*this, false);
    StopServer(false);
  }
  if (changed && !Runs() && judging_ == 0 && mind_.desired_up && MayStartUnasked(fence.visible)) {
    StartServer();
  }
}

// The gate judges while the lock is held; between its word and the server's first instruction
// anything may happen.
void Unit::StartServer() {
  if (Runs() || judging_ > 0) return;
  // A server does not start over the children of one that was killed.
  if (orphans_ > 0 && is_database()) {
    world_.queue.At(supervisor, world_.Jitter(100, 400) * kMilli, [this] {
      if (!Runs() && (mind_.desired_up || start_asked_)) StartServer();
    });
    return;
  }
  const bool lock = !world_.Is(Mutation::kGateWithoutLock);
  if (lock) ++judging_;
  world_.queue.At(supervisor, world_.Jitter(200, 2000) * kMicro, [this, lock] {
    bool may_write = false;
    const std::optional<FenceRecord> judged = fence.visible;
    const GateDecision decision = Judge(&may_write);
    world_.oracle->OnGate(*this, decision.verdict, judged);
    if (decision.verdict == GateVerdict::kRefuse) {
      if (lock) --judging_;
      refused_ = decision.reason;
      start_asked_ = false;
      world_.Tell(
          [&] { return absl::StrCat("the gate refuses ", ref.ToString(), ": ", refused_); });
      if (judged != last_look_ && mind_.desired_up) LookSoon(200 * kMilli);
      return;
    }
    std::optional<Epoch> epoch;
    if (may_write && judged->write.has_value()) epoch = judged->write->epoch;
    // A standby under an unconfirmed right is there to be promoted: it counts as one that may write
    // from its start on.
    const bool standby = decision.verdict == GateVerdict::kStandby;
    if (standby && PhaseNow() == FencePhase::kUnconfirmed) epoch.reset();
    mind_.could_write = decision.verdict == GateVerdict::kReadWrite;
    mind_.write_at_start = epoch;
    mind_.desired_up = mind_.desired_up || start_asked_;
    start_asked_ = false;
    refused_.clear();
    const bool slow = world_.storms && world_.rng.Chance(30);
    const Nanos gap = world_.Jitter(100, slow ? 400000 : 1000) * kMicro;
    world_.queue.At(supervisor, gap, [this, lock, rw = mind_.could_write, epoch] {
      if (lock) --judging_;
      Exec(rw, epoch);
    });
  });
}

bool Unit::Heard(const std::weak_ptr<Asker>& asker) const {
  return !asker.expired() || world_.Is(Mutation::kStaleRequestHeard);
}

bool Unit::RequestStart(const std::shared_ptr<Asker>& asker) {
  if (!Managed()) return false;
  world_.queue.At(supervisor, world_.Jitter(50, 500) * kMicro,
                  [this, waits = std::weak_ptr(asker)] {
                    if (!Heard(waits)) return;
                    if (state_ == ServerState::kStopping) {
                      restart_after_stop_ = true;
                    } else if (Runs()) {
                      mind_.desired_up = true;
                    } else {
                      start_asked_ = true;
                      refused_.clear();
                      StartServer();
                    }
                  });
  return true;
}

bool Unit::RequestStop(bool immediate, const std::shared_ptr<Asker>& asker) {
  if (!Managed()) return false;
  world_.queue.At(supervisor, world_.Jitter(50, 500) * kMicro,
                  [this, immediate, waits = std::weak_ptr(asker)] {
                    if (!Heard(waits)) return;
                    mind_.desired_up = false;
                    restart_after_stop_ = false;
                    if (state_ != ServerState::kStopping && Runs())
                      world_.oracle->OnStopBegins(*this, true);
                    StopServer(immediate);
                  });
  return true;
}

}  // namespace baton::sim
