// An agent as a process of the simulation: the real core, over ports that can fail.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/agent_core.h"
#include "agent/core/ports.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/task.h"
#include "tests/simulation/unit.h"
#include "tests/simulation/world.h"

namespace baton::sim {

class AgentProcess;
class CoordinatorProcess;

// What a command reaches on its way, for those who wait for the moment.
enum class Point { kRecorded, kSent, kAccepted, kActed, kFinished };
inline constexpr int kPoints = 5;
using PointHook = std::function<void(const CommandId&, Point)>;

// The ledger's file. A write is on disk first and answered later; a process that dies in between
// does not know.
class SimLedger : public Ledger {
 public:
  SimLedger(AgentProcess& agent, std::string name) : agent_(agent), name_(std::move(name)) {}

  void Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) override;

  // On disk now.
  void Apply(const Entry& entry);
  Contents Read();
  bool Accepted(const CommandId& id) const;
  Epoch EpochOf(const PoolId& pool) const;
  const std::optional<FenceRecord> FenceOf(const ResourceId& id) const;
  const LedgerId& id() const { return id_; }
  void Lose();  // the file is gone: the next agent makes a new one
  // Does the agent know what a replay would tell it, and nothing else?
  void CompareReplay();
  bool failing = false;
  std::vector<ChildProcess> children;

 private:
  bool HoldsCommandsOf(const agent::AgentState& memory) const;

  struct OnDisk {
    uint64_t session_counter = 0;
    std::map<PoolId, Epoch> epochs;
    std::map<PoolId, JournalId> journals;
    std::map<ResourceId, FenceRecord> fences;
    std::map<CommandId, LedgerCommand> commands;
  };
  AgentProcess& agent_;
  std::string name_;
  int made_ = 0;
  bool fresh_ = true;
  LedgerId id_{"none"};
  OnDisk disk_;
};

// One command under way.
struct Run {
  AgentProcess& agent;
  Unit& unit;
  Command command;
  Nanos deadline = 0;
  bool cancelled = false;
  bool did = false;  // something was changed
};
Task<Outcome> ActOnDatabase(Run* run);
Task<Outcome> ActOnChat(Run* run);
Outcome LookAtDatabase(Run* run);
Outcome LookAtChat(Run* run);

class UnitRunner : public ActionRunner {
 public:
  UnitRunner(AgentProcess& agent, Unit& unit) : agent_(agent), unit_(unit) {}
  void Start(const Command& command, std::function<void(Progress)> progress,
             std::function<void(Outcome)> done) override;
  void Cancel(const CommandId& id) override;
  void Look(const Command& command, std::function<void(Outcome)> done) override;
  void Check(const Action& action, std::function<void(Outcome)> done) override;

 private:
  AgentProcess& agent_;
  Unit& unit_;
  std::unique_ptr<Run> run_;
  Task<Outcome> task_;
};

class UnitProbe : public Probe {
 public:
  UnitProbe(AgentProcess& agent, Unit& unit) : agent_(agent), unit_(unit) {}
  void Observe(std::function<void(Observation)> done) override;

 private:
  AgentProcess& agent_;
  Unit& unit_;
};

class UnitFenceFile : public FenceFile {
 public:
  UnitFenceFile(AgentProcess& agent, Unit& unit) : agent_(agent), unit_(unit) {}
  void Read(std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) override;
  void Write(const FenceRecord& record, std::function<void(absl::Status)> done) override;
  void Enforce(std::function<void(absl::Status)> done) override;

 private:
  void AwaitStopped(Nanos until, std::function<void(absl::Status)> done);

  AgentProcess& agent_;
  Unit& unit_;
};

// One end of the only stream that an agent has.
class SimLink : public agent::CoordinatorLink {
 public:
  SimLink(AgentProcess& agent, CoordinatorProcess& coordinator)
      : agent_(agent), coordinator_(coordinator) {}
  void Open(const agent::Hello& hello, Events events) override;
  void Send(const agent::ToCoordinator& message) override;
  void Close() override;

 private:
  AgentProcess& agent_;
  CoordinatorProcess& coordinator_;
  uint64_t stream_ = 0;
};

class AgentProcess : public Children {
 public:
  AgentProcess(World& world, Host& host, CoordinatorProcess& coordinator, PointHook hook);
  ~AgentProcess() override;

  World& world;
  Host& host;
  const EventQueue::Process process;
  ProcessLoop loop;
  SimLedger ledger;
  const PointHook hook;

  bool running() const { return core_ != nullptr; }
  void Start();
  void Kill();      // comes back by itself after a while
  void PowerOff();  // with all its children
  void Bury();      // frees what a killed one left; not from inside it
  void End(std::vector<ChildProcess> children,
           std::function<void(std::vector<ChildProcess>)> done) override;
  agent::AgentCore* core() { return core_.get(); }
  uint64_t CarriedBy(const CommandId& command) const;
  // Nothing that is held has grown beyond its bounds.
  void CheckBounds() const;
  // What each of the agent's parts last saw of the fence file of each unit: a store of its own
  // (agent/guard/host).
  std::map<int, std::optional<FenceRecord>> seen_by_core;
  std::map<int, std::optional<FenceRecord>> seen_by_runner;
  // The file that a child process is about to ship; goes on without the agent.
  std::function<void()> child;
  std::function<void()> orphan;

 private:
  struct Parts {
    std::unique_ptr<UnitProbe> probe;
    std::unique_ptr<UnitRunner> runner;
    std::unique_ptr<UnitFenceFile> fence;
  };
  CoordinatorProcess& coordinator_;
  std::unique_ptr<SimLink> link_;
  std::vector<Parts> parts_;
  std::unique_ptr<agent::AgentCore> core_;
  std::vector<std::unique_ptr<agent::AgentCore>> dead_;
  std::vector<std::vector<Parts>> dead_parts_;
  std::vector<std::unique_ptr<SimLink>> dead_links_;
};

// Steps that runners share.
Outcome Refuse(const Run& run, const char* reason, const char* message);
Outcome Fail(const char* reason, const char* message);
Outcome Unsure(const char* reason, const char* message);
Task<Outcome> WriteFence(Run* run, FenceRecord record);
Task<Outcome> StopAndProve(Run* run);
FenceRecord FenceOrClosed(Run* run);
bool StaleEpoch(const Run& run, const FenceRecord& record);

// co_await Pause{…}: time passes; the command may have been cancelled or its time be over
// afterwards.
enum class Interrupt { kNone, kCancelled, kTimeOver };
struct Pause {
  Run* run;
  Nanos low;
  Nanos high;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self);
  Interrupt await_resume() const;
};
Outcome Interrupted(Interrupt why);

// Between two effects: long enough for anything to happen.
#define SIM_PAUSE(run, low, high)                                        \
  do {                                                                   \
    const Interrupt interrupt = co_await Pause{run, low, high};          \
    if (interrupt != Interrupt::kNone) co_return Interrupted(interrupt); \
  } while (false)
#define SIM_TRY(task)                 \
  do {                                \
    Outcome tried = co_await task;    \
    if (!tried.ok()) co_return tried; \
  } while (false)

}  // namespace baton::sim
