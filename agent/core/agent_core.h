// Drives the agent's mind: makes what it decides durable, evolves the state, then acts.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/decide.h"
#include "agent/core/ports.h"
#include "agent/core/session.h"
#include "agent/core/state.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/scheduler.h"

namespace baton::agent {

// Events are taken one at a time, in the order they came; the next one waits until the entries of
// the one before are durable. Everything runs on the loop but what says otherwise. Owns none of its
// ports; they must outlive it. Destroyed on the loop, or after the loop ended.
class AgentCore {
 public:
  struct Options {
    HostId host;
    std::string version;
    uint64_t seed = 0;  // of the waits between tries to reach the coordinator
    std::function<void(Severity, const std::string&)> log;
  };
  struct Resource {
    ResourceName name;
    Probe* probe = nullptr;
    ActionRunner* runner = nullptr;
    FenceFile* fence = nullptr;
  };
  struct Ports {
    Scheduler* scheduler = nullptr;
    const Clock* clock = nullptr;
    Ledger* ledger = nullptr;
    Children* children = nullptr;
    CoordinatorLink* link = nullptr;
  };

  AgentCore(Options options, Ports ports, const std::vector<Resource>& resources,
            const Ledger::Contents& contents);
  ~AgentCore();
  AgentCore(const AgentCore&) = delete;
  AgentCore& operator=(const AgentCore&) = delete;

  // Ends what an agent before this one left, settles fences and commands, then opens sessions for
  // ever. Once, from any thread.
  void Start();

  // A runner's FenceStore has entered `record` in the ledger. Any thread.
  void NoteFence(const ResourceId& resource, const FenceRecord& record);

  const AgentState& state() const { return state_; }

 private:
  void Post(std::function<void()> f);
  void PostEvent(What what);
  void Take(What&& what);
  void TakeMessage(uint64_t stream, FromCoordinator&& message);
  void Run();
  void Step(const AgentEvent& event);
  void Apply(Decision&& decision, absl::Duration decided_at);

  void Do(const EndChildren& effect, absl::Duration decided_at);
  void Do(const ReadFence& effect, absl::Duration decided_at);
  void Do(const WriteFence& effect, absl::Duration decided_at);
  void Do(const EnforceFence& effect, absl::Duration decided_at);
  void Do(const LookAt& effect, absl::Duration decided_at);
  void Do(const StartAction& effect, absl::Duration decided_at);
  void Do(const CancelAction& effect, absl::Duration decided_at);
  void Do(const CheckAction& effect, absl::Duration decided_at);
  void Do(const AskProbe& effect, absl::Duration decided_at);
  void Do(const OpenLink& effect, absl::Duration decided_at);
  void Do(const CloseLink& effect, absl::Duration decided_at);
  void Do(Send& effect, absl::Duration decided_at);
  void Do(const SetTimer& effect, absl::Duration decided_at);
  void Do(const StopTimer& effect, absl::Duration decided_at);
  void Do(const ReconnectLater& effect, absl::Duration decided_at);
  void Do(const ResetBackoff& effect, absl::Duration decided_at);
  void Do(Deliver& effect, absl::Duration decided_at);
  void Do(const Say& effect, absl::Duration decided_at);

  Options options_;
  Ports ports_;
  std::map<ResourceId, Resource> resources_;
  AgentState state_;
  Backoff backoff_;
  std::deque<What> queue_;
  size_t messages_queued_ = 0;
  uint64_t flooded_stream_ = 0;  // its messages are dropped: it sent more than is held
  bool writing_ = false;
  std::map<TimerKey, TimerId> timers_;
  std::shared_ptr<bool> alive_;
};

}  // namespace baton::agent
