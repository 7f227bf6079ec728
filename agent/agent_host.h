// Everything that an agent consists of, put together.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/agent_config.h"
#include "agent/core/agent_core.h"
#include "agent/core/host_ports.h"
#include "agent/ledger/sqlite_ledger.h"
#include "agent/transport/session_client.h"
#include "agent/worker_ports.h"
#include "common/base/clock.h"
#include "common/base/scheduler.h"
#include "common/os/process.h"

namespace baton::agent {

// Made before the loop runs and destroyed after it ended. Ending it never stops what it looks
// after.
class AgentHost {
 public:
  // `scheduler` and `clock` outlive it. FAILED_PRECONDITION: the ledger is in use. Other errors
  // name the file or key that is at fault.
  static absl::StatusOr<std::unique_ptr<AgentHost>> Create(const AgentConfig& config,
                                                           Scheduler* scheduler,
                                                           const Clock* clock);
  ~AgentHost();

  void Start() { core_->Start(); }

 private:
  struct Fences {
    std::unique_ptr<FenceStore> file;
    std::unique_ptr<FenceStore> store;  // over `file`, under this agent's ledger
  };
  struct Resource {
    std::shared_ptr<RunningCommand> running = std::make_shared<RunningCommand>();
    std::unique_ptr<ServiceManager> service;
    // One chain for each that uses it: who opens a fence must have seen by itself what is there.
    Fences core;
    Fences looking;
    Fences acting;
    std::unique_ptr<ArchiveStore> archive;
    std::unique_ptr<FenceFile> fence_file;
    std::unique_ptr<Probe> probe;
    std::unique_ptr<ActionRunner> runner;
  };

  AgentHost() = default;
  absl::Status Add(const ResourceFile& file, const AgentConfig& config, const Clock* clock,
                   const LedgerId& ledger);
  // With `made_good`, a file that was lost is read as the ledger knows it. `service` outlives them.
  Fences MakeFences(const ResourceConfig& about, const LedgerId& ledger, ServiceManager* service,
                    bool made_good);
  absl::Status AddEngine(const ResourceFile& file, const Clock* clock, Resource* resource);
  // RunOptions::before_start of what acts for the commands of `resource`.
  std::function<absl::Status(const ProcessId&)> BeforeStart(const Resource& resource);
  // Enters a child that is about to act in the ledger: an agent after this one ends it first.
  absl::Status EnterChild(const RunningCommand& running, const ProcessId& child);
  // Enters what a runner writes into a fence file in the ledger, and tells the core.
  absl::Status EnterFence(const ResourceId& resource, const FenceRecord& record);

  std::unique_ptr<SqliteLedger> ledger_;
  LeftChildren children_;
  std::unique_ptr<SessionClient> link_;
  std::vector<std::unique_ptr<Resource>> resources_;
  std::vector<AgentCore::Resource> given_;
  std::unique_ptr<AgentCore> core_;
};

}  // namespace baton::agent
