// Shows agents and settles which ledger is theirs.
#pragma once

#include "grpcpp/support/server_callback.h"

#include "baton/v1/agent_service.grpc.pb.h"
#include "common/base/scheduler.h"
#include "coordinator/api/control.h"
#include "coordinator/api/unary.h"

namespace baton {

// `control` and `scheduler` outlive the service; the loop runs until the server was shut down.
class AgentService : public v1::AgentService::CallbackService {
 public:
  AgentService(Control& control, Scheduler& scheduler) : control_(control), scheduler_(scheduler) {}

  grpc::ServerUnaryReactor* ListAgents(grpc::CallbackServerContext* context,
                                       const v1::ListAgentsRequest* request,
                                       v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* AcceptAgent(grpc::CallbackServerContext* context,
                                        const v1::AcceptAgentRequest* request,
                                        v1::Agent* response) override;

 private:
  void Accept(const v1::AcceptAgentRequest& request, v1::Agent& response, const Reply& reply);
  v1::Agent Describe(const HostId& host) const;

  Control& control_;
  Scheduler& scheduler_;
};

}  // namespace baton
