#include "tests/simulation/unit.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/guard/supervisor_rules.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/world.h"

namespace baton::sim {
namespace {

constexpr Nanos kNotices = 1200 * kMilli;

}  // namespace

Unit::Unit(World& world, int number, Host& on, ResourceId resource, int of)
    : index(number),
      host(on),
      ref{on.id, std::move(resource)},
      database(of),
      supervisor(world.queue.Add()),
      server(world.queue.Add()),
      world_(world) {
  world.queue.Kill(server);
}

bool Unit::Answers() const {
  return (state_ == ServerState::kStandby || state_ == ServerState::kPrimary ||
          state_ == ServerState::kServing) &&
         !world_.queue.Paused(server);
}

bool Unit::Managed() const {
  return world_.queue.Alive(supervisor) && !world_.queue.Paused(supervisor);
}

FencePhase Unit::PhaseNow() const {
  return fence.visible.has_value() ? EffectivePhase(*fence.visible, host.boot)
                                   : FencePhase::kClosed;
}

void Unit::SetFence(const FenceRecord& record, bool durable) {
  // Some of them, since it takes as long as all else that a write does.
  if (world_.queue.events() % 4 == 0) {
    const absl::StatusOr<FenceRecord> read = ParseFenceRecord(FormatFenceRecord(record));
    if (!read.ok() || *read != record) {
      world_.oracle->Fail(Checker::kFenceFile, absl::StrCat("the fence of ", ref.ToString(),
                                                            " is not read as it was written"));
    }
  }
  fence.visible = record;
  if (durable) fence.durable = record;
  FenceChanged();
}

void Unit::DamageFence() {
  if (!fence.visible.has_value()) return;
  std::string text = FormatFenceRecord(*fence.visible);
  if (world_.rng.Chance(50)) {
    text.resize(world_.rng.Below(text.size()));
  } else {
    text[world_.rng.Below(text.size())] ^= static_cast<char>(1 + world_.rng.Below(127));
  }
  std::optional<FenceRecord> left;
  if (absl::StatusOr<FenceRecord> read = ParseFenceRecord(text); read.ok()) left = *read;
  if (!left.has_value() && world_.Is(Mutation::kDamageIgnored)) {
    left = fence.visible;
    left->phase = FencePhase::kOpen;
  }
  world_.oracle->OnFenceDamaged(*this, *fence.visible, left);
  fence.visible = fence.durable = left;
  FenceChanged();
}

void Unit::FenceChanged() {
  LookSoon(world_.Jitter(100 * kMicro, 2 * kMilli));
  if (is_database() && state_ == ServerState::kStandby) ReplaySoon(world_.Jitter(1, 100) * kMilli);
}

GateDecision Unit::Judge(bool* may_write) const {
  GateFacts facts;
  facts.fence = fence.visible;
  facts.boot = host.boot;
  facts.is_database = is_database();
  facts.standby_signal = data.standby_signal;
  facts.data_directory_whole = !is_database() || data.Whole();
  facts.was_in_recovery = is_database() && data.InRecovery();
  if (facts.fence.has_value()) {
    if (world_.Is(Mutation::kGateIgnoresBoot)) facts.fence->confirmed_boot = host.boot;
    if (world_.Is(Mutation::kGateIgnoresFence)) {
      facts.fence->phase = FencePhase::kOpen;
      facts.fence->confirmed_boot = host.boot;
      if (!facts.fence->write.has_value()) facts.fence->write = Lineage();
    }
  }
  *may_write = facts.fence.has_value() && facts.fence->write.has_value();
  return JudgeGate(facts);
}

// --- the server ---

void Unit::BecomeWritable(bool writable) {
  if (writable_ == writable) return;
  writable_ = writable;
  world_.oracle->OnWritable(*this);
}

void Unit::Exec(bool read_write, std::optional<Epoch>) {
  world_.queue.Revive(server);
  state_ = ServerState::kStarting;
  started_writable_ = read_write;
  const Nanos takes = is_database() ? world_.Jitter(15, 60) : world_.Jitter(10, 80);
  world_.queue.At(server, takes * kMilli, [this, read_write] { Up(read_write); });
}

void Unit::Up(bool read_write) {
  world_.Tell([&] {
    return absl::StrCat(ref.ToString(), " is up, ",
                        !is_database() ? "serves clients"
                        : read_write   ? "accepts writes"
                                       : "read-only");
  });
  if (!is_database()) {
    state_ = ServerState::kServing;
    accepting = true;
    uses = points_at;
    world_.oracle->OnServerUp(*this, true);
    world_.oracle->OnChatServes(*this);
    return;
  }
  if (read_write && !data.standby_signal) {
    if (data.control == DataDirectory::Control::kInRecovery) {
      world_.oracle->Fail(Checker::kLineage,
                          absl::StrCat(ref.ToString(), " writes in the timeline that it followed"));
    }
    state_ = ServerState::kPrimary;
    data.control = DataDirectory::Control::kRunning;
    world_.oracle->OnServerUp(*this, true);
    BecomeWritable(true);
    ArchiveSoon(5 * kMilli);
    ArchiveTick();
    return;
  }
  state_ = ServerState::kStandby;
  idle_replays = 0;
  if (data.InRecovery() && world_.queue.events() % 4 == 0) data.ForgetRestored();
  data.control = DataDirectory::Control::kInRecovery;
  // Judged writable and come up after all: only standby.signal has kept it from writing.
  world_.oracle->OnServerUp(*this, read_write);
  ReplaySoon(kMilli);
}

void Unit::AskToPromote() {
  if (promotion_pending) return;
  promotion_pending = true;
  const bool late = world_.storms && world_.rng.Chance(10);
  world_.queue.At(server, world_.Jitter(2, late ? 3000 : 20) * kMilli, [this] {
    if (state_ != ServerState::kStandby) return;
    data.standby_signal = false;
    world_.queue.At(server, world_.Jitter(100, 3000) * kMicro, [this] { Promoted(); });
  });
}

void Unit::Promoted() {
  promotion_pending = false;
  if (state_ != ServerState::kStandby) return;
  uint32_t highest = data.timeline;
  for (const auto& [key, file] : copied) {
    if (key.first.database == database) highest = std::max(highest, key.second.timeline);
  }
  data.Promote(highest + 1);
  state_ = ServerState::kPrimary;
  world_.Tell([&] {
    return absl::StrCat(ref.ToString(), " was promoted: accepts writes from ",
                        data.Position().ToString());
  });
  BecomeWritable(true);
  world_.oracle->OnPromotion(*this);
  ArchiveSoon(kMilli);
  ArchiveTick();
}

void Unit::StopServer(bool immediate) {
  if (!Runs() || state_ == ServerState::kStopping) return;
  stopping_on_purpose_ = true;
  if (state_ == ServerState::kStarting) {
    world_.queue.Kill(server);
    world_.queue.Revive(server);
  }
  state_ = ServerState::kStopping;
  accepting = false;
  const Nanos takes = immediate ? 2 : world_.Jitter(5, world_.storms ? 300 : 40);
  world_.queue.At(server, takes * kMilli, [this] { FinishStop(); });
}

void Unit::FinishStop() {
  if (is_database() && writable_) {
    data.Switch();
    const Nanos now = world_.queue.now();
    data.ShutDown(world_.NewEntryId(), now, now + host.wall_offset);
  } else if (is_database() && data.control == DataDirectory::Control::kInRecovery) {
    data.control = DataDirectory::Control::kStoppedInRecovery;
  }
  world_.Tell([&] { return absl::StrCat(ref.ToString(), " has stopped"); });
  Ended();
}

// However it ended. The supervisor hears of it.
void Unit::Ended() {
  BecomeWritable(false);
  state_ = ServerState::kDown;
  accepting = false;
  promotion_pending = false;
  archiving_ = false;
  replay_due_ = false;
  world_.queue.Kill(server);
  const bool on_purpose = std::exchange(stopping_on_purpose_, false);
  world_.queue.At(supervisor, world_.Jitter(100, 2000) * kMicro, [this, on_purpose] {
    if (Runs()) return;
    mind_.could_write = false;
    if (std::exchange(restart_after_stop_, false)) {
      start_asked_ = true;
      return StartServer();
    }
    if (on_purpose || !mind_.desired_up) return;
    world_.queue.At(supervisor, world_.Jitter(200, 800) * kMilli, [this] {
      if (!Runs() && mind_.desired_up && MayStartUnasked(fence.visible)) StartServer();
    });
  });
}

void Unit::KillServer(bool orphans) {
  if (!Runs()) return;
  world_.Tell([&] {
    return absl::StrCat(ref.ToString(), " was killed", orphans ? ", its children live on" : "");
  });
  const bool was_writable = writable_;
  if (orphans) {
    ++orphans_;
    if (was_writable) ++writable_orphans_;
    // Most notice soon; what computes for long does not.
    Nanos lives = world_.Jitter(50, 1500) * kMilli;
    if (lives > kNotices) lives *= 40;
    world_.queue.At(world_.outside(), lives,
                    [this, was_writable, boots = host.boots, batch = orphans_batch_] {
                      if (boots != host.boots || batch != orphans_batch_ || orphans_ == 0) return;
                      --orphans_;
                      if (was_writable) --writable_orphans_;
                      world_.oracle->OnWritable(*this);
                    });
    world_.queue.At(supervisor, kMilli, [this] { EndOrphans(); });
  }
  const bool on_purpose = std::exchange(stopping_on_purpose_, false);
  Ended();
  stopping_on_purpose_ = on_purpose && false;
}

void Unit::PowerOff() {
  world_.queue.Kill(server);
  world_.queue.Kill(supervisor);
  BecomeWritable(false);
  orphans_ = writable_orphans_ = judging_ = 0;
  world_.oracle->OnWritable(*this);
  state_ = ServerState::kDown;
  accepting = false;
  promotion_pending = archiving_ = replay_due_ = stopping_on_purpose_ = false;
  start_asked_ = restart_after_stop_ = false;
  const bool kept = world_.rng.Chance(50);
  if (kept) {
    fence.durable = fence.visible;
  } else {
    fence.visible = fence.durable;
    world_.oracle->OnFenceLost(*this);
  }
}

void Unit::PowerOn() { StartSupervisor(); }

}  // namespace baton::sim
