// Services that a supervisor of Baton's own looks after.
#pragma once

#include <string>

#include "agent/core/host_ports.h"
#include "common/base/mutex.h"
#include "common/protocol/resource_config.h"
#include "common/protocol/supervisor_control.h"

namespace baton {

// A client of `baton-guard run RESOURCE`. Where none answers, it starts one, in a session of its
// own: nothing that happens to this process reaches it or its server, and a server that already
// runs is taken over. Thread-safe.
class DirectServiceManager : public ServiceManager {
 public:
  DirectServiceManager(ResourceConfig config, std::string config_file, std::string guard_program);

  absl::Status Start(absl::Duration timeout) override;
  absl::Status Stop(StopMode mode, absl::Duration timeout) override;
  // Starts a missing supervisor too, at most once in two seconds.
  absl::StatusOr<ServiceStatus> Status() override;

 private:
  absl::StatusOr<SupervisorReply> Ask(SupervisorVerb verb, absl::Duration timeout) const;
  // True at most once in two seconds: time to start a supervisor.
  bool MayTry();
  // OK when a supervisor answers; waits for it.
  absl::Status EnsureSupervisor(absl::Duration timeout);

  const ResourceConfig config_;
  const std::string config_file_;
  const std::string guard_program_;
  Mutex mutex_;
  absl::Duration last_try_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace baton
