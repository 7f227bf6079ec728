#include "tests/unit/cli/fake_coordinator.h"

#include <utility>

#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"

namespace baton {

FakeCoordinator::FakeCoordinator() {
  grpc::ServerBuilder builder;
  builder.RegisterService(static_cast<v1::TopologyService::Service*>(this));
  builder.RegisterService(static_cast<v1::PlanService::Service*>(this));
  builder.RegisterService(static_cast<v1::AgentService::Service*>(this));
  builder.RegisterService(static_cast<v1::EventService::Service*>(this));
  server_ = builder.BuildAndStart();
}

FakeCoordinator::~FakeCoordinator() {
  EndStreams(grpc::Status(grpc::StatusCode::UNAVAILABLE, "shutting down"));
  server_->Shutdown();
}

std::shared_ptr<grpc::Channel> FakeCoordinator::Channel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void FakeCoordinator::FailNext(grpc::Status status, int times) {
  MutexLock lock(&mutex_);
  failure_ = std::move(status);
  failures_ = times;
}

void FakeCoordinator::SetPlan(const v1::Plan& plan) {
  MutexLock lock(&mutex_);
  plan_ = plan;
}

void FakeCoordinator::SetCreateAnswer(const v1::CreatePlanResponse& answer) {
  MutexLock lock(&mutex_);
  create_answer_ = answer;
}

void FakeCoordinator::SetPools(const v1::ListPoolsResponse& pools) {
  MutexLock lock(&mutex_);
  pools_ = pools;
}

void FakeCoordinator::SetPlans(const v1::ListPlansResponse& plans) {
  MutexLock lock(&mutex_);
  plans_ = plans;
}

void FakeCoordinator::SetAgents(const v1::ListAgentsResponse& agents) {
  MutexLock lock(&mutex_);
  agents_ = agents;
}

void FakeCoordinator::SetTopology(const v1::Topology& topology) {
  MutexLock lock(&mutex_);
  topology_ = topology;
}

void FakeCoordinator::AddEvent(const v1::Event& event) {
  MutexLock lock(&mutex_);
  events_.push_back(event);
  changed_.SignalAll();
}

void FakeCoordinator::EndStreams(const grpc::Status& status) {
  MutexLock lock(&mutex_);
  end_status_ = status;
  ++streams_ended_;
  changed_.SignalAll();
}

std::vector<v1::CreatePlanRequest> FakeCoordinator::create_requests() {
  MutexLock lock(&mutex_);
  return create_requests_;
}

std::vector<v1::ResumePlanRequest> FakeCoordinator::resume_requests() {
  MutexLock lock(&mutex_);
  return resume_requests_;
}

std::vector<FakeCoordinator::Operated> FakeCoordinator::operate_requests() {
  MutexLock lock(&mutex_);
  return operate_requests_;
}

std::vector<v1::ApplyTopologyRequest> FakeCoordinator::apply_requests() {
  MutexLock lock(&mutex_);
  return apply_requests_;
}

std::vector<v1::AcceptAgentRequest> FakeCoordinator::accept_requests() {
  MutexLock lock(&mutex_);
  return accept_requests_;
}

std::vector<v1::WatchEventsRequest> FakeCoordinator::watch_requests() {
  MutexLock lock(&mutex_);
  return watch_requests_;
}

bool FakeCoordinator::WaitForStreams(size_t count) {
  MutexLock lock(&mutex_);
  for (int i = 0; i < 300 && watch_requests_.size() < count; ++i) {
    changed_.WaitFor(&mutex_, absl::Milliseconds(100));
  }
  return watch_requests_.size() >= count;
}

grpc::Status FakeCoordinator::Failure() {
  if (failures_ == 0) return grpc::Status::OK;
  --failures_;
  return failure_;
}

grpc::Status FakeCoordinator::ApplyTopology(grpc::ServerContext*,
                                            const v1::ApplyTopologyRequest* request,
                                            v1::Topology* answer) {
  MutexLock lock(&mutex_);
  apply_requests_.push_back(*request);
  *answer = topology_;
  return Failure();
}

grpc::Status FakeCoordinator::GetTopology(grpc::ServerContext*, const v1::GetTopologyRequest*,
                                          v1::Topology* answer) {
  MutexLock lock(&mutex_);
  *answer = topology_;
  return Failure();
}

grpc::Status FakeCoordinator::ListPools(grpc::ServerContext*, const v1::ListPoolsRequest* request,
                                        v1::ListPoolsResponse* answer) {
  MutexLock lock(&mutex_);
  if (pools_.has_as_of()) *answer->mutable_as_of() = pools_.as_of();
  for (const v1::PoolStatus& pool : pools_.pools()) {
    if (request->pool().empty() || request->pool() == pool.pool()) *answer->add_pools() = pool;
  }
  return Failure();
}

grpc::Status FakeCoordinator::CreatePlan(grpc::ServerContext*, const v1::CreatePlanRequest* request,
                                         v1::CreatePlanResponse* answer) {
  MutexLock lock(&mutex_);
  create_requests_.push_back(*request);
  *answer = create_answer_;
  return Failure();
}

grpc::Status FakeCoordinator::GetPlan(grpc::ServerContext*, const v1::GetPlanRequest*,
                                      v1::Plan* answer) {
  MutexLock lock(&mutex_);
  *answer = plan_;
  return Failure();
}

grpc::Status FakeCoordinator::ListPlans(grpc::ServerContext*, const v1::ListPlansRequest*,
                                        v1::ListPlansResponse* answer) {
  MutexLock lock(&mutex_);
  *answer = plans_;
  return Failure();
}

grpc::Status FakeCoordinator::ResumePlan(grpc::ServerContext*, const v1::ResumePlanRequest* request,
                                         v1::Plan* answer) {
  MutexLock lock(&mutex_);
  resume_requests_.push_back(*request);
  *answer = plan_;
  return Failure();
}

grpc::Status FakeCoordinator::Operate(const char* call, const v1::OperatePlanRequest& request,
                                      v1::Plan* answer) {
  MutexLock lock(&mutex_);
  operate_requests_.push_back({call, request});
  *answer = plan_;
  return Failure();
}

grpc::Status FakeCoordinator::PausePlan(grpc::ServerContext*, const v1::OperatePlanRequest* request,
                                        v1::Plan* answer) {
  return Operate("PausePlan", *request, answer);
}

grpc::Status FakeCoordinator::RetryStep(grpc::ServerContext*, const v1::OperatePlanRequest* request,
                                        v1::Plan* answer) {
  return Operate("RetryStep", *request, answer);
}

grpc::Status FakeCoordinator::SkipStep(grpc::ServerContext*, const v1::OperatePlanRequest* request,
                                       v1::Plan* answer) {
  return Operate("SkipStep", *request, answer);
}

grpc::Status FakeCoordinator::AbortPlan(grpc::ServerContext*, const v1::OperatePlanRequest* request,
                                        v1::Plan* answer) {
  return Operate("AbortPlan", *request, answer);
}

grpc::Status FakeCoordinator::ListAgents(grpc::ServerContext*, const v1::ListAgentsRequest*,
                                         v1::ListAgentsResponse* answer) {
  MutexLock lock(&mutex_);
  *answer = agents_;
  return Failure();
}

grpc::Status FakeCoordinator::AcceptAgent(grpc::ServerContext*,
                                          const v1::AcceptAgentRequest* request,
                                          v1::Agent* answer) {
  MutexLock lock(&mutex_);
  accept_requests_.push_back(*request);
  for (const v1::Agent& agent : agents_.agents()) {
    if (agent.host() != request->host()) continue;
    *answer = agent;
    answer->set_ledger_id(agent.refused_ledger_id());
  }
  return Failure();
}

grpc::Status FakeCoordinator::WatchEvents(grpc::ServerContext* context,
                                          const v1::WatchEventsRequest* request,
                                          grpc::ServerWriter<v1::Event>* writer) {
  MutexLock lock(&mutex_);
  watch_requests_.push_back(*request);
  changed_.SignalAll();
  const uint64_t born = streams_ended_;
  size_t told = 0;
  while (!context->IsCancelled()) {
    for (; told < events_.size(); ++told) {
      if (events_[told].sequence() >= request->from_sequence()) writer->Write(events_[told]);
    }
    if (streams_ended_ != born) return end_status_;
    if (!request->follow()) return grpc::Status::OK;
    changed_.WaitFor(&mutex_, absl::Milliseconds(20));
  }
  return grpc::Status::CANCELLED;
}

}  // namespace baton
