#include "tests/simulation/agent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/coordinator.h"
#include "tests/simulation/oracle.h"

namespace baton::sim {

// --- ledger ---

void SimLedger::Apply(const Entry& entry) {
  if (const auto* accepted = std::get_if<CommandAccepted>(&entry)) {
    disk_.commands[accepted->command.id] = {accepted->command, std::nullopt};
  } else if (const auto* finished = std::get_if<CommandFinished>(&entry)) {
    const auto it = disk_.commands.find(finished->command);
    if (agent_.world.Is(Mutation::kLedgerForgetsFinished)) return;
    if (it != disk_.commands.end()) it->second.outcome = finished->outcome;
  } else if (const auto* epoch = std::get_if<EpochSeen>(&entry)) {
    if (agent_.world.Is(Mutation::kAgentForgetsEpochs)) return;
    Epoch& seen = disk_.epochs[epoch->pool];
    if (!epoch->journal.empty() &&
        (disk_.journals[epoch->pool].empty() || epoch->epoch.generation > seen.generation)) {
      disk_.journals[epoch->pool] = epoch->journal;
    }
    seen = std::max(seen, epoch->epoch);
    agent_.world.oracle->OnAgentEpoch(agent_.host.index, seen);
  } else if (const auto* fence = std::get_if<FenceWritten>(&entry)) {
    disk_.fences[fence->resource] = fence->record;
  } else if (const auto* session = std::get_if<SessionOpened>(&entry)) {
    disk_.session_counter = session->counter;
  }
}

void SimLedger::Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) {
  World& world = agent_.world;
  if (failing) {
    return done(absl::ResourceExhaustedError("no space left on device"));
  }
  const Nanos sync = world.Jitter(100, world.storms ? 4000 : 400) * kMicro;
  const bool early = world.Is(Mutation::kLedgerAnswersEarly);
  if (early) world.queue.At(agent_.process, 0, [done] { done(absl::OkStatus()); });
  world.queue.At(agent_.process, early ? sync * 20 : sync,
                 [this, entries = std::move(entries), done = std::move(done), early]() mutable {
                   World& sim = agent_.world;
                   // One that answers early is not what its agent knows.
                   if (!early) CompareReplay();
                   sim.Sync(SyncPoint::kLedgerWritten, agent_.host.index);
                   if (!sim.queue.Alive(agent_.process)) return;
                   for (const Entry& entry : entries) Apply(entry);
                   sim.Sync(SyncPoint::kLedgerSynced, agent_.host.index);
                   if (!sim.queue.Alive(agent_.process)) return;
                   if (!early) {
                     sim.queue.At(agent_.process, sim.Jitter(10, 200) * kMicro,
                                  [done = std::move(done)] { done(absl::OkStatus()); });
                   }
                   for (const Entry& entry : entries) {
                     if (const auto* accepted = std::get_if<CommandAccepted>(&entry)) {
                       agent_.hook(accepted->command.id, Point::kAccepted);
                     } else if (const auto* finished = std::get_if<CommandFinished>(&entry)) {
                       agent_.hook(finished->command, Point::kFinished);
                     }
                   }
                 });
}

Ledger::Contents SimLedger::Read() {
  Contents contents;
  contents.fresh = fresh_;
  if (fresh_) id_ = LedgerId(absl::StrCat(name_, "-", ++made_));
  fresh_ = false;
  contents.id = id_;
  contents.session_counter = disk_.session_counter;
  for (const auto& [pool, epoch] : disk_.epochs) contents.epochs.emplace_back(pool, epoch);
  for (const auto& [pool, journal] : disk_.journals) contents.journals.emplace_back(pool, journal);
  for (const auto& [id, record] : disk_.fences) contents.fences.emplace_back(id, record);
  for (const auto& [id, command] : disk_.commands) contents.commands.push_back(command);
  contents.children = children;
  return contents;
}

// The core writes again only after it was answered: between two writes it knows what is on disk.
void SimLedger::CompareReplay() {
  const agent::AgentCore* core = agent_.core();
  if (core == nullptr) return;
  const agent::AgentState& memory = core->state();
  const bool same = memory.session_counter == disk_.session_counter &&
                    memory.epochs == disk_.epochs && memory.journals == disk_.journals;
  agent_.world.oracle->OnLedgerReplayed(agent_.host.index, same && HoldsCommandsOf(memory));
}

bool SimLedger::HoldsCommandsOf(const agent::AgentState& memory) const {
  for (const auto& [id, known] : memory.commands) {
    const auto it = disk_.commands.find(id);
    if (it == disk_.commands.end()) return false;
    const bool finished = known.phase == agent::CommandPhase::kFinished;
    if (finished != it->second.outcome.has_value()) return false;
    if (finished && known.outcome->code != it->second.outcome->code) return false;
  }
  // What has finished is forgotten after a while; what has not never is.
  return std::all_of(disk_.commands.begin(), disk_.commands.end(), [&memory](const auto& entry) {
    return entry.second.outcome.has_value() || memory.commands.contains(entry.first);
  });
}

bool SimLedger::Accepted(const CommandId& id) const { return disk_.commands.contains(id); }

Epoch SimLedger::EpochOf(const PoolId& pool) const {
  const auto it = disk_.epochs.find(pool);
  return it == disk_.epochs.end() ? Epoch() : it->second;
}

const std::optional<FenceRecord> SimLedger::FenceOf(const ResourceId& id) const {
  const auto it = disk_.fences.find(id);
  if (it == disk_.fences.end()) return std::nullopt;
  return it->second;
}

void SimLedger::Lose() {
  disk_ = OnDisk();
  children.clear();
  fresh_ = true;
}

// --- fence file ---

void UnitFenceFile::Read(
    std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) {
  World& world = agent_.world;
  world.queue.At(agent_.process, world.Jitter(50, 500) * kMicro, [this, done = std::move(done)] {
    if (!unit_.fence.visible.has_value()) return done(absl::NotFoundError(""), unit_.host.boot);
    agent_.seen_by_core[unit_.index] = unit_.fence.visible;
    done(*unit_.fence.visible, unit_.host.boot);
  });
}

namespace {

// May the store replace the file (agent/guard/host/guard_fence_store.cc)?
bool MayReplace(const std::optional<FenceRecord>& seen, const Unit& unit,
                const FenceRecord& record) {
  const auto& before = unit.fence.visible;
  if (!before.has_value()) return true;
  if (record.fence_epoch < before->fence_epoch) return false;
  const auto strict = [](FencePhase phase) { return phase >= FencePhase::kClosing; };
  return !strict(before->phase) || strict(record.phase) || seen == before;
}

}  // namespace

void UnitFenceFile::Write(const FenceRecord& record, std::function<void(absl::Status)> done) {
  World& world = agent_.world;
  FenceRecord stamped = record;
  stamped.ledger = agent_.ledger.id();
  world.queue.At(agent_.process, world.Jitter(100, 1000) * kMicro, [this, stamped, done] {
    if (!MayReplace(agent_.seen_by_core[unit_.index], unit_, stamped)) {
      return done(absl::FailedPreconditionError("the fence file was changed by someone else"));
    }
    World& sim = agent_.world;
    sim.Sync(SyncPoint::kFenceWritten, agent_.host.index);
    if (!sim.queue.Alive(agent_.process)) return;
    const bool reopens =
        stamped.phase == FencePhase::kOpen && unit_.PhaseNow() != FencePhase::kOpen;
    if (reopens) sim.oracle->OnReopened(unit_, stamped);
    unit_.SetFence(stamped, false);
    sim.Sync(SyncPoint::kFenceRenamed, agent_.host.index);
    sim.queue.At(agent_.process, sim.Jitter(100, 1000) * kMicro, [this, stamped, done] {
      const bool synced = !agent_.world.Is(Mutation::kFenceFileNotSynced);
      if (synced && unit_.fence.visible == stamped) unit_.fence.durable = stamped;
      agent_.world.oracle->OnFenceWritten(unit_, stamped);
      agent_.world.Sync(SyncPoint::kFenceSynced, agent_.host.index);
      if (unit_.is_database() && stamped.phase >= FencePhase::kClosing) {
        unit_.data.standby_signal = true;
      }
      agent_.seen_by_core[unit_.index] = stamped;
      done(absl::OkStatus());
    });
  });
}

void UnitFenceFile::Enforce(std::function<void(absl::Status)> done) {
  World& world = agent_.world;
  world.queue.At(agent_.process, world.Jitter(50, 500) * kMicro, [this, done = std::move(done)] {
    const auto& record = unit_.fence.visible;
    if (!record.has_value()) return done(absl::NotFoundError("no fence file"));
    if (record->phase < FencePhase::kClosing || !record->write.has_value()) {
      return done(absl::OkStatus());
    }
    unit_.data.standby_signal = true;
    const auto asker = std::make_shared<Unit::Asker>();
    if (!unit_.RequestStop(false, asker)) return done(absl::UnavailableError("no answer"));
    AwaitStopped(agent_.world.queue.now() + 2 * kSecond,
                 [asker, done](const absl::Status& stopped) { done(stopped); });
  });
}

void UnitFenceFile::AwaitStopped(Nanos until, std::function<void(absl::Status)> done) {
  World& world = agent_.world;
  world.queue.At(agent_.process, world.Jitter(2, 10) * kMilli,
                 [this, until, done = std::move(done)]() mutable {
                   if (unit_.LockFree()) return done(absl::OkStatus());
                   if (agent_.world.queue.now() > until) {
                     return done(absl::DeadlineExceededError("still runs"));
                   }
                   AwaitStopped(until, std::move(done));
                 });
}

// co_await Cut{…}: where a store may be cut off; whom that kills goes no further.
struct Cut {
  AgentProcess& agent;
  SyncPoint point;

  bool await_ready() const {
    agent.world.Sync(point, agent.host.index);
    return agent.world.queue.Alive(agent.process);
  }
  void await_suspend(std::coroutine_handle<>) const {}
  void await_resume() const {}
};

// Ledger, then the file under another name, then the name, then the folder.
Task<Outcome> WriteFence(Run* run, FenceRecord record) {
  AgentProcess& agent = run->agent;
  World& world = agent.world;
  record.ledger = agent.ledger.id();
  const auto& seen = agent.seen_by_runner[run->unit.index];
  if (!MayReplace(seen, run->unit, record)) {
    co_return Refuse(*run, "FENCE_CHANGED", "the fence file was changed by someone else");
  }
  if (agent.ledger.failing) co_return Fail("LEDGER_FAILED", "the ledger takes no entry");
  co_await Sleep{world.queue, agent.process, world.Jitter(100, 1000) * kMicro};
  if (!world.Is(Mutation::kFenceForgetsLedger)) {
    co_await Cut{agent, SyncPoint::kLedgerWritten};
    agent.ledger.Apply(Ledger::FenceWritten{run->unit.ref.resource, record});
    co_await Cut{agent, SyncPoint::kLedgerSynced};
    agent.core()->NoteFence(run->unit.ref.resource, record);
  }
  co_await Sleep{world.queue, agent.process, world.Jitter(100, 1000) * kMicro};
  if (!MayReplace(seen, run->unit, record)) {
    co_return Refuse(*run, "FENCE_CHANGED", "the fence file was changed by someone else");
  }
  // A file that says so already may have been renamed by one who died before its folder was synced.
  if (run->unit.fence.visible != record) {
    world.Sync(SyncPoint::kFenceWritten, agent.host.index);
    co_await Sleep{world.queue, agent.process, 0};
    run->unit.SetFence(record, false);
    if (record.phase == FencePhase::kOpen)
      world.oracle->OnConfirmed(run->unit, run->unit.host.boot);
    run->did = true;
    world.Sync(SyncPoint::kFenceRenamed, agent.host.index);
  }
  agent.seen_by_runner[run->unit.index] = record;
  co_await Sleep{world.queue, agent.process, world.Jitter(50, 1000) * kMicro};
  const bool synced = !world.Is(Mutation::kFenceFileNotSynced);
  if (synced && run->unit.fence.visible == record) run->unit.fence.durable = record;
  world.oracle->OnFenceWritten(run->unit, record);
  world.oracle->OnFenceLedger(run->unit, record, agent.ledger.FenceOf(run->unit.ref.resource));
  world.Sync(SyncPoint::kFenceSynced, agent.host.index);
  co_await Sleep{world.queue, agent.process, 0};
  world.Tell([&] {
    return absl::StrCat("fence of ", run->unit.ref.ToString(), " says ",
                        std::string(ToString(record.phase)), " under epoch ",
                        record.fence_epoch.ToString());
  });
  co_return OkOutcome();
}

// --- the process ---

AgentProcess::AgentProcess(World& sim, Host& on, CoordinatorProcess& coordinator, PointHook points)
    : world(sim),
      host(on),
      process(sim.queue.Add()),
      loop(sim.queue, process),
      ledger(*this, absl::StrCat("ledger-", on.id.value())),
      hook(std::move(points)),
      coordinator_(coordinator) {}

AgentProcess::~AgentProcess() = default;

void AgentProcess::Start() {
  if (running() || !host.up) return;
  world.queue.Revive(process);
  seen_by_core.clear();
  seen_by_runner.clear();
  std::vector<agent::AgentCore::Resource> resources;
  for (Unit* unit : host.units) {
    Parts parts{std::make_unique<UnitProbe>(*this, *unit),
                std::make_unique<UnitRunner>(*this, *unit),
                std::make_unique<UnitFenceFile>(*this, *unit)};
    resources.push_back({{unit->ref.resource, world.pool},
                         parts.probe.get(),
                         parts.runner.get(),
                         parts.fence.get()});
    parts_.push_back(std::move(parts));
  }
  link_ = std::make_unique<SimLink>(*this, coordinator_);
  agent::AgentCore::Options options;
  options.host = host.id;
  options.version = "0.1.0";
  options.seed = world.rng.Next();
  if (world.story.told()) {
    options.log = [this](agent::Severity severity, const std::string& text) {
      if (severity == agent::Severity::kInfo) return;
      world.Tell([&] { return absl::StrCat("agent of ", host.id.value(), ": ", text); });
    };
  }
  core_ = std::make_unique<agent::AgentCore>(
      std::move(options), agent::AgentCore::Ports{&loop, &loop, &ledger, this, link_.get()},
      resources, ledger.Read());
  core_->Start();
}

// What it had called is not freed yet: the call may come from inside.
void AgentProcess::Kill() {
  if (!running()) return;
  world.Tell([&] { return absl::StrCat("agent of ", host.id.value(), " dies"); });
  world.oracle->OnAgentEnds(host.index);
  link_->Close();
  world.queue.Kill(process);
  dead_.push_back(std::move(core_));
  dead_parts_.push_back(std::move(parts_));
  dead_links_.push_back(std::move(link_));
  parts_.clear();
  if (child) {
    orphan = std::exchange(child, nullptr);
    world.queue.At(world.outside(), world.Jitter(1, 2000) * kMilli, [this, known = ledger.id()] {
      if (!orphan) return;
      // With its ledger an agent loses all knowledge of what an earlier one began.
      const bool speaks =
          running() && known == ledger.id() && core_->state().stage == agent::Stage::kSettled;
      world.oracle->OnOrphanActs(host.index, speaks);
      std::exchange(orphan, nullptr)();
    });
  }
}

void AgentProcess::PowerOff() {
  Kill();
  orphan = nullptr;
}

uint64_t AgentProcess::CarriedBy(const CommandId& command) const {
  return coordinator_.CarriedBy(command);
}

void AgentProcess::Bury() {
  dead_.clear();
  dead_parts_.clear();
  dead_links_.clear();
}

void AgentProcess::End(std::vector<ChildProcess>,
                       std::function<void(std::vector<ChildProcess>)> done) {
  world.queue.At(process, world.Jitter(1, 20) * kMilli, [this, done = std::move(done)] {
    if (!world.Is(Mutation::kChildrenNotEnded)) orphan = nullptr;
    ledger.children.clear();
    done({});
  });
}

}  // namespace baton::sim
