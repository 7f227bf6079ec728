// Makes plans and drives them.
#pragma once

#include "grpcpp/support/server_callback.h"

#include "baton/v1/plan_service.grpc.pb.h"
#include "common/base/scheduler.h"
#include "coordinator/api/control.h"
#include "coordinator/api/unary.h"

namespace baton {

// `control` and `scheduler` outlive the service; the loop runs until the server was shut down.
class PlanService : public v1::PlanService::CallbackService {
 public:
  PlanService(Control& control, Scheduler& scheduler) : control_(control), scheduler_(scheduler) {}

  grpc::ServerUnaryReactor* CreatePlan(grpc::CallbackServerContext* context,
                                       const v1::CreatePlanRequest* request,
                                       v1::CreatePlanResponse* response) override;
  grpc::ServerUnaryReactor* GetPlan(grpc::CallbackServerContext* context,
                                    const v1::GetPlanRequest* request, v1::Plan* response) override;
  grpc::ServerUnaryReactor* ListPlans(grpc::CallbackServerContext* context,
                                      const v1::ListPlansRequest* request,
                                      v1::ListPlansResponse* response) override;
  grpc::ServerUnaryReactor* ResumePlan(grpc::CallbackServerContext* context,
                                       const v1::ResumePlanRequest* request,
                                       v1::Plan* response) override;
  grpc::ServerUnaryReactor* PausePlan(grpc::CallbackServerContext* context,
                                      const v1::OperatePlanRequest* request,
                                      v1::Plan* response) override;
  grpc::ServerUnaryReactor* RetryStep(grpc::CallbackServerContext* context,
                                      const v1::OperatePlanRequest* request,
                                      v1::Plan* response) override;
  grpc::ServerUnaryReactor* SkipStep(grpc::CallbackServerContext* context,
                                     const v1::OperatePlanRequest* request,
                                     v1::Plan* response) override;
  grpc::ServerUnaryReactor* AbortPlan(grpc::CallbackServerContext* context,
                                      const v1::OperatePlanRequest* request,
                                      v1::Plan* response) override;

 private:
  void Create(const v1::CreatePlanRequest& request, v1::CreatePlanResponse& response,
              const Reply& reply);
  grpc::ServerUnaryReactor* OnPlan(grpc::CallbackServerContext* context, Verb verb,
                                   const v1::OperatePlanRequest* request, v1::Plan* response);
  void Operate(Verb verb, const v1::OperatePlanRequest& request, v1::Plan& response,
               const Reply& reply);
  void List(const v1::ListPlansRequest& request, v1::ListPlansResponse& response) const;
  // NOT_FOUND: no such plan.
  absl::Status Fill(const PlanId& id, v1::Plan& response) const;
  PlanId NewPlanId() const;

  Control& control_;
  Scheduler& scheduler_;
};

}  // namespace baton
