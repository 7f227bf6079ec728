#include "tests/simulation/simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton::sim {
namespace {

constexpr Nanos kFaultsEnd = 60 * kSecond;
constexpr Nanos kMendedEnd = 240 * kSecond;
constexpr Nanos kPatience = 50 * kMilli;
constexpr Nanos kPatienceMax = 400 * kMilli;

}  // namespace

namespace {

bool NeedsFailover(Mutation mutation) {
  switch (mutation) {
    case Mutation::kRevokeForgotten:
    case Mutation::kConfirmsDespiteDue:
    case Mutation::kQuarantineDrops:
    case Mutation::kLossUnderstated:
    case Mutation::kLossLimitIgnored:
    case Mutation::kHomeUpIgnored:
    case Mutation::kWordAssumed:
    case Mutation::kServedNotAwaited:
    case Mutation::kGapIgnored:
    case Mutation::kRoomNotLookedAt:
    case Mutation::kRightForgetsFetch:
    case Mutation::kRecoverBeforeReturnFenced:
    case Mutation::kSealsWhatIsLeft:
    case Mutation::kClosedTakenForShipped:
      return true;
    default:
      return false;
  }
}

using AddFault = std::function<void(FaultKind, std::string_view, Point)>;

// Where a failover has to meet what comes back, or goes, in its midst.
void ProvokeInFailover(Mutation mutation, Rng& rng, Scenario* scenario, Fault& fault,
                       const AddFault& add) {
  switch (mutation) {
    case Mutation::kRecoverBeforeReturnFenced:
      // Back in the middle of a slow failover, and slow to stop.
      scenario->loss = Loss::kCutOff;
      scenario->loss_lasts = rng.Between(7000, 11000) * kMilli;
      fault.host = 0;
      fault.lasts = 12 * kSecond;
      add(FaultKind::kSupervisorPause, "StopLogShipping", Point::kAccepted);
      fault.host = 1;
      fault.lasts = 3 * kSecond;
      return add(FaultKind::kAgentPause, "CopyPendingLogs", Point::kAccepted);
    case Mutation::kSealsWhatIsLeft:
      scenario->loss = Loss::kCutOff;
      fault.move = 0;
      fault.delay = rng.Between(0, 2000) * kMilli;
      fault.lasts = rng.Between(2000, 6000) * kMilli;
      return add(FaultKind::kLogDamaged, "Canary", Point::kFinished);
    case Mutation::kClosedTakenForShipped:
      // Given up as it recovers; the old primary comes back without its fence file.
      scenario->loss = Loss::kKilled;
      scenario->loss_lasts = rng.Between(500, 9000) * kMilli;
      fault.host = 0;
      add(FaultKind::kFenceDamaged, "StopLogShipping", Point::kAccepted);
      fault.host = 1;
      return add(FaultKind::kOperatorAborts, "Recover", Point::kAccepted);
    default:
      return;
  }
}

// What brings a broken build to light soonest: chosen by hand, timed by chance.
void Provoke(Mutation mutation, Rng& rng, Scenario* scenario) {
  Fault fault;
  fault.move = 1;
  fault.lasts = 60 * kMilli;
  fault.delay = rng.Between(0, 12) * kMilli;
  const auto add = [&](FaultKind kind, std::string_view step, Point point) {
    fault.kind = kind;
    fault.step = *FindStepKind(step);
    fault.point = point;
    scenario->faults.push_back(fault);
  };
  switch (mutation) {
    case Mutation::kChildrenNotEnded:
      return add(FaultKind::kAgentCrash, "ShipTail", Point::kAccepted);
    case Mutation::kGateWithoutLock:
      scenario->storms = true;
      fault.delay = rng.Between(0, 100) * kMilli;
      fault.host = 0;
      return add(FaultKind::kServerCrash, "Drain", Point::kSent);
    case Mutation::kSupervisorIgnoresFence:
      fault.hard = true;
      fault.lasts = 4 * kSecond;
      fault.delay = 0;
      return add(FaultKind::kFenceByHand, "Fence", Point::kSent);
    case Mutation::kSupervisorLeavesOrphans:
      fault.hard = true;
      fault.lasts = 4 * kSecond;
      fault.host = 0;
      fault.delay = 0;
      add(FaultKind::kServerCrash, "Fence", Point::kSent);
      fault.delay = 5 * kMilli;
      return add(FaultKind::kFenceByHand, "Fence", Point::kSent);
    case Mutation::kOldSessionHeard:
      scenario->storms = true;
      return add(FaultKind::kStreamBreaks, "Drain", Point::kSent);
    case Mutation::kDamageIgnored:
      return add(FaultKind::kFenceDamaged, "Drain", Point::kSent);
    case Mutation::kStrangersStored:
      return add(FaultKind::kJunk, "Drain", Point::kSent);
    case Mutation::kRoomNotLookedAt:
      scenario->quarantine_elsewhere = true;
      fault.move = 2;
      fault.lasts = 20 * kSecond;
      return add(FaultKind::kDiskFull, "Quarantine", Point::kSent);
    case Mutation::kGapIgnored:
      fault.move = 0;
      fault.lasts = 20 * kSecond;
      return add(FaultKind::kLogLost, "Canary", Point::kFinished);
    case Mutation::kDamagedLogTaken:
      fault.lasts = 20 * kSecond;
      return add(FaultKind::kLogDamaged, "Fence", Point::kSent);
    case Mutation::kDeadChatChosen:
      scenario->spares = true;
      fault.move = 0;
      fault.host = 3;
      fault.lasts = 20 * kSecond;
      return add(FaultKind::kHostCrash, "Canary", Point::kFinished);
    case Mutation::kRightForgetsFetch:
      fault.delay = rng.Between(0, 30) * kMilli;
      return add(FaultKind::kServerCrash, "Recover", Point::kAccepted);
    case Mutation::kStaleRequestHeard:
      fault.host = 2;
      fault.lasts = 5 * kSecond;
      return add(FaultKind::kSupervisorPause, "Deactivate", Point::kAccepted);
    case Mutation::kUnknownTakenForDone:
      return add(FaultKind::kAgentCrash, "Fence", Point::kAccepted);
    default:
      return ProvokeInFailover(mutation, rng, scenario, fault, add);
  }
}

}  // namespace

// Half of the runs move there and back, the others lose a site on the way.
void MakeCourse(Rng& rng, Mutation mutation, Scenario* scenario) {
  using K = PlanKind;
  const std::vector<K> kCourses[] = {
      {K::kAdopt, K::kSwitchover, K::kSwitchover},
      {K::kAdopt, K::kFailover, K::kFailback},
      {K::kAdopt, K::kSwitchover, K::kFailover, K::kSwitchover},
      {K::kAdopt, K::kFailover, K::kFailover},
      {K::kProtect, K::kSwitchover, K::kFailback},
      {K::kAdopt, K::kSwitchover, K::kFailback},
  };
  constexpr int kWeights[] = {50, 22, 8, 6, 6, 8};
  int chance = static_cast<int>(rng.Below(100));
  size_t chosen = 0;
  while (chance >= kWeights[chosen]) chance -= kWeights[chosen++];
  if (NeedsFailover(mutation)) chosen = 1;
  scenario->course = kCourses[chosen];
  scenario->bare = scenario->course.front() == K::kProtect;
  scenario->loss = static_cast<Loss>(rng.Below(kLosses));
  scenario->loss_delay = rng.Between(0, 3000) * kMilli;
  // Shorter than it takes to notice, or long enough for somebody to act.
  scenario->loss_lasts =
      (rng.Chance(40) ? rng.Between(300, 9000) : rng.Between(8000, 40000)) * kMilli;
}

// What came to the simulation later has a stream of its own: older seeds mean what they did.
void MakeLater(uint64_t seed, Scenario* scenario) {
  Rng rng(seed ^ 0x5BA7E5);
  const auto add = [scenario](const std::vector<Fault>& faults) {
    scenario->faults.insert(scenario->faults.end(), faults.begin(), faults.end());
  };
  scenario->spares = rng.Chance(25);
  if (scenario->spares) add(MakeChatFaults(rng));
  if (rng.Chance(8)) add(MakeLogFaults(rng));
  if (rng.Chance(15)) {
    add(MakeDiskFaults(rng));
    scenario->quarantine_elsewhere = rng.Chance(70);
  }
  Rng of_sites(seed ^ 0x517E5);
  if (of_sites.Chance(10)) add(MakeSiteFaults(of_sites));
}

Scenario MakeScenario(uint64_t seed, Mutation mutation) {
  Rng rng(seed ^ 0xBA70);
  Scenario scenario;
  scenario.seed = seed;
  scenario.databases = rng.Chance(15) ? 2 : 1;
  scenario.storms = rng.Chance(40);
  scenario.faults = MakeFaults(rng);
  MakeCourse(rng, mutation, &scenario);
  scenario.mutation = mutation;
  MakeLater(seed, &scenario);
  Provoke(mutation, rng, &scenario);
  return scenario;
}

Simulation::Simulation(const Scenario& scenario)
    : scenario_(scenario),
      world_(std::make_unique<World>(scenario.seed, scenario.mutation, scenario.told,
                                     scenario.databases, scenario.spares)),
      oracle_(*world_),
      fired_(scenario.faults.size()) {
  world_->oracle = &oracle_;
  world_->storms = scenario.storms;
  if (scenario.trace) oracle_.KeepTrace();
  world_->on_sync = [this](SyncPoint point, int host) { OnSync(point, host); };
  const PointHook hook = [this](const CommandId& id, Point point) { OnPoint(id, point); };
  coordinator_ = std::make_unique<CoordinatorProcess>(*world_, hook);
  for (int i = 0; i < world_->agent_hosts; ++i) {
    agents_.push_back(
        std::make_unique<AgentProcess>(*world_, world_->hosts[i], *coordinator_, hook));
  }
  wanted_moves_ = static_cast<int>(scenario_.course.size());
  for (int d = 0; d < scenario.databases; ++d) {
    DataDirectory& backup = world_->InstanceOn(d, 1)->data;
    backup.standby_signal = !scenario.bare;
    backup.exists = !scenario.bare;
    for (const int host : {0, 1}) {
      Unit& unit = *world_->InstanceOn(d, host);
      unit.configured = !scenario.bare;
      unit.quarantine_elsewhere = scenario.quarantine_elsewhere;
    }
    backup.control = DataDirectory::Control::kStoppedInRecovery;
  }
  for (Share& share : world_->shares) share.marked = !scenario.bare;
  for (const auto& unit : world_->units) unit->StartSupervisor();
  coordinator_->Start();
  for (const auto& agent : agents_) agent->Start();
  for (const Fault& fault : scenario_.faults) Arm(fault);
  world_->queue.At(world_->outside(), 50 * kMilli, [this] { OperatorTick(); });
  world_->queue.At(world_->outside(), 50 * kMilli, [this] { Talk(); });
}

Simulation::~Simulation() = default;

void Simulation::Bury() {
  coordinator_->Bury();
  for (const auto& agent : agents_) agent->Bury();
}

bool Simulation::RunUntil(Nanos limit, const std::function<bool()>& stop) {
  while (!oracle_.violation().has_value()) {
    if (stop()) return true;
    if (!world_->queue.RunOne(limit)) return false;
    if (dirty_) {
      dirty_ = false;
      Bury();
    }
  }
  return false;
}

Result Simulation::Run() {
  RunUntil(kFaultsEnd, [this] { return moves_ >= wanted_moves_; });
  if (!oracle_.violation().has_value()) Heal();
  Finish();
  return TakeResult();
}

// With everything mended: every plan ends, the pool serves, and what it serves is complete.
void Simulation::Finish() {
  const uint64_t before = oracle_.acknowledged();
  const bool ended = RunUntil(world_->queue.now() + kMendedEnd, [this, before] {
    return Done() && oracle_.acknowledged() > before && EveryDatabaseServes() && Settled();
  });
  if (oracle_.violation().has_value()) return;
  if (!ended) {
    oracle_.Fail(Checker::kEndsOrWaits,
                 absl::StrCat("everything is mended since ", kMendedEnd / kSecond, " s, and ",
                              WhatIsMissing(before)));
    return;
  }
  RunUntil(world_->queue.now() + 300 * kMilli, [] { return false; });
  coordinator_->CompareReplay();
  if (!oracle_.violation().has_value() && coordinator_->running()) {
    oracle_.CheckServed(*coordinator_->state());
  }
}

// Who came back is seen to be fenced, and each database has a follower.
bool Simulation::Settled() const {
  const PoolState* pool =
      coordinator_->running() ? coordinator_->state()->FindPool(world_->pool) : nullptr;
  return pool != nullptr && pool->fence_due.empty() && Protected();
}

bool Simulation::EveryDatabaseServes() const {
  std::vector<bool> serves(static_cast<size_t>(world_->databases));
  for (const auto& unit : world_->units) {
    if (unit->is_database() && unit->state() == ServerState::kPrimary) {
      serves[static_cast<size_t>(unit->database)] = true;
    }
  }
  return std::find(serves.begin(), serves.end(), false) == serves.end();
}

std::string Simulation::WhatIsMissing(uint64_t acknowledged_before) const {
  if (!coordinator_->running()) return "the coordinator is down";
  const Execution* running = Running();
  if (running != nullptr) {
    return absl::StrCat("plan ", running->plan->id.value(), " is ",
                        std::string(ToString(running->state)), ": ", running->waiting_for);
  }
  if (moves_ < wanted_moves_) {
    return absl::StrCat("move ", moves_, " is refused: ", last_refusal_);
  }
  if (!Settled()) return absl::StrCat("the pool is not protected: ", last_refusal_);
  return absl::StrCat(oracle_.acknowledged() - acknowledged_before,
                      " messages were acknowledged since, and not every database is written to");
}

Result Simulation::TakeResult() {
  Result result;
  result.violation = oracle_.violation();
  result.moves = moves_;
  result.events = world_->queue.events();
  result.took = world_->queue.now();
  result.acknowledged = oracle_.acknowledged();
  result.sync_points = sync_points_;
  result.cut = cut_;
  result.coverage = coverage_;
  result.story = world_->story.lines();
  result.trace = oracle_.trace();
  return result;
}

const Execution* Simulation::Running() const {
  return coordinator_->running() ? coordinator_->state()->FindRunning(world_->pool) : nullptr;
}

// --- who talks ---

void Simulation::Talk() {
  // While a site is cut off there may be two.
  Unit* serving = nullptr;
  for (const auto& unit : world_->units) {
    if (unit->is_database() || !unit->Answers() || !unit->accepting) continue;
    if (serving == nullptr || world_->rng.Chance(50)) serving = unit.get();
  }
  if (serving == nullptr) {
    talk_pause_ = std::min(talk_pause_ * 2, kPatienceMax);
  } else {
    talk_pause_ = world_->Jitter(kPatience / 2, kPatience * 2);
    Post(*serving, oracle_.NewMessage());
  }
  world_->queue.At(world_->outside(), talk_pause_, [this] { Talk(); });
}

// Client, chat server, database, and back again: each may be gone by then.
void Simulation::Post(Unit& chat, int64_t message) {
  World& world = *world_;
  const int to = static_cast<int>(world.rng.Below(world.databases));
  world.queue.At(chat.server, world.Jitter(200, 1000) * kMicro, [this, &chat, message, to] {
    World& sim = *world_;
    Unit* database = chat.uses < 0 ? nullptr : sim.InstanceOn(to, chat.uses);
    if (database == nullptr || !chat.accepting) return;
    const int here = chat.host.index;
    if (!sim.Reaches(here, chat.uses)) return;
    sim.queue.At(
        database->server, sim.Jitter(200, 1000) * kMicro, [this, &chat, database, message, here] {
          World& then = *world_;
          if (database->state() != ServerState::kPrimary) return;
          database->Append(message);
          database->ArchiveSoon(kMilli);
          if (!then.Reaches(database->host.index, here)) return;
          then.queue.At(chat.server, then.Jitter(200, 1000) * kMicro,
                        [this, database, message] { oracle_.OnAcknowledged(message, *database); });
        });
  });
}

Result RunScenario(const Scenario& scenario) { return Simulation(scenario).Run(); }

Scenario Shrink(const Scenario& failing, Checker checker) {
  Scenario smallest = failing;
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (size_t i = 0; i < smallest.faults.size(); ++i) {
      Scenario candidate = smallest;
      candidate.faults.erase(candidate.faults.begin() + static_cast<std::ptrdiff_t>(i));
      const Result result = RunScenario(candidate);
      if (!result.violation.has_value() || result.violation->checker != checker) continue;
      smallest = std::move(candidate);
      smaller = true;
      break;
    }
    Scenario calm = smallest;
    calm.storms = false;
    if (!smallest.storms) continue;
    const Result result = RunScenario(calm);
    if (result.violation.has_value() && result.violation->checker == checker) {
      smallest = std::move(calm);
      smaller = true;
    }
  }
  return smallest;
}

}  // namespace baton::sim
