// How what goes wrong goes wrong, and how it is mended.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/simulation.h"

namespace baton::sim {
namespace {

// By then a supervisor that works has stopped what was fenced by hand.
constexpr Nanos kHandFenceDue = 1500 * kMilli;

std::optional<Verb> VerbOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kEarlyResume:
      return Verb::kResume;
    case FaultKind::kOperatorPauses:
      return Verb::kPause;
    case FaultKind::kOperatorRetries:
      return Verb::kRetry;
    case FaultKind::kOperatorSkips:
      return Verb::kSkip;
    case FaultKind::kOperatorAborts:
      return Verb::kAbort;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view LossName(Loss loss) {
  constexpr std::array<std::string_view, kLosses> kNames = {"power",   "with-share", "killed",
                                                            "cut-off", "database",   "chat"};
  return kNames[static_cast<size_t>(loss)];
}

std::optional<Loss> FindLoss(std::string_view name) {
  for (int i = 0; i < kLosses; ++i) {
    if (LossName(static_cast<Loss>(i)) == name) return static_cast<Loss>(i);
  }
  return std::nullopt;
}

// --- when ---

void Simulation::Arm(const Fault& fault) {
  if (fault.step >= 0) return;
  const size_t index = static_cast<size_t>(&fault - scenario_.faults.data());
  world_->queue.At(world_->outside(), fault.at, [this, index] {
    if (healed_) return;
    fired_[index] = true;
    Fire(scenario_.faults[index], -1);
  });
}

void Simulation::OnPoint(const CommandId& id, Point point) {
  const auto name = ParseCommandId(id);
  const bool known = plan_ != nullptr && plan_->id == name->plan;
  if (!known && coordinator_->running()) {
    const Execution* running = coordinator_->state()->FindExecution(name->plan);
    if (running != nullptr) plan_ = running->plan;
  }
  if (plan_ == nullptr || plan_->id != name->plan) return;
  const Step& step = plan_->steps[name->step];
  const int kind = StepKindOf(step);
  if (kind < 0) return;
  if (points_of_ != name->plan) {
    points_.clear();
    points_of_ = name->plan;
  }
  points_[name->step] = {kind, point};
  if (awaited_.move == moves_ && awaited_.step == kind && awaited_.point == point) {
    awaited_.reached = true;
  }
  for (size_t i = 0; i < scenario_.faults.size(); ++i) {
    const Fault& fault = scenario_.faults[i];
    if (fired_[i] || healed_ || fault.step != kind || fault.point != point ||
        fault.move != moves_) {
      continue;
    }
    fired_[i] = true;
    const int host = world_->HostIndex(step.target.host);
    if (fault.delay == 0) {
      Fire(fault, host);
    } else {
      world_->queue.At(world_->outside(), fault.delay, [this, i, host] {
        if (!healed_) Fire(scenario_.faults[i], host);
      });
    }
  }
  if (kind == kStepKinds - 1) points_.erase(name->step);
}

// What was under way when it happened, and how far.
void Simulation::Cover(FaultKind fault) {
  const Execution* running = Running();
  for (const auto& [step, reached] : points_) {
    const bool raises = reached.first == kStepKinds - 1;
    const bool stale = running != nullptr && !raises && running->plan->id == points_of_ &&
                       running->steps[step].state != StepState::kRunning &&
                       reached.second != Point::kRecorded;
    if (!stale) coverage_.set(CellOf(reached.first, fault, reached.second));
  }
}

// --- what ---

void Simulation::Lasting(Nanos lasts, std::function<void()> begin, std::function<void()> end) {
  begin();
  const uint64_t id = ++last_end_;
  ends_[id] = std::move(end);
  world_->queue.At(world_->outside(), lasts, [this, id] {
    const auto it = ends_.find(id);
    if (it == ends_.end()) return;
    const std::function<void()> mend = std::move(it->second);
    ends_.erase(it);
    mend();
  });
}

void Simulation::Heal() {
  healed_ = true;
  calm_since_ = world_->queue.now();
  // A network that loses messages breaks its streams at last; nobody need ask before that.
  for (int host = 0; world_->storms && host < world_->agent_hosts; ++host) {
    if (coordinator_->running()) coordinator_->BreakStreams(host);
  }
  world_->storms = false;
  const auto ends = std::exchange(ends_, {});
  for (const auto& [id, mend] : ends) mend();
  world_->Tell([] { return std::string("--- everything is mended"); });
  if (oracle_.tracing()) oracle_.Trace("mended");
}

void Simulation::Fire(const Fault& fault, int step_host) {
  const int host = fault.host >= 0 ? fault.host : step_host >= 0 ? step_host : 0;
  world_->Tell([&] {
    return absl::StrCat("!!! ", std::string(ToString(fault.kind)), " (",
                        world_->hosts[host].id.value(), ")");
  });
  if (oracle_.tracing()) {
    oracle_.Trace(absl::StrCat("fault ", std::string(ToString(fault.kind)), " ",
                               world_->hosts[host].id.value()));
  }
  Cover(fault.kind);
  dirty_ = true;
  switch (fault.kind) {
    case FaultKind::kCoordinatorCrash:
      return Lasting(
          fault.lasts, [this] { coordinator_->Kill(); }, [this] { coordinator_->Start(); });
    case FaultKind::kCoordinatorPause:
      oracle_.OnReportsLate();
      return Lasting(
          fault.lasts, [this] { world_->queue.Pause(coordinator_->process); },
          [this] { world_->queue.Resume(coordinator_->process); });
    case FaultKind::kHostCrash:
    case FaultKind::kHostPause:
    case FaultKind::kSiteCrash:
    case FaultKind::kSitePause:
    case FaultKind::kClockJump:
      return FireOnHost(fault, host);
    case FaultKind::kAgentCrash:
    case FaultKind::kAgentPause:
    case FaultKind::kSupervisorCrash:
    case FaultKind::kSupervisorPause:
    case FaultKind::kServerCrash:
    case FaultKind::kServerPause:
    case FaultKind::kLedgerLost:
    case FaultKind::kLedgerFull:
    case FaultKind::kFenceDamaged:
      return FireOnUnits(fault, host);
    case FaultKind::kJunk:
      if (!coordinator_->running()) return;
      coordinator_->JunkFromAgent(world_->hosts[host].id);
      if (fault.hard || fault.step >= 0) {
        coordinator_->JunkToAgent(*agents_[host], fault.hard && world_->rng.Chance(20));
      }
      return;
    case FaultKind::kAgentCut:
    case FaultKind::kAgentCutOneWay:
    case FaultKind::kSitesCut:
    case FaultKind::kStreamBreaks:
      return FireOnLink(fault, host);
    case FaultKind::kShareUnmounted:
    case FaultKind::kShareFull:
    case FaultKind::kShareSlow:
    case FaultKind::kShareStale:
      return FireOnShare(fault, host);
    case FaultKind::kLogLost:
    case FaultKind::kLogDamaged:
      return FireOnLog(fault);
    case FaultKind::kDiskFull:
      return FireOnDisk(fault, host);
    case FaultKind::kSecondPlan:
    case FaultKind::kEarlyResume:
    case FaultKind::kFenceByHand:
    case FaultKind::kOperatorPauses:
    case FaultKind::kOperatorRetries:
    case FaultKind::kOperatorSkips:
    case FaultKind::kOperatorAborts:
      return FireByOperator(fault, host);
  }
}

void Simulation::CrashHost(int index, Nanos lasts) {
  Host& host = world_->hosts[index];
  if (!host.up) return;
  Lasting(
      lasts,
      [this, &host, index] {
        host.up = false;
        ++host.boots;
        if (index == kCoordinatorHost) return coordinator_->Kill();
        agents_[index]->PowerOff();
        for (Unit* unit : host.units) unit->PowerOff();
      },
      [this, index] { RestoreHost(index); });
}

void Simulation::RestoreHost(int index) {
  Host& host = world_->hosts[index];
  if (host.up) return;
  host.up = true;
  host.boot = BootId(absl::StrCat("boot-", index, "-", host.boots));
  world_->Tell([&] { return absl::StrCat(host.id.value(), " boots as ", host.boot.value()); });
  if (index == kCoordinatorHost) return coordinator_->Start();
  for (Unit* unit : host.units) unit->PowerOn();
  agents_[index]->loop.SetBoot(world_->queue.now());
  agents_[index]->Start();
}

// One store of one process is cut off, and the process or its host with it.
void Simulation::OnSync(SyncPoint point, int host) {
  if (sync_points_++ != scenario_.cut_at) return;
  cut_ = point;
  dirty_ = true;
  const Nanos lasts = 300 * kMilli;
  if (scenario_.cut_power) return CrashHost(host, lasts);
  if (host == kCoordinatorHost) {
    return Lasting(
        lasts, [this] { coordinator_->Kill(); }, [this] { coordinator_->Start(); });
  }
  AgentProcess& agent = *agents_[host];
  Lasting(
      lasts, [&agent] { agent.Kill(); }, [&agent] { agent.Start(); });
}

void Simulation::FireOnHost(const Fault& fault, int index) {
  Host& host = world_->hosts[index];
  if (fault.kind == FaultKind::kHostCrash) return CrashHost(index, fault.lasts);
  if (fault.kind == FaultKind::kSiteCrash) {
    Nanos lasts = fault.lasts * 2;
    for (const int beside : world_->HostsBeside(index)) {
      CrashHost(beside, lasts);
      lasts += 5 * kMilli;
    }
    return;
  }
  if (fault.kind == FaultKind::kClockJump) {
    const Nanos by = fault.hard ? -3600 * kSecond : 3600 * kSecond;
    host.wall_offset += by;
    agents_[index]->loop.JumpWall(by);
    agents_[index]->loop.SetDrift(fault.hard ? 200 : -200);
    coordinator_->loop.JumpWall(fault.hard ? 5 * kSecond : -5 * kSecond);
    return;
  }
  std::vector<EventQueue::Process> paused;
  const bool site = fault.kind == FaultKind::kSitePause;
  for (const int one : site ? world_->HostsBeside(index) : std::vector<int>{index}) {
    paused.push_back(agents_[one]->process);
    for (const Unit* unit : world_->hosts[one].units) {
      paused.push_back(unit->supervisor);
      paused.push_back(unit->server);
    }
  }
  Lasting(
      fault.lasts,
      [this, paused] {
        for (const EventQueue::Process process : paused) world_->queue.Pause(process);
      },
      [this, paused] {
        for (const EventQueue::Process process : paused) world_->queue.Resume(process);
      });
}

void Simulation::FireOnUnits(const Fault& fault, int index) {
  AgentProcess& agent = *agents_[index];
  const std::vector<Unit*>& units = agent.host.units;
  Unit& unit = *units[fault.hard ? units.size() - 1 : 0];
  const auto pause = [&](EventQueue::Process process) {
    Lasting(
        fault.lasts, [this, process] { world_->queue.Pause(process); },
        [this, process] { world_->queue.Resume(process); });
  };
  switch (fault.kind) {
    case FaultKind::kLedgerLost:
    case FaultKind::kAgentCrash:
      return Lasting(
          fault.lasts,
          [&] {
            agent.Kill();
            if (fault.kind == FaultKind::kLedgerLost) agent.ledger.Lose();
          },
          [&agent] { agent.Start(); });
    case FaultKind::kLedgerFull:
      return Lasting(
          fault.lasts, [&] { agent.ledger.failing = true; },
          [&agent] { agent.ledger.failing = false; });
    case FaultKind::kAgentPause:
      return pause(agent.process);
    case FaultKind::kSupervisorPause:
      return pause(unit.supervisor);
    case FaultKind::kServerPause:
      return pause(unit.server);
    case FaultKind::kSupervisorCrash:
      return unit.KillSupervisor();
    case FaultKind::kFenceDamaged:
      if (unit.host.up) unit.DamageFence();
      return;
    default:
      return unit.KillServer(fault.hard);
  }
}

void Simulation::FireOnLink(const Fault& fault, int index) {
  if (fault.kind == FaultKind::kStreamBreaks) return coordinator_->BreakStreams(index);
  std::vector<std::pair<int, int>> pairs;
  if (fault.kind == FaultKind::kSitesCut) {
    for (const int from : world_->HostsBeside(0)) {
      for (const int to : world_->HostsBeside(1)) {
        pairs.push_back({from, to});
        pairs.push_back({to, from});
      }
    }
  } else {
    const bool both = fault.kind == FaultKind::kAgentCut;
    if (both || fault.hard) pairs.push_back({index, kCoordinatorHost});
    if (both || !fault.hard) pairs.push_back({kCoordinatorHost, index});
  }
  const auto set = [this, pairs](bool cut) {
    for (const auto& [from, to] : pairs) world_->cut[from][to] = cut;
  };
  Lasting(
      fault.lasts, [set] { set(true); }, [set] { set(false); });
}

void Simulation::FireOnShare(const Fault& fault, int index) {
  Share& share = world_->shares[index % 2];
  const FaultKind kind = fault.kind;
  const auto set = [&share, kind](bool broken) {
    if (kind == FaultKind::kShareUnmounted) share.mounted = !broken;
    if (kind == FaultKind::kShareFull) share.full = broken;
    if (kind == FaultKind::kShareSlow) share.slowness = broken ? 200 : 1;
    if (kind != FaultKind::kShareStale) return;
    share.stale.reset();
    if (broken) share.stale = share.files;
  };
  Lasting(
      fault.lasts, [set] { set(true); },
      [this, set] {
        set(false);
        world_->WakeFollowers();
      });
}

void Simulation::FireByOperator(const Fault& fault, int) {
  if (!coordinator_->running()) return;
  if (fault.kind == FaultKind::kFenceByHand) return FenceByHand(fault);
  const Execution* running = Running();
  if (const auto verb = VerbOf(fault.kind); verb.has_value()) {
    if (running != nullptr) coordinator_->Operate(running->plan->id, *verb);
    return;
  }
  Planned planned = coordinator_->PlanBlindly(NextGoal(PlanKind::kSwitchover));
  if (!planned.plan.has_value()) return;
  const bool must_refuse = running != nullptr;
  coordinator_->AdmitPlan(
      *std::move(planned.plan), [this, must_refuse](const absl::StatusOr<PlanId>& admitted) {
        if (!must_refuse || !admitted.ok()) return;
        oracle_.Fail(Checker::kEndsOrWaits, "two plans of one pool run at once");
      });
}

// baton-guard fence, with the epoch that `baton status` shows or the one that the file has: an
// operator who sees that an agent is dead, or who wants the primary down. `hard`: it is dead.
void Simulation::FenceByHand(const Fault& fault) {
  Unit* unit = HoldsTheRight();
  if (unit == nullptr || !unit->host.up) return;
  const Execution* running = Running();
  Epoch epoch = coordinator_->state()->FindPool(world_->pool)->epoch;
  if (running != nullptr && running->EpochRaisedFor(running->undoing)) {
    epoch = running->undoing ? running->plan->undo_epoch : running->plan->epoch;
  }
  const auto& fence = unit->fence.visible;
  if (fence.has_value() && world_->rng.Chance(30)) epoch = fence->fence_epoch;
  // Above everything that the coordinator knows: its plan is refused from then on.
  if (world_->rng.Chance(10)) epoch = epoch.Next();
  if (fault.hard) {
    AgentProcess& agent = *agents_[unit->host.index];
    Lasting(
        fault.lasts, [&agent] { agent.Kill(); }, [&agent] { agent.Start(); });
  }
  GuardFence(*unit, epoch);
}

// What `baton-guard fence` does on the host.
void Simulation::GuardFence(Unit& unit, const Epoch& epoch) {
  FenceRecord record;
  record.pool = world_->pool;
  record.resource = unit.ref.resource;
  if (unit.fence.visible.has_value()) {
    record = *unit.fence.visible;
    if (record.fence_epoch > epoch) return;
    if (record.phase != FencePhase::kClosed) record.phase = FencePhase::kClosing;
  }
  record.fence_epoch = epoch;
  unit.SetFence(record, true);
  if (unit.is_database() && unit.data.Whole()) unit.data.standby_signal = true;
  oracle_.OnFencedByHand(unit);
  AwaitHandFence(unit, record, kHandFenceDue);
}

// The time that a server may need begins when its supervisor is there to see the fence.
void Simulation::AwaitHandFence(Unit& unit, const FenceRecord& record, Nanos delay) {
  world_->queue.At(world_->outside(), delay, [this, &unit, record] {
    const EventQueue& queue = world_->queue;
    if (unit.fence.visible != record) return;
    if (!unit.Managed() || queue.Paused(unit.server)) {
      return AwaitHandFence(unit, record, kHandFenceDue);
    }
    const Nanos awake =
        queue.now() - std::max(queue.AwakeSince(unit.supervisor), queue.AwakeSince(unit.server));
    if (awake < kHandFenceDue) return AwaitHandFence(unit, record, kHandFenceDue - awake);
    oracle_.OnHandFenceDue(unit);
  });
}

// The instance that a running plan takes the right from, else the one that has it.
Unit* Simulation::HoldsTheRight() const {
  const Execution* running = Running();
  if (running != nullptr) {
    for (const Step& step : running->plan->steps) {
      const Action* action = step.action();
      if (action == nullptr || !std::holds_alternative<Fence>(*action)) continue;
      if (running->plan->kind == PlanKind::kSwitchover) return world_->Find(step.target);
    }
  }
  const PoolState* pool = coordinator_->state()->FindPool(world_->pool);
  if (pool == nullptr) return nullptr;
  for (const auto& [database, right] : pool->rights) {
    Unit* unit = world_->Find({right.writer, ResourceId(database.value())});
    if (unit != nullptr) return unit;
  }
  return nullptr;
}

}  // namespace baton::sim
