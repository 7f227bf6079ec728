// A coordinator's driver with its surroundings in one thread, on virtual time: a scheduler, a
// journal that can lose what is in flight, and agents that remember what they accepted while
// sessions break.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "common/base/scheduler.h"
#include "coordinator/executor/driver.h"

namespace baton::testing {

class SimScheduler : public Scheduler {
 public:
  void Post(std::function<void()> f) override { After(absl::ZeroDuration(), std::move(f)); }
  TimerId After(absl::Duration delay, std::function<void()> f) override;
  void Cancel(TimerId id) override;
  // Runs the next function; false when there is none before `until`.
  bool Step(absl::Duration until = absl::InfiniteDuration());
  absl::Duration now() const { return now_; }

 private:
  absl::Duration now_;
  TimerId last_ = 0;
  std::map<std::pair<absl::Duration, TimerId>, std::function<void()>> due_;
};

// Durable at once, told later.
class SimJournal : public Journal {
 public:
  explicit SimJournal(SimScheduler& scheduler) : scheduler_(scheduler) {}
  void Append(std::vector<Fact> facts,
              std::function<void(absl::StatusOr<std::vector<Record>>)> done) override;

  std::vector<Record> records;
  absl::Status broken;  // what appends fail with
  // The process dies when the record of this sequence is durable: what follows in its batch is not
  // (harder than what a journal promises), and nobody is told.
  uint64_t dies_at = 0;
  bool died = false;

 private:
  SimScheduler& scheduler_;
};

struct SimFaults {
  double session_breaks = 0;  // per message
  double agent_dies = 0;      // per command
  double fails = 0;           // per command
  double doubled = 0;         // per answer
};

// Every host's agent. Answers reach whoever `driver` is when they arrive.
class SimAgents : public AgentGateway {
 public:
  SimAgents(SimScheduler& scheduler, SimJournal& journal, uint64_t seed)
      : scheduler_(scheduler), journal_(journal), random_(seed) {}

  void Send(const HostId& host, const Command& command) override;
  void Query(const HostId& host, const CommandId& command) override;
  void Cancel(const HostId& host, const CommandId& command) override;
  bool Connected(const HostId& host) const override;

  void Connect(const HostId& host);
  // A session is open, and nothing was heard in it yet.
  void Welcome(const HostId& host);
  void Disconnect(const HostId& host);
  // A new coordinator: every session is opened anew.
  void DriverChanged(Driver* driver);

  SimFaults faults;
  std::map<std::string, Outcome> outcomes;  // by action name: what it ends with instead of OK
  std::set<std::string> silent;             // by action name: accepted, never ended
  std::vector<Command> sent;
  std::vector<CommandId> asked;
  std::vector<CommandId> cancelled;
  std::vector<std::string> wrong;  // broken rules

 private:
  struct Entry {
    Command command;
    bool silent = false;
    std::optional<Outcome> outcome;
  };
  struct Host {
    bool connected = false;
    uint64_t session = 0;
    std::map<PoolId, Epoch> seen;
    std::map<CommandId, Entry> ledger;
  };

  bool Chance(double probability) {
    return std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }
  absl::Duration Delay();
  void Deliver(const HostId& id, uint64_t session, std::function<void()> f);
  void Accept(const HostId& id, const Command& command);
  void Finish(const HostId& id, const CommandId& command, Outcome outcome);
  void Answer(const HostId& id, const CommandId& command, const Outcome& outcome);
  void Break(const HostId& id);
  Outcome Act(const HostId& id, const Command& command);
  void CheckSend(const Command& command);

  SimScheduler& scheduler_;
  SimJournal& journal_;
  std::mt19937_64 random_;
  Driver* driver_ = nullptr;
  std::map<HostId, Host> hosts_;
  std::map<ResourceId, HostId> writer_;  // what is true, whatever anyone knows
  std::set<CommandId> acted_;
  Epoch highest_sent_;
};

// One coordinator that can be killed and started again on the same journal.
class SimCoordinator {
 public:
  explicit SimCoordinator(uint64_t seed = 1);

  void Start();  // a new driver, replayed
  void Kill();
  // One function of the loop, or a death and a new start; false when nothing is due before `until`.
  bool Step(absl::Duration until = absl::InfiniteDuration());
  // Runs until nothing is due, or `limit` of virtual time has passed.
  void Run(absl::Duration limit = absl::Hours(1));
  absl::StatusOr<PlanId> Admit(Plan plan);
  absl::Status Resume(const PlanId& plan, const std::string& request_id = "");
  absl::Status Operate(const PlanId& plan, Verb verb, std::optional<int> step = std::nullopt,
                       const std::string& request_id = "");
  const Execution& Of(const PlanId& plan) const;

  SimScheduler scheduler;
  SimJournal journal{scheduler};
  SimAgents agents;
  std::unique_ptr<Driver> driver;
  absl::Status fatal;
  std::vector<Record> heard;  // by the hook
};

// Everything that replay must give back, as text.
std::string Dump(const CoordinatorState& state);
std::string Dump(const PoolState& state);

// Healthy pools: one database and chat server a side; two of each.
Plan SmallSwitchover();
Plan LargeSwitchover();
Plan SmallAdopt();
// Of the small pool's whole home site, as a chain. 0 check, 1 PointAt, 2 epoch, 3 StopLogShipping,
// 4 Copy, 5 Apply, 6 Recover, 7 Activate, 8 Canary.
Plan SmallFailover();
Plan LargeAdopt();
// What the journal holds of the pool before such a switchover.
PoolState SmallPool();

}  // namespace baton::testing
