// Puts steps together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coordinator/model/goal.h"
#include "coordinator/model/plan.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/model/topology.h"
#include "coordinator/planner/preflight.h"

namespace baton {

using StepList = std::vector<int>;  // indexes of steps

// A plan that grows step by step. Depend on what was added before.
class PlanBuilder {
 public:
  // Takes over what the goal says; the caller sets epochs and sites.
  explicit PlanBuilder(const Inquiry& ask);

  // Adds a step that may start when all of `after` have succeeded; returns its index. The returned
  // reference of Last() refines it.
  int Add(const ResourceRef& target, Action action, std::string title, StepList after);
  int AddForDatabase(const Database& database, const Instance& instance, Action action,
                     std::string title, StepList after);
  int AddEpoch(const Epoch& epoch, bool undo, StepList after);
  Step& Last() { return plan_.steps.back(); }

  Plan& plan() { return plan_; }
  Plan Take() { return std::move(plan_); }

 private:
  absl::Duration TimeoutOf(const Action& action) const;

  const Policy& policy_;
  Plan plan_;
};

}  // namespace baton
