#include "coordinator/api/plan_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/runtime/random.h"
#include "coordinator/api/dry_run.h"
#include "coordinator/planner/planner.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

constexpr absl::Duration kDryRunMax = absl::Seconds(20);
constexpr uint32_t kPageDefault = 50;
constexpr uint32_t kPageMax = 500;

absl::Status CheckCreate(const v1::CreatePlanRequest& request, const Topology* topology) {
  BATON_RETURN_IF_ERROR(CheckName("pool", request.pool()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("expected_primary", request.expected_primary()));
  if (!request.validate_only()) {
    BATON_RETURN_IF_ERROR(CheckReason(request.reason()));
    BATON_RETURN_IF_ERROR(CheckChange(request.request_id(), request.requested_by()));
  } else {
    BATON_RETURN_IF_ERROR(CheckText("reason", request.reason()));
    BATON_RETURN_IF_ERROR(CheckOptionalName("requested_by", request.requested_by()));
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
  if (absl::Status status = CheckCreate(request, control_.topology().get()); !status.ok()) {
    return reply(status);
  }
  const absl::StatusOr<PlanKind> kind = FromProto(request.kind());
  if (!kind.ok()) return reply(kind.status());
  const auto known = control_.state().by_request.find(request.request_id());
  if (!request.validate_only() && known != control_.state().by_request.end()) {
    return reply(Fill(known->second, *response.mutable_plan()));
  }
  Goal goal;
  goal.kind = *kind;
  goal.pool = PoolId(request.pool());
  goal.reason = request.reason();
  goal.requested_by = request.requested_by();
  goal.request_id = request.validate_only() ? "" : request.request_id();
  goal.expected_primary = HostId(request.expected_primary());
  goal.plan_id = NewPlanId();
  Planned planned = MakePlan(control_.Look(), goal, control_.policy());
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
                                            ": not found; see `baton plan list`"));
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
    Resume(*request, *response, reply);
  });
}

void PlanService::Resume(const v1::ResumePlanRequest& request, v1::Plan& response,
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
      return reply(
          absl::NotFoundError(absl::StrCat("pool ", CleanText(request.pool(), kNameBytesMax),
                                           ": no plan of it waits; see `baton plan list`")));
    }
    id = running->plan->id;
  }
  control_.driver().Resume(id, request.requested_by(), request.reason(), request.request_id(),
                           [this, id, &response, reply](const absl::Status& status) {
                             reply(status.ok() ? Fill(id, response) : status);
                           });
}

}  // namespace baton
