#include "coordinator/planner/plan_builder.h"

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

// A seeding copies whole databases: what bounds it is the operator, who can abort it.
constexpr int kCopyPatience = 1440;

}  // namespace

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
  if (looks) return policy_.check_timeout;
  // Beside the users, and as long as there is data.
  if (std::holds_alternative<Seed>(action) || std::holds_alternative<Quarantine>(action)) {
    return CopyTimeout();
  }
  const bool patient = std::holds_alternative<baton::StartStandby>(action);
  return patient ? 2 * policy_.step_timeout : policy_.step_timeout;
}

absl::Duration PlanBuilder::CopyTimeout() const { return kCopyPatience * policy_.step_timeout; }

int PlanBuilder::Add(const ResourceRef& target, Action action, std::string title, StepList after) {
  Step step;
  step.target = target;
  step.timeout = TimeoutOf(action);
  // What only looks, looks once: the next try would see the same.
  if (std::holds_alternative<CheckDatabase>(action) || std::holds_alternative<CheckChat>(action)) {
    step.automatic_tries = 1;
  }
  step.skippable = std::holds_alternative<CheckChat>(action) ||
                   std::holds_alternative<baton::Canary>(action) ||
                   std::holds_alternative<SalvageLogs>(action);
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

int PlanBuilder::OnDatabase(const Database& database, const Instance& instance, Action action,
                            const char* title, StepList after) {
  return AddForDatabase(
      database, instance, std::move(action),
      absl::StrCat(title, " ", database.id.value(), " on ", instance.host.value()),
      std::move(after));
}

int PlanBuilder::Point(const ResourceRef& server, const HostId& instance, StepList after) {
  return Add(server, PointAt{instance},
             absl::StrCat("Point ", server.ToString(), " at ", instance.value()), std::move(after));
}

int PlanBuilder::Activate(const ResourceRef& server, StepList after) {
  return Add(server, baton::Activate{}, absl::StrCat("Activate ", server.ToString()),
             std::move(after));
}

int PlanBuilder::Canary(const ResourceRef& server, StepList after) {
  return Add(server, baton::Canary{}, absl::StrCat("Post a canary through ", server.ToString()),
             std::move(after));
}

int PlanBuilder::StartStandby(const Database& database, const Instance& instance,
                              std::vector<Lineage> fetch, StepList after) {
  return AddForDatabase(
      database, instance, baton::StartStandby{std::move(fetch)},
      absl::StrCat("Start ", database.id.value(), " on ", instance.host.value(), " as standby"),
      std::move(after));
}

PlanBuilder::Quiet PlanBuilder::Silence(const ResourceRef& server, StepList after) {
  Quiet quiet;
  quiet.drain = Add(server, Drain{}, absl::StrCat("Drain ", server.ToString()), std::move(after));
  Last().critical = true;
  quiet.deactivate =
      Add(server, Deactivate{}, absl::StrCat("Deactivate ", server.ToString()), {quiet.drain});
  Last().critical = true;
  return quiet;
}

PlanBuilder::TakeBack PlanBuilder::GiveBack(const Database& database, const Instance& instance,
                                            const Lineage& write, StepList after) {
  TakeBack back;
  back.fence = OnDatabase(database, instance, Fence{}, "Fence", std::move(after));
  back.recover = AddForDatabase(database, instance, Recover{write, true},
                                absl::StrCat("Recover ", database.id.value(), " on ",
                                             instance.host.value(), " from its own log"),
                                {back.fence});
  return back;
}

}  // namespace baton
