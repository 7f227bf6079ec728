// Calls to the coordinator: which address, how long, how often.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

#include "baton/v1/agent_service.pb.h"
#include "baton/v1/event_service.pb.h"
#include "baton/v1/plan_service.pb.h"
#include "baton/v1/topology_service.pb.h"
#include "coordinator/cli/event_stream.h"
#include "coordinator/cli/terminal.h"

namespace baton {

// A call is tried at each address in turn, a few rounds long, while it fails as UNAVAILABLE; the
// same request, request id included, so that it takes effect once. Errors are the coordinator's
// (FromGrpc). UNAVAILABLE and DEADLINE_EXCEEDED say which addresses were tried and what to do.
// Used by one thread.
class Client {
 public:
  struct Endpoint {
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
  };

  // `endpoints` is not empty; `terminal`'s parts outlive the client. `timeout` bounds each call,
  // all its tries together. `seed` spreads the waits between rounds.
  Client(std::vector<Endpoint> endpoints, const Terminal& terminal, absl::Duration timeout,
         uint64_t seed);

  absl::StatusOr<v1::Topology> ApplyTopology(const v1::ApplyTopologyRequest& request);
  absl::StatusOr<v1::Topology> GetTopology(const v1::GetTopologyRequest& request);
  absl::StatusOr<v1::ListPoolsResponse> ListPools(const v1::ListPoolsRequest& request);
  absl::StatusOr<v1::CreatePlanResponse> CreatePlan(const v1::CreatePlanRequest& request);
  absl::StatusOr<v1::Plan> GetPlan(const v1::GetPlanRequest& request);
  absl::StatusOr<v1::ListPlansResponse> ListPlans(const v1::ListPlansRequest& request);
  absl::StatusOr<v1::Plan> ResumePlan(const v1::ResumePlanRequest& request);
  absl::StatusOr<v1::Plan> PausePlan(const v1::OperatePlanRequest& request);
  absl::StatusOr<v1::Plan> RetryStep(const v1::OperatePlanRequest& request);
  absl::StatusOr<v1::Plan> SkipStep(const v1::OperatePlanRequest& request);
  absl::StatusOr<v1::Plan> AbortPlan(const v1::OperatePlanRequest& request);
  absl::StatusOr<v1::ListAgentsResponse> ListAgents(const v1::ListAgentsRequest& request);
  absl::StatusOr<v1::Agent> AcceptAgent(const v1::AcceptAgentRequest& request);

  // Not retried: whoever watches knows from where to go on.
  std::unique_ptr<EventStream> WatchEvents(const v1::WatchEventsRequest& request);

  // The address in use.
  const std::string& address() const { return endpoints_[current_].address; }
  // The next call begins at another address, if there is one.
  void TryNextAddress() { current_ = (current_ + 1) % endpoints_.size(); }

 private:
  template <class Stub, class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request);
  absl::Status Explain(const absl::Status& status) const;

  const std::vector<Endpoint> endpoints_;
  const Terminal terminal_;
  const absl::Duration timeout_;
  const uint64_t seed_;
  size_t current_ = 0;
};

}  // namespace baton
