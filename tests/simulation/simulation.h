// One run: a pool is adopted, moved there and back, with clients that talk in it and with faults;
// then all is mended and everything must come to its end.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/agent.h"
#include "tests/simulation/coordinator.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/world.h"

namespace baton::sim {

inline constexpr int kCells = kStepKinds * kFaultKinds * kPoints;
using Coverage = std::bitset<kCells>;
inline int CellOf(int step, FaultKind fault, Point point) {
  return (step * kFaultKinds + static_cast<int>(fault)) * kPoints + static_cast<int>(point);
}

// How a site is lost before a failover.
enum class Loss {
  kPower,      // both hosts lose power
  kWithShare,  // and what it shared is gone with it
  kKilled,     // every process of Baton and of what it looks after, and no reboot
  kCutOff,     // alive and out of reach: the operator's word is false
  kDatabase,   // only the database host
  kChat,       // only the chat host: a planned move goes on without it
};
inline constexpr int kLosses = 6;
std::string_view LossName(Loss loss);
std::optional<Loss> FindLoss(std::string_view name);

struct Scenario {
  uint64_t seed = 0;
  // What the operator wants, one after the other. A failover begins with a loss.
  std::vector<PlanKind> course = {PlanKind::kAdopt, PlanKind::kSwitchover, PlanKind::kSwitchover};
  Loss loss = Loss::kPower;
  Nanos loss_delay = 0;  // after the move before it
  Nanos loss_lasts = 0;
  bool bare = false;  // nothing is set up: the first instance alone has data
  int databases = 1;
  bool spares = false;                // each site has a second chat server, on a host of its own
  bool quarantine_elsewhere = false;  // on another filesystem: what is kept has to be copied
  bool storms = false;                // the network is slow, loses and doubles; disks are slow
  std::vector<Fault> faults;
  Mutation mutation = Mutation::kNone;
  // Cuts off the n-th sync point of the run, from 0; -1: none. With all of its host, or only the
  // process.
  int64_t cut_at = -1;
  bool cut_power = false;
  bool told = false;   // keep the story
  bool trace = false;  // keep the trace
};
// Everything of a run follows from its seed.
// A mutation's runs also hold the fault that is most likely to show it.
Scenario MakeScenario(uint64_t seed, Mutation mutation = Mutation::kNone);

struct Result {
  std::optional<Violation> violation;
  int moves = 0;  // plans that succeeded: 3 is adopt, there, back
  uint64_t events = 0;
  Nanos took = 0;  // virtual
  uint64_t acknowledged = 0;
  int64_t sync_points = 0;
  std::optional<SyncPoint> cut;  // what was cut off
  Coverage coverage;
  std::vector<std::string> story;
  std::vector<std::string> trace;
};

class Simulation {
 public:
  explicit Simulation(const Scenario& scenario);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  Result Run();

  // --- in pieces, for scenario files ---
  World& world() { return *world_; }
  Oracle& oracle() { return oracle_; }
  CoordinatorProcess& coordinator() { return *coordinator_; }
  // Until `stop` says so, or the time is over, or a checker fails: false.
  bool RunUntil(Nanos limit, const std::function<bool()>& stop);
  void Fire(const Fault& fault, int host);
  void Heal();
  // What the operator wants done from now on: 1 adopt, 2 there, 3 and back, …
  void WantMoves(int moves) { wanted_moves_ = moves; }
  // In a scenario file: what comes next.
  void WantNext(PlanKind kind) {
    scenario_.course.resize(static_cast<size_t>(wanted_moves_));
    scenario_.course.push_back(kind);
    ++wanted_moves_;
  }
  // ... and in the place of the present move, which was given up.
  void WantInstead(PlanKind kind) {
    scenario_.course.resize(static_cast<size_t>(wanted_moves_), PlanKind::kSwitchover);
    scenario_.course[static_cast<size_t>(moves_)] = kind;
  }
  void SetLoss(Loss loss, Nanos lasts) {
    scenario_.loss = loss;
    scenario_.loss_lasts = lasts;
  }
  int moves() const { return moves_; }
  const Execution* Running() const;
  void WaitFor(int move, int step, Point point) { awaited_ = {move, step, point, false}; }
  bool Reached() const { return awaited_.reached; }
  bool Done() const { return moves_ >= wanted_moves_ && Running() == nullptr; }
  void Finish();
  Result TakeResult();

 private:
  struct Awaited {
    int move = -1;
    int step = -1;
    Point point = Point::kRecorded;
    bool reached = false;
  };
  void OnPoint(const CommandId& id, Point point);
  void Arm(const Fault& fault);
  void OnSync(SyncPoint point, int host);
  void FireOnHost(const Fault& fault, int host);
  void FireOnUnits(const Fault& fault, int host);
  void FireOnLink(const Fault& fault, int host);
  void FireOnShare(const Fault& fault, int host);
  void FireOnLog(const Fault& fault);
  void FireOnDisk(const Fault& fault, int host);
  void MoveDamagedAside();
  bool SeesGap() const;
  void FireByOperator(const Fault& fault, int host);
  void Lasting(Nanos lasts, std::function<void()> begin, std::function<void()> end);
  void CrashHost(int host, Nanos lasts);
  void RestoreHost(int host);
  void FenceByHand(const Fault& fault);
  void GuardFence(Unit& unit, const Epoch& epoch);
  void AwaitHandFence(Unit& unit, const FenceRecord& record, Nanos delay);
  bool AskToGoOn();
  void FenceAsTold();
  Unit* HoldsTheRight() const;
  void Cover(FaultKind kind);
  void OperatorTick();
  void OperateOn(const Execution& waiting);
  void AskForMove();
  bool Ask(Goal goal);
  bool AskForFailover();
  bool WaitsForDeadChat(const Execution& waiting) const;
  bool AskWithoutDeadChat(PlanKind kind);
  bool AskToAdopt();
  void AskToRemove();
  bool MendRefusal();
  void LoseSite();
  void KillEverything(int host, Nanos lasts);
  void CutOff(const std::vector<int>& hosts, Nanos lasts);
  bool Settled() const;
  PlanKind WantedKind() const;
  void CountEnded(const Execution& execution);
  bool Protected() const;
  Goal NextGoal(PlanKind kind);
  bool PoolServes() const;
  bool EveryDatabaseServes() const;
  std::string WhatIsMissing(uint64_t acknowledged_before) const;
  void Talk();
  void Post(Unit& chat, int64_t message);
  void Bury();

  Scenario scenario_;
  std::unique_ptr<World> world_;
  Oracle oracle_;
  std::unique_ptr<CoordinatorProcess> coordinator_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
  std::vector<bool> fired_;
  Awaited awaited_;
  int moves_ = 0;
  int wanted_moves_ = 3;
  int plans_ = 0;
  size_t counted_ = 0;  // admitted plans that have ended and were counted
  std::string last_refusal_;
  std::set<std::string> told_refusals_;
  std::set<std::string> refused_by_;   // rules that refused the last goals
  std::vector<std::string> remedies_;  // and what they told to do
  int lost_for_ = -1;                  // the move before which a site was lost
  SiteId lost_site_;
  std::vector<HostId> lost_hosts_;
  std::set<std::string> overrides_;  // for that move
  absl::Duration allowed_loss_;
  Nanos calm_since_ = 0;
  std::shared_ptr<const Plan> plan_;
  bool dirty_ = false;  // something died: its remains are to be freed
  uint64_t last_end_ = 0;
  std::map<uint64_t, std::function<void()>> ends_;
  bool healed_ = false;
  bool no_room_ = false;     // a plan has waited for it
  bool log_spoilt_ = false;  // something has become of a log file on a share
  int64_t sync_points_ = 0;
  std::optional<SyncPoint> cut_;
  Nanos resumed_ = 0;
  PlanId tried_;
  int tries_ = 0;
  Nanos talk_pause_ = 60 * kMilli;
  std::map<int, std::pair<int, Point>> points_;  // of steps of the running plan: kind, how far
  PlanId points_of_;
  Coverage coverage_;
};

// Carries out a scenario.
Result RunScenario(const Scenario& scenario);

// The fewest of the scenario's faults that still break the same checker.
Scenario Shrink(const Scenario& failing, Checker checker);

}  // namespace baton::sim
