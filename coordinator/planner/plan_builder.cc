#include "coordinator/planner/plan_builder.h"

#include "absl/strings/str_cat.h"

namespace baton {

PlanBuilder::PlanBuilder(const Inquiry& ask) : policy_(ask.policy) {
  plan_.id = ask.goal.plan_id;
  plan_.pool = ask.goal.pool;
  plan_.kind = ask.goal.kind;
  plan_.reason = ask.goal.reason;
  plan_.requested_by = ask.goal.requested_by;
  plan_.request_id = ask.goal.request_id;
  plan_.snapshot_revision = ask.seen.revision;
  plan_.create_time = ask.seen.as_of;
}

absl::Duration PlanBuilder::TimeoutOf(const Action& action) const {
  const auto* check = std::get_if<CheckDatabase>(&action);
  // A checkpoint writes what memory holds.
  const bool looks = (check != nullptr && !check->checkpoint) ||
                     std::holds_alternative<CheckChat>(action) ||
                     std::holds_alternative<PointAt>(action);
  // Beside the users, and bound by how much there is to fetch.
  const bool patient = std::holds_alternative<StartStandby>(action);
  if (looks) return policy_.check_timeout;
  return patient ? 2 * policy_.step_timeout : policy_.step_timeout;
}

int PlanBuilder::Add(const ResourceRef& target, Action action, std::string title, StepList after) {
  Step step;
  step.target = target;
  step.timeout = TimeoutOf(action);
  // What only looks, looks once: the next try would see the same.
  if (std::holds_alternative<CheckDatabase>(action) || std::holds_alternative<CheckChat>(action)) {
    step.automatic_tries = 1;
  }
  step.what = std::move(action);
  step.title = std::move(title);
  step.after = std::move(after);
  plan_.steps.push_back(std::move(step));
  return static_cast<int>(plan_.steps.size()) - 1;
}

int PlanBuilder::AddForDatabase(const Database& database, const Instance& instance, Action action,
                                std::string title, StepList after) {
  const int index = Add(RefOf(instance), std::move(action), std::move(title), std::move(after));
  Last().database = database.id;
  return index;
}

int PlanBuilder::AddEpoch(const Epoch& epoch, bool undo, StepList after) {
  Step step;
  step.what = RaiseEpoch{};
  step.title = absl::StrCat("Raise the epoch to ", epoch.ToString());
  step.after = std::move(after);
  step.undo = undo;
  plan_.steps.push_back(std::move(step));
  return static_cast<int>(plan_.steps.size()) - 1;
}

}  // namespace baton
