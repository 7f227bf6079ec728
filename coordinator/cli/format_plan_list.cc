// Many plans, a line each.
#include <string>

#include "coordinator/cli/format.h"
#include "coordinator/cli/plan_words.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {

std::string FormatPlanList(const v1::ListPlansResponse& plans) {
  TextTable table({"PLAN", "POOL", "KIND", "ROUTE", "STATE", "CREATED", "TOOK", "WAITS FOR"});
  for (const v1::Plan& plan : plans.plans()) {
    table.Add({ShortPlanId(plan.name()), plan.pool(), Word(plan.kind()), Route(plan),
               Word(plan.state()), LocalTime(plan.create_time()), PlanTook(plan),
               plan.waiting_for()});
  }
  return table.empty() ? "no plans yet\n" : table.ToString();
}

std::string FormatHistory(const v1::ListPlansResponse& plans) {
  TextTable table({"ENDED", "POOL", "KIND", "ROUTE", "EPOCH", "RESULT", "TOOK", "ANNOUNCED LOSS",
                   "BY", "REASON"});
  for (const v1::Plan& plan : plans.plans()) {
    if (!plan.has_end_time()) continue;
    table.Add({LocalTime(plan.end_time()), plan.pool(), Word(plan.kind()), Route(plan),
               Text(plan.epoch()), Word(plan.state()), PlanTook(plan), MostLost(plan),
               plan.requested_by(), plan.reason()});
  }
  return table.empty() ? "nothing has been moved yet\n" : table.ToString();
}

}  // namespace baton
