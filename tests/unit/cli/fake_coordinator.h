// A coordinator without anything behind it: answers are set by the test, requests are kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/server.h"
#include "grpcpp/support/status.h"

#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/event_service.grpc.pb.h"
#include "baton/v1/plan_service.grpc.pb.h"
#include "baton/v1/topology_service.grpc.pb.h"
#include "common/base/mutex.h"

namespace baton {

// Thread-safe. The destructor ends every stream.
class FakeCoordinator : public v1::TopologyService::Service,
                        public v1::PlanService::Service,
                        public v1::AgentService::Service,
                        public v1::EventService::Service {
 public:
  FakeCoordinator();
  ~FakeCoordinator() override;

  std::shared_ptr<grpc::Channel> Channel();

  // The next `times` unary calls fail with `status`, whatever they ask.
  void FailNext(grpc::Status status, int times = 1);
  // What GetPlan and everything that is done to a plan answer from now on.
  void SetPlan(const v1::Plan& plan);
  void SetCreateAnswer(const v1::CreatePlanResponse& answer);
  void SetPools(const v1::ListPoolsResponse& pools);
  void SetPlans(const v1::ListPlansResponse& plans);
  void SetAgents(const v1::ListAgentsResponse& agents);
  void SetTopology(const v1::Topology& topology);
  // To every stream now and later.
  void AddEvent(const v1::Event& event);
  // Streams that are open end with `status`.
  void EndStreams(const grpc::Status& status);

  std::vector<v1::CreatePlanRequest> create_requests();
  std::vector<v1::ResumePlanRequest> resume_requests();
  // Of PausePlan, RetryStep, SkipStep and AbortPlan, each after the name of its call.
  struct Operated {
    std::string call;
    v1::OperatePlanRequest request;
  };
  std::vector<Operated> operate_requests();
  std::vector<v1::ApplyTopologyRequest> apply_requests();
  std::vector<v1::AcceptAgentRequest> accept_requests();
  std::vector<v1::WatchEventsRequest> watch_requests();
  // Until so many streams have been opened. False after half a minute.
  bool WaitForStreams(size_t count);

 private:
  grpc::Status ApplyTopology(grpc::ServerContext*, const v1::ApplyTopologyRequest*,
                             v1::Topology*) override;
  grpc::Status GetTopology(grpc::ServerContext*, const v1::GetTopologyRequest*,
                           v1::Topology*) override;
  grpc::Status ListPools(grpc::ServerContext*, const v1::ListPoolsRequest*,
                         v1::ListPoolsResponse*) override;
  grpc::Status CreatePlan(grpc::ServerContext*, const v1::CreatePlanRequest*,
                          v1::CreatePlanResponse*) override;
  grpc::Status GetPlan(grpc::ServerContext*, const v1::GetPlanRequest*, v1::Plan*) override;
  grpc::Status ListPlans(grpc::ServerContext*, const v1::ListPlansRequest*,
                         v1::ListPlansResponse*) override;
  grpc::Status ResumePlan(grpc::ServerContext*, const v1::ResumePlanRequest*, v1::Plan*) override;
  grpc::Status PausePlan(grpc::ServerContext*, const v1::OperatePlanRequest*, v1::Plan*) override;
  grpc::Status RetryStep(grpc::ServerContext*, const v1::OperatePlanRequest*, v1::Plan*) override;
  grpc::Status SkipStep(grpc::ServerContext*, const v1::OperatePlanRequest*, v1::Plan*) override;
  grpc::Status AbortPlan(grpc::ServerContext*, const v1::OperatePlanRequest*, v1::Plan*) override;
  grpc::Status ListAgents(grpc::ServerContext*, const v1::ListAgentsRequest*,
                          v1::ListAgentsResponse*) override;
  grpc::Status AcceptAgent(grpc::ServerContext*, const v1::AcceptAgentRequest*,
                           v1::Agent*) override;
  grpc::Status WatchEvents(grpc::ServerContext*, const v1::WatchEventsRequest*,
                           grpc::ServerWriter<v1::Event>*) override;

  grpc::Status Operate(const char* call, const v1::OperatePlanRequest& request, v1::Plan* answer);
  grpc::Status Failure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  CondVar changed_;
  grpc::Status failure_ ABSL_GUARDED_BY(mutex_);
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  v1::Plan plan_ ABSL_GUARDED_BY(mutex_);
  v1::CreatePlanResponse create_answer_ ABSL_GUARDED_BY(mutex_);
  v1::ListPoolsResponse pools_ ABSL_GUARDED_BY(mutex_);
  v1::ListPlansResponse plans_ ABSL_GUARDED_BY(mutex_);
  v1::ListAgentsResponse agents_ ABSL_GUARDED_BY(mutex_);
  v1::Topology topology_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Event> events_ ABSL_GUARDED_BY(mutex_);
  uint64_t streams_ended_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::Status end_status_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::CreatePlanRequest> create_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::ResumePlanRequest> resume_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<Operated> operate_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::ApplyTopologyRequest> apply_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::AcceptAgentRequest> accept_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::WatchEventsRequest> watch_requests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace baton
