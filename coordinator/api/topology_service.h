// Holds the topology, and shows the pools as they are.
#pragma once

#include <deque>
#include <functional>

#include "grpcpp/support/server_callback.h"

#include "baton/v1/topology_service.grpc.pb.h"
#include "common/base/scheduler.h"
#include "coordinator/api/control.h"
#include "coordinator/api/unary.h"

namespace baton {

// `control` and `scheduler` outlive the service; the loop runs until the server was shut down.
class TopologyService : public v1::TopologyService::CallbackService {
 public:
  TopologyService(Control& control, Scheduler& scheduler)
      : control_(control), scheduler_(scheduler) {}

  grpc::ServerUnaryReactor* ApplyTopology(grpc::CallbackServerContext* context,
                                          const v1::ApplyTopologyRequest* request,
                                          v1::Topology* response) override;
  grpc::ServerUnaryReactor* GetTopology(grpc::CallbackServerContext* context,
                                        const v1::GetTopologyRequest* request,
                                        v1::Topology* response) override;
  grpc::ServerUnaryReactor* ListPools(grpc::CallbackServerContext* context,
                                      const v1::ListPoolsRequest* request,
                                      v1::ListPoolsResponse* response) override;

 private:
  void Apply(const v1::ApplyTopologyRequest& request, v1::Topology& response, const Reply& reply);
  absl::Status List(const v1::ListPoolsRequest& request, v1::ListPoolsResponse& response);
  void FillInForce(v1::Topology& response) const;
  void NextApply();

  Control& control_;
  Scheduler& scheduler_;
  // Applied one after the other: each is compared with what the one before left.
  std::deque<std::function<void()>> applies_;
};

}  // namespace baton
