// Carries plans out: records, then state, then commands.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/base/scheduler.h"
#include "coordinator/executor/ports.h"
#include "coordinator/executor/state.h"

namespace baton {

// How long a coordinator that starts waits for hosts that may have answered the one before it: an
// agent notices a dead stream within 3.5 s, dials again at most 5 s later, and a dial takes at most
// 2 s.
inline constexpr absl::Duration kReconnectGrace = absl::Seconds(15);

// Owns the CoordinatorState and is the only one that appends to the journal. Everything is called,
// and calls back, on the loop; completions may come before the call returns when the journal
// completes at once. Journal, gateway and scheduler must outlive it; answers that come after it is
// gone do nothing.
class Driver {
 public:
  struct Hooks {
    // After each record that was appended, once the state follows from it. Not for replayed ones.
    std::function<void(const Record&)> on_record;
    // The journal failed: nothing more will be appended or sent. The process must end and replay.
    std::function<void(const absl::Status&)> on_fatal;
  };

  Driver(Journal& journal, AgentGateway& gateway, Scheduler& scheduler, Hooks hooks,
         absl::Duration reconnect_grace = kReconnectGrace);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Before Start, in order: the journal's content.
  void Replay(const Record& record);
  // Goes on with every plan that has not ended. Before this, nothing else may be called. A host
  // whose fence a plan waits for, or would once it answers, may have answered an earlier
  // coordinator that died before that was durable: nothing is recovered or activated before it had
  // kReconnectGrace to open a session with this one, and one that did answer is silent only once
  // that session has ended, or after that time.
  void Start();

  // Admits a plan, durable when `done` runs, and begins it. The plan must have been made from the
  // pool's present state. FAILED_PRECONDITION: another plan of the pool has not ended (its id is
  // named). ABORTED: the pool has moved since the plan was made; make it anew. A request id that
  // was seen before gives the plan that it gave then.
  void Admit(Plan plan, std::function<void(absl::StatusOr<PlanId>)> done);

  // Does with a plan what an operator asks. NOT_FOUND; else as Resolve. A request id that did
  // something with this plan before is OK and does nothing.
  void Operate(const PlanId& plan, OperatorRequest request, std::function<void(absl::Status)> done);
  // Operate with Verb::kResume.
  void Resume(const PlanId& plan, const std::string& by, const std::string& reason,
              const std::string& request_id, std::function<void(absl::Status)> done);

  // Makes durable what belongs to no plan: TopologyApplied, LedgerAccepted.
  void Append(Fact fact, std::function<void(absl::StatusOr<Record>)> done);

  // From the agents. Unknown commands are ignored.
  void OnCommandEnded(const CommandId& command, const Outcome& outcome);
  void OnCommandNotAccepted(const CommandId& command);
  // A session of the host is open.
  void OnHostAnswers(const HostId& host);
  // Its full report is in.
  void OnHostReady(const HostId& host);
  void OnHostLost(const HostId& host);

  const CoordinatorState& state() const { return state_; }
  // Plans with something queued, timed or being appended: none that has ended, once all is quiet.
  size_t UnderWay() const { return lanes_.size(); }

 private:
  // What is under way for one plan, beside its state.
  struct Lane {
    bool busy = false;  // an append of it is in flight
    std::deque<std::pair<PlanEvent, std::function<void(absl::Status)>>> queue;
    std::map<int, TimerId> timers;  // by step
  };

  void Handle(const PlanId& plan, PlanEvent event, std::function<void(absl::Status)> done = {});
  void Work(const PlanId& plan);
  void Dismiss(const PlanId& plan);
  void Broadcast(const PlanEvent& event);
  // What a plan doesn't know yet of who is connected, less what is too early to be said.
  std::vector<PlanEvent> News(const Execution& now) const;
  // Empty when the plan knows who of those that it takes for lost is connected by now.
  Decision DecideOnPresence(const Execution& now) const;
  void EndGrace();
  void Heard(const HostId& host);
  void Execute(const PlanId& plan, Decision decision, const std::vector<Record>& records);
  void Apply(const std::vector<Record>& records);
  void Arm(const PlanId& plan, const StartTimer& timer);
  void Disarm(const PlanId& plan, int step);
  void Fail(const absl::Status& status);
  void Admitted(const PlanId& id, const PoolId& pool, const std::string& request_id,
                const absl::StatusOr<std::vector<Record>>& records);

  Journal& journal_;
  AgentGateway& gateway_;
  Scheduler& scheduler_;
  Hooks hooks_;
  const absl::Duration reconnect_grace_;
  CoordinatorState state_;
  std::map<PlanId, Lane> lanes_;
  // Hosts that answered under an earlier coordinator, or may have, and had neither a session with
  // this one nor the time to open it.
  std::set<HostId> awaited_;
  std::optional<TimerId> grace_;  // none: over, or there was nobody to wait for
  // Admissions in flight.
  std::map<PoolId, PlanId> admitting_;
  std::map<std::string, std::vector<std::function<void(absl::StatusOr<PlanId>)>>> same_request_;
  absl::Status fatal_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace baton
