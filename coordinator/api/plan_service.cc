#include "coordinator/api/plan_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/runtime/random.h"
#include "coordinator/api/dry_run.h"
#include "coordinator/planner/planner.h"
#include "coordinator/wire/goal_proto.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

constexpr absl::Duration kDryRunMax = absl::Seconds(20);
constexpr uint32_t kPageDefault = 50;
constexpr uint32_t kPageMax = 500;

absl::Status CheckCreate(const v1::CreatePlanRequest& request, const Topology* topology) {
  if (!request.validate_only()) {
    BATON_RETURN_IF_ERROR(CheckReason(request.reason()));
    BATON_RETURN_IF_ERROR(CheckChange(request.request_id(), request.requested_by()));
  }
  if (topology == nullptr) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, "NO_TOPOLOGY",
        "no topology was applied yet; run `baton topology apply FILE --reason TEXT`");
  }
  if (topology->FindPool(PoolId(request.pool())) == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("pool ", request.pool(), ": not in the topology; see `baton topology show`"));
  }
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* PlanService::CreatePlan(grpc::CallbackServerContext* context,
                                                  const v1::CreatePlanRequest* request,
                                                  v1::CreatePlanResponse* response) {
  return OnLoop(scheduler_, context, [this, request, response](const Reply& reply) {
    Create(*request, *response, reply);
  });
}

// Short enough to type, sorted by time, and never used twice.
PlanId PlanService::NewPlanId() const {
  for (;;) {
    PlanId id(absl::StrCat(absl::FormatTime("%Y%m%d-%H%M%S", control_.Now(), absl::UTCTimeZone()),
                           "-", RandomId().substr(0, 4)));
    if (control_.state().FindExecution(id) == nullptr) return id;
  }
}

void PlanService::Create(const v1::CreatePlanRequest& request, v1::CreatePlanResponse& response,
                         const Reply& reply) {
  absl::StatusOr<Goal> goal = GoalFrom(request);
  if (!goal.ok()) return reply(goal.status());
  if (absl::Status status = CheckCreate(request, control_.topology().get()); !status.ok()) {
    return reply(status);
  }
  const auto known = control_.state().by_request.find(request.request_id());
  if (!request.validate_only() && known != control_.state().by_request.end()) {
    return reply(Fill(known->second, *response.mutable_plan()));
  }
  if (request.validate_only()) goal->request_id.clear();
  goal->plan_id = NewPlanId();
  Planned planned = MakePlan(control_.Look(), *goal, control_.policy());
  for (const Refusal& refusal : planned.refusals) *response.add_refusals() = ToProto(refusal);
  if (!planned.plan.has_value()) return reply(absl::OkStatus());
  if (request.validate_only()) {
    *response.mutable_plan() = ToProto(*planned.plan);
    return DryRunPlan(control_.registry(), *planned.plan, kDryRunMax,
                      [&response, reply](const std::vector<Refusal>& refusals) {
                        for (const Refusal& refusal : refusals) {
                          *response.add_refusals() = ToProto(refusal);
                        }
                        reply(absl::OkStatus());
                      });
  }
  if (control_.in_flight().topologies > 0) {
    return reply(absl::AbortedError("a topology is being applied; make the plan again"));
  }
  ++control_.in_flight().admissions;
  control_.driver().Admit(*std::move(planned.plan),
                          [this, &response, reply](const absl::StatusOr<PlanId>& id) {
                            --control_.in_flight().admissions;
                            reply(id.ok() ? Fill(*id, *response.mutable_plan()) : id.status());
                          });
}

grpc::ServerUnaryReactor* PlanService::GetPlan(grpc::CallbackServerContext* context,
                                               const v1::GetPlanRequest* request,
                                               v1::Plan* response) {
  return OnLoop(scheduler_, context, [this, request, response](const Reply& reply) {
    reply(Fill(PlanIdOf(request->name()), *response));
  });
}

absl::Status PlanService::Fill(const PlanId& id, v1::Plan& response) const {
  const Execution* execution = control_.state().FindExecution(id);
  if (execution == nullptr) {
    return absl::NotFoundError(absl::StrCat("plan ", CleanText(id.value(), kNameBytesMax),
                                            ": not found among those that run and the last ",
                                            kEndedPlansKept,
                                            " of each pool that ended; see `baton plan list`, and "
                                            "`baton events` for what was longer ago"));
  }
  response = ToProto(*execution);
  for (size_t i = 0; i < execution->steps.size(); ++i) {
    response.mutable_steps(static_cast<int>(i))
        ->set_progress(control_.hub().ProgressOf(execution->CommandOf(static_cast<int>(i))));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* PlanService::ListPlans(grpc::CallbackServerContext* context,
                                                 const v1::ListPlansRequest* request,
                                                 v1::ListPlansResponse* response) {
  return OnLoop(scheduler_, context, [this, request, response](const Reply& reply) {
    List(*request, *response);
    reply(absl::OkStatus());
  });
}

void PlanService::List(const v1::ListPlansRequest& request, v1::ListPlansResponse& response) const {
  const uint32_t wanted =
      request.page_size() == 0 ? kPageDefault : std::min(request.page_size(), kPageMax);
  const std::vector<PlanId>& admitted = control_.state().admitted;
  for (auto id = admitted.rbegin(); id != admitted.rend(); ++id) {
    if (static_cast<uint32_t>(response.plans_size()) >= wanted) return;
    const Execution* execution = control_.state().FindExecution(*id);
    if (execution == nullptr) continue;
    if (!request.pool().empty() && execution->plan->pool.value() != request.pool()) continue;
    *response.add_plans() = ToProto(*execution, PlanDetail::kWithoutSteps);
  }
}

grpc::ServerUnaryReactor* PlanService::ResumePlan(grpc::CallbackServerContext* context,
                                                  const v1::ResumePlanRequest* request,
                                                  v1::Plan* response) {
  return OnLoop(scheduler_, context, [this, request, response](const Reply& reply) {
    v1::OperatePlanRequest same;
    same.set_name(request->name());
    same.set_pool(request->pool());
    same.set_reason(request->reason());
    same.set_request_id(request->request_id());
    same.set_requested_by(request->requested_by());
    Operate(Verb::kResume, same, *response, reply);
  });
}

grpc::ServerUnaryReactor* PlanService::PausePlan(grpc::CallbackServerContext* context,
                                                 const v1::OperatePlanRequest* request,
                                                 v1::Plan* response) {
  return OnPlan(context, Verb::kPause, request, response);
}
grpc::ServerUnaryReactor* PlanService::RetryStep(grpc::CallbackServerContext* context,
                                                 const v1::OperatePlanRequest* request,
                                                 v1::Plan* response) {
  return OnPlan(context, Verb::kRetry, request, response);
}
grpc::ServerUnaryReactor* PlanService::SkipStep(grpc::CallbackServerContext* context,
                                                const v1::OperatePlanRequest* request,
                                                v1::Plan* response) {
  return OnPlan(context, Verb::kSkip, request, response);
}
grpc::ServerUnaryReactor* PlanService::AbortPlan(grpc::CallbackServerContext* context,
                                                 const v1::OperatePlanRequest* request,
                                                 v1::Plan* response) {
  return OnPlan(context, Verb::kAbort, request, response);
}

grpc::ServerUnaryReactor* PlanService::OnPlan(grpc::CallbackServerContext* context, Verb verb,
                                              const v1::OperatePlanRequest* request,
                                              v1::Plan* response) {
  return OnLoop(scheduler_, context, [this, verb, request, response](const Reply& reply) {
    Operate(verb, *request, *response, reply);
  });
}

void PlanService::Operate(Verb verb, const v1::OperatePlanRequest& request, v1::Plan& response,
                          const Reply& reply) {
  for (const absl::Status& status :
       {CheckReason(request.reason()), CheckChange(request.request_id(), request.requested_by())}) {
    if (!status.ok()) return reply(status);
  }
  PlanId id = PlanIdOf(request.name());
  const auto before = control_.state().operated.find(request.request_id());
  if (before != control_.state().operated.end()) {
    id = before->second;
  } else if (id.empty()) {
    const Execution* running = control_.state().FindRunning(PoolId(request.pool()));
    if (running == nullptr) {
      return reply(absl::NotFoundError(
          absl::StrCat("pool ", CleanText(request.pool(), kNameBytesMax),
                       ": found no plan of it that has not ended; see `baton plan list`")));
    }
    id = running->plan->id;
  }
  OperatorRequest what{verb, std::nullopt, request.requested_by(), request.reason(),
                       request.request_id()};
  // More than any plan has is refused by its number as it is.
  if (request.has_step()) what.step = static_cast<int>(std::min(request.step(), 1u << 30));
  control_.driver().Operate(id, std::move(what),
                            [this, id, &response, reply](const absl::Status& status) {
                              reply(status.ok() ? Fill(id, response) : status);
                            });
}

}  // namespace baton
