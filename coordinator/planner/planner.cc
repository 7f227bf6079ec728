#include "coordinator/planner/planner.h"

#include "coordinator/planner/adopt.h"
#include "coordinator/planner/failback.h"
#include "coordinator/planner/failover.h"
#include "coordinator/planner/preflight.h"
#include "coordinator/planner/protect.h"
#include "coordinator/planner/remove_quarantine.h"
#include "coordinator/planner/switchover.h"

namespace baton {

Planned MakePlan(const Snapshot& seen, const Goal& goal, const Policy& policy) {
  Planned planned;
  Refusals refusals;
  const Pool* pool = CheckPool(seen, goal, refusals);
  // While a plan moves the pool, what is seen of it says nothing about the next one.
  if (refusals.empty()) {
    const Inquiry ask{seen, goal, policy, *pool, refusals};
    CheckTopology(ask);
    switch (goal.kind) {
      case PlanKind::kAdopt:
        planned.plan = MakeAdopt(ask);
        break;
      case PlanKind::kSwitchover:
        planned.plan = MakeSwitchover(ask);
        break;
      case PlanKind::kFailover:
        planned.plan = MakeFailover(ask);
        break;
      case PlanKind::kFailback:
        planned.plan = MakeFailback(ask);
        break;
      case PlanKind::kProtect:
        planned.plan = MakeProtect(ask);
        break;
      case PlanKind::kRemoveQuarantine:
        planned.plan = MakeRemoveQuarantine(ask);
        break;
    }
  }
  planned.refusals = refusals.Take();
  if (!planned.refusals.empty()) planned.plan.reset();
  return planned;
}

}  // namespace baton
