#include "coordinator/cli/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/plan_service.grpc.pb.h"
#include "baton/v1/topology_service.grpc.pb.h"
#include "common/base/backoff.h"
#include "common/rpc/status_proto.h"

namespace baton {
namespace {

constexpr int kRounds = 4;
constexpr absl::Duration kFirstWait = absl::Milliseconds(150);
constexpr absl::Duration kLongestWait = absl::Seconds(1);

}  // namespace

Client::Client(std::vector<Endpoint> endpoints, const Terminal& terminal, absl::Duration timeout,
               uint64_t seed)
    : endpoints_(std::move(endpoints)), terminal_(terminal), timeout_(timeout), seed_(seed) {}

template <class Stub, class Request, class Response>
absl::StatusOr<Response> Client::Call(grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                   const Request&, Response*),
                                      const Request& request) {
  const absl::Duration end = terminal_.clock.SinceBoot() + timeout_;
  Backoff backoff(kFirstWait, kLongestWait, seed_);
  absl::Status status;
  for (size_t tried = 0; tried < kRounds * endpoints_.size(); ++tried) {
    if (tried > 0 && tried % endpoints_.size() == 0) {
      terminal_.interrupt.WaitFor(backoff.Next());
    }
    const absl::Duration left = end - terminal_.clock.SinceBoot();
    if (terminal_.interrupt.triggered() || left <= absl::ZeroDuration()) break;
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(terminal_.clock.Now() + left));
    const Interrupt::Scope scope(terminal_.interrupt, [&context] { context.TryCancel(); });
    Response response;
    Stub stub(endpoints_[current_].channel);
    status = FromGrpc((stub.*method)(&context, request, &response));
    if (status.ok()) return response;
    if (status.code() != absl::StatusCode::kUnavailable) break;
    TryNextAddress();
  }
  return Explain(status);
}

absl::Status Client::Explain(const absl::Status& status) const {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::DeadlineExceededError(absl::StrCat(
        "the coordinator at ", address(), " gave no answer within ", absl::FormatDuration(timeout_),
        "; look whether it is overloaded or wait longer with --timeout"));
  }
  if (status.code() == absl::StatusCode::kCancelled && terminal_.interrupt.triggered()) {
    return absl::CancelledError("interrupted before the coordinator answered");
  }
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::UnimplementedError(
        absl::StrCat("the coordinator at ", address(),
                     " knows no such call: it is older than this baton; run both in one version"));
  }
  if (status.code() != absl::StatusCode::kUnavailable) return status;
  const std::string tried = absl::StrJoin(
      endpoints_, ", ", [](std::string* out, const Endpoint& e) { out->append(e.address); });
  return absl::UnavailableError(
      absl::StrCat("no coordinator answers: tried ", tried, " (", std::string(status.message()),
                   "); start baton-coordinator, or name its address with --coordinator or "
                   "BATON_COORDINATOR"));
}

absl::StatusOr<v1::Topology> Client::ApplyTopology(const v1::ApplyTopologyRequest& request) {
  return Call(&v1::TopologyService::Stub::ApplyTopology, request);
}

absl::StatusOr<v1::Topology> Client::GetTopology(const v1::GetTopologyRequest& request) {
  return Call(&v1::TopologyService::Stub::GetTopology, request);
}

absl::StatusOr<v1::ListPoolsResponse> Client::ListPools(const v1::ListPoolsRequest& request) {
  return Call(&v1::TopologyService::Stub::ListPools, request);
}

absl::StatusOr<v1::CreatePlanResponse> Client::CreatePlan(const v1::CreatePlanRequest& request) {
  return Call(&v1::PlanService::Stub::CreatePlan, request);
}

absl::StatusOr<v1::Plan> Client::GetPlan(const v1::GetPlanRequest& request) {
  return Call(&v1::PlanService::Stub::GetPlan, request);
}

absl::StatusOr<v1::ListPlansResponse> Client::ListPlans(const v1::ListPlansRequest& request) {
  return Call(&v1::PlanService::Stub::ListPlans, request);
}

absl::StatusOr<v1::Plan> Client::ResumePlan(const v1::ResumePlanRequest& request) {
  return Call(&v1::PlanService::Stub::ResumePlan, request);
}

absl::StatusOr<v1::Plan> Client::PausePlan(const v1::OperatePlanRequest& request) {
  return Call(&v1::PlanService::Stub::PausePlan, request);
}

absl::StatusOr<v1::Plan> Client::RetryStep(const v1::OperatePlanRequest& request) {
  return Call(&v1::PlanService::Stub::RetryStep, request);
}

absl::StatusOr<v1::Plan> Client::SkipStep(const v1::OperatePlanRequest& request) {
  return Call(&v1::PlanService::Stub::SkipStep, request);
}

absl::StatusOr<v1::Plan> Client::AbortPlan(const v1::OperatePlanRequest& request) {
  return Call(&v1::PlanService::Stub::AbortPlan, request);
}

absl::StatusOr<v1::ListAgentsResponse> Client::ListAgents(const v1::ListAgentsRequest& request) {
  return Call(&v1::AgentService::Stub::ListAgents, request);
}

absl::StatusOr<v1::Agent> Client::AcceptAgent(const v1::AcceptAgentRequest& request) {
  return Call(&v1::AgentService::Stub::AcceptAgent, request);
}

std::unique_ptr<EventStream> Client::WatchEvents(const v1::WatchEventsRequest& request) {
  return std::make_unique<EventStream>(endpoints_[current_].channel, request);
}

}  // namespace baton
