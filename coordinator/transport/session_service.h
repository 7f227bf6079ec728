// The gRPC end of agents' sessions.
#pragma once

#include <memory>

#include "grpcpp/support/server_callback.h"

#include "baton/v1/agent_session.grpc.pb.h"
#include "common/base/scheduler.h"
#include "common/rpc/outbox.h"
#include "coordinator/transport/session_registry.h"

namespace baton {

// Serves OpenSession. gRPC's threads only post to the loop; streams and registry live there. The
// loop must run until the server was shut down; `registry` and `scheduler` outlive the service.
class SessionService : public v1::AgentSessionService::CallbackService {
 public:
  SessionService(SessionRegistry& registry, Scheduler& scheduler,
                 OutboxLimits limits = OutboxLimits())
      : registry_(registry), scheduler_(scheduler), limits_(limits) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>* OpenSession(
      grpc::CallbackServerContext* context) override;

 private:
  SessionRegistry& registry_;
  Scheduler& scheduler_;
  const OutboxLimits limits_;
};

}  // namespace baton
