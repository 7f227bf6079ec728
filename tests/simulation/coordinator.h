// The coordinator as a process of the simulation: the real driver and planner, over a journal and a
// network that can fail. Its session rules are those of coordinator/transport.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/core/session.h"
#include "coordinator/executor/driver.h"
#include "coordinator/executor/ports.h"
#include "coordinator/model/goal.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/planner/planner.h"
#include "tests/simulation/agent.h"
#include "tests/simulation/world.h"

namespace baton::sim {

// On disk: the durable records. What was not yet synced when the process dies is lost, or is there
// and was never answered.
class SimJournal : public Journal {
 public:
  explicit SimJournal(World& world, EventQueue::Process process)
      : world_(world), process_(process) {}
  void Append(std::vector<Fact> facts,
              std::function<void(absl::StatusOr<std::vector<Record>>)> done) override;
  const std::vector<Record>& durable() const { return durable_; }
  bool idle() const { return in_flight_ == 0; }
  void Died() {
    in_flight_ = 0;
    synced_ = answered_ = 0;
    next_ = durable_.size() + 1;
  }

 private:
  World& world_;
  EventQueue::Process process_;
  std::vector<Record> durable_;
  uint64_t next_ = 1;
  int in_flight_ = 0;
  Nanos synced_ = 0;    // when the last append is durable
  Nanos answered_ = 0;  // and when it is answered
};

class CoordinatorProcess : public AgentGateway {
 public:
  CoordinatorProcess(World& world, PointHook hook);
  ~CoordinatorProcess() override;

  const EventQueue::Process process;
  ProcessLoop loop;

  bool running() const { return driver_ != nullptr; }
  void Start();
  void Kill();  // its operator starts it again after a while
  void Bury();
  Driver* driver() { return driver_.get(); }
  const CoordinatorState* state() const { return driver_ ? &driver_->state() : nullptr; }
  SimJournal& journal() { return journal_; }
  void CompareReplay();

  // The operator's words. Refused while it is down.
  Planned PlanMove(const Goal& goal);
  Planned PlanBlindly(const Goal& goal);  // as if no other plan ran
  void AdmitPlan(Plan plan, std::function<void(absl::StatusOr<PlanId>)> done);
  void Operate(const PlanId& plan, Verb verb, std::optional<int> step = std::nullopt);
  void AcceptLedgers();
  // What plans are made of now.
  Snapshot Look() const;

  // What a broken or hostile peer sends in the present session of an agent, to it or from it.
  void JunkToAgent(AgentProcess& agent, bool flood);
  void JunkFromAgent(const HostId& host);
  // Nothing that is held has grown beyond what there is.
  void CheckBounds() const;

  // AgentGateway
  void Send(const HostId& host, const Command& command) override;
  void Query(const HostId& host, const CommandId& command) override;
  void Cancel(const HostId& host, const CommandId& command) override;
  bool Connected(const HostId& host) const override;

  // The network, from the agents' ends.
  uint64_t OpenStream(AgentProcess& agent, const agent::Hello& hello,
                      agent::CoordinatorLink::Events events);
  void SendUp(uint64_t stream, const agent::ToCoordinator& message);
  void CloseFromAgent(uint64_t stream);
  void BreakStreams(int host);
  uint64_t CarriedBy(const CommandId& command) const;

 private:
  struct Stream {
    int host = 0;
    EventQueue::Process agent = 0;
    agent::CoordinatorLink::Events events;
    bool agent_end = true;
    bool noticing = false;
    Nanos last_up = 0;
    Nanos last_down = 0;
    uint64_t number = 0;  // the agent's session counter
  };
  struct Session {
    uint64_t stream = 0;
    HostId host;
    LedgerId ledger;
    uint64_t counter = 0;
    BootId boot;
    bool welcomed = false;
    bool ready = false;
    Nanos heard = 0;
    std::map<ResourceRef, Epoch> confirmed;
    std::map<ResourceRef, Nanos> retold;
    std::map<ResourceRef, Nanos> revoked;
  };

  void OnHello(uint64_t stream, const agent::Hello& hello);
  void Admit(Session& session);
  void OnMessage(uint64_t stream, const agent::ToCoordinator& message);
  void OnReport(Session& session, const agent::Report& report);
  void NoteClock(const Session& session, absl::Time clock);
  void Store(const Session& session, const Observation& seen);
  void OnRecord(const Record& record);
  void Ended(const HostId& host, const CommandId& command, const Outcome& outcome);
  bool Owns(const HostId& host, const CommandId& command) const;
  void SettleReturns(Session& session);
  void TellConfirmations(Session& session);
  void RepeatConfirmation(Session& session, const ResourceRef& resource);
  void SendConfirm(Session& session, const Confirmation& confirmation);
  std::vector<Confirmation> Confirmations(const HostId& host) const;
  void Watch(uint64_t stream);
  void Drop(uint64_t stream, bool tell_agent);
  void SendDown(uint64_t stream, agent::FromCoordinator message, bool may_be_lost);
  void CloseToAgent(uint64_t stream, Nanos delay);
  void Notice(uint64_t stream);
  Session* FindWelcomed(const HostId& host);
  bool Overlooked(const HostId& host) const;
  void FindAllSilent();
  void Mutate(Plan* plan) const;
  void Blind(Snapshot* seen, Goal* goal) const;

  World& world_;
  PointHook hook_;
  SimJournal journal_;
  JournalId journal_id_{"journal-1"};
  std::unique_ptr<Driver> driver_;
  std::vector<std::unique_ptr<Driver>> dead_;

  uint64_t last_stream_ = 0;
  std::map<uint64_t, Stream> streams_;
  std::map<uint64_t, Session> sessions_;
  std::map<HostId, uint64_t> welcomed_;
  std::set<HostId> pinning_;
  std::set<ResourceRef> returning_;  // seen to be fenced, whose record is not durable yet
  std::map<HostId, std::pair<LedgerId, uint64_t>> counters_;
  std::map<HostId, LedgerId> refused_;
  std::map<HostId, AgentView> agents_;
  std::map<ResourceRef, SeenResource> resources_;
  std::map<CommandId, uint64_t> carried_;  // the number of the session that carried it
  uint64_t revision_ = 0;
};

}  // namespace baton::sim
