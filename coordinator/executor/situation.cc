#include "coordinator/executor/situation.h"

#include <algorithm>
#include <vector>

namespace baton {
namespace {

constexpr int kLostTriesMin = 3;

bool Looks(const Step& step) {
  return step.raises_epoch() || Does<CheckDatabase>(step) || Does<CheckChat>(step) ||
         Does<PointAt>(step);
}

// It gives a right that nobody else may hold then.
bool Gives(const Step& step) { return Does<Recover>(step) || Does<Activate>(step); }

}  // namespace

int LostTries(const Step& step) { return std::max(step.automatic_tries, kLostTriesMin); }

bool Situation::Any(StepState wanted) const {
  for (int i = 0; i < Steps(); ++i) {
    if (InDirection(i) && now_.steps[i].state == wanted) return true;
  }
  return false;
}

bool Situation::Due(int i) const {
  if (!InDirection(i) || now_.steps[i].state != StepState::kPending) return false;
  const std::vector<int>& after = StepAt(i).after;
  return std::all_of(after.begin(), after.end(),
                     [this](int before) { return Settled(now_.steps[before].state); });
}

bool Situation::AllDone() const {
  for (int i = 0; i < Steps(); ++i) {
    if (InDirection(i) && !Settled(now_.steps[i].state)) return false;
  }
  return true;
}

bool Situation::OnlyLooked() const {
  if (!now_.plan->fence_on_return.empty() && now_.EpochRaisedFor(false)) return false;
  for (int i = 0; i < Steps(); ++i) {
    if (!Looks(StepAt(i)) && now_.steps[i].attempt > 0) return false;
  }
  return true;
}

bool Situation::GaveNothing() const {
  if (now_.plan->kind != PlanKind::kAdopt) return false;
  for (int i = 0; i < Steps(); ++i) {
    if (!Does<Unfence>(StepAt(i)) && !Does<Recover>(StepAt(i))) continue;
    const StepExecution& step = now_.steps[i];
    const bool refused = step.state == StepState::kFailed && step.attempt == 1 &&
                         step.outcome->code == OutcomeCode::kRefused;
    if (step.attempt > 0 && !refused) return false;
  }
  return true;
}

bool Situation::TakesRight(int i) const {
  if (StepAt(i).undo || !Does<Fence>(StepAt(i))) return false;
  const auto& steps = now_.plan->steps;
  return std::any_of(steps.begin(), steps.begin() + i,
                     [](const Step& before) { return before.raises_epoch() && !before.undo; });
}

bool Situation::CanUndo() const {
  if (now_.undoing || !now_.EpochRaisedFor(false) || Tried<Recover>(false)) return false;
  bool any = false;
  for (int i = 0; i < Steps(); ++i) {
    any |= StepAt(i).undo;
    if (!TakesRight(i) || now_.steps[i].attempt == 0) continue;
    const bool covered = std::any_of(
        now_.plan->steps.begin(), now_.plan->steps.end(),
        [i](const Step& step) { return step.undo && step.undoes == i && Does<Recover>(step); });
    if (!covered) return false;
  }
  return any;
}

bool Situation::UndoServes() const {
  for (int i = 0; i < Steps(); ++i) {
    if (!StepAt(i).undo || !Does<Activate>(StepAt(i))) continue;
    // What was not drained is not activated again: it goes on.
    const std::optional<int>& drained = StepAt(i).undoes;
    const bool left_out = now_.steps[i].state == StepState::kSkipped && drained.has_value() &&
                          now_.steps[*drained].attempt > 0;
    if (!left_out) return true;
  }
  return false;
}

bool Situation::BeginsOutage(int i) const {
  const PlanKind kind = now_.plan->kind;
  const bool planned = kind == PlanKind::kSwitchover || kind == PlanKind::kFailback;
  if (!planned || StepAt(i).undo) return false;
  if (!Does<Drain>(StepAt(i)) && !Does<EndConnections>(StepAt(i))) return false;
  return !Tried<Drain>(false) && !Tried<EndConnections>(false);
}

bool Situation::Withheld(int i) const {
  if (!InDirection(i)) return false;
  // Whoever answers while nothing is taken yet has the failover given up.
  if (TakesFromLost(i)) {
    const std::vector<ResourceRef>& lost = now_.plan->fence_on_return;
    return std::any_of(lost.begin(), lost.end(),
                       [this](const ResourceRef& ref) { return now_.returned.contains(ref.host); });
  }
  if (!Gives(StepAt(i)) && !BeginsOutage(i)) return false;
  return std::any_of(now_.fence_due.begin(), now_.fence_due.end(), [&](const auto& due) {
    return due.first != StepAt(i).target && now_.returned.contains(due.first.host);
  });
}

bool Situation::Withholds() const {
  for (int i = 0; i < Steps(); ++i) {
    const StepState state = now_.steps[i].state;
    const bool wanted = Due(i) || state == StepState::kFailed || state == StepState::kUnknown;
    if (wanted && Withheld(i)) return true;
  }
  return false;
}

bool Situation::HeldBack(int i) const {
  const StepExecution& now = now_.steps[i];
  const bool ended = now.state == StepState::kFailed || now.state == StepState::kUnknown;
  if (!Gives(StepAt(i)) || !InDirection(i) || !ended || now.outcome == nullptr) return false;
  const Outcome& outcome = *now.outcome;
  const bool lost = outcome.reason == kNotAccepted ||
                    (outcome.code == OutcomeCode::kUnknown && outcome.reason != kNoAnswer);
  const int tries = lost                                   ? LostTries(StepAt(i))
                    : outcome.code == OutcomeCode::kFailed ? StepAt(i).automatic_tries
                                                           : 0;
  return now.attempts_since_resume < tries;
}

bool Situation::OnlyHeldBack() const {
  for (int i = 0; i < Steps(); ++i) {
    const StepState state = now_.steps[i].state;
    const bool stands = state == StepState::kFailed || state == StepState::kUnknown;
    if (InDirection(i) && stands && !HeldBack(i)) return false;
  }
  return true;
}

bool Situation::GoesOnByItself() const {
  return Withholds() && OnlyHeldBack() && !Any(StepState::kRunning);
}

bool Situation::TakesFromLost(int i) const {
  return now_.plan->kind == PlanKind::kFailover && StepAt(i).raises_epoch() && !StepAt(i).undo;
}

bool Situation::AwaitsFenceOf(const HostId& host) const {
  const auto of_host = [&host](const ResourceRef& ref) { return ref.host == host; };
  bool due = std::any_of(now_.fence_due.begin(), now_.fence_due.end(),
                         [&](const auto& one) { return of_host(one.first); });
  for (int i = 0; !due && i < Steps(); ++i) {
    const std::vector<ResourceRef>& lost = now_.plan->fence_on_return;
    due = InDirection(i) && TakesFromLost(i) && !Settled(now_.steps[i].state) &&
          std::any_of(lost.begin(), lost.end(), of_host);
  }
  for (int i = 0; due && i < Steps(); ++i) {
    if (Gives(StepAt(i)) && InDirection(i) && !Settled(now_.steps[i].state)) return true;
  }
  return false;
}

bool Situation::KeptFromServing(const HostId& host) const {
  const PlanKind kind = now_.plan->kind;
  const bool planned = kind == PlanKind::kSwitchover || kind == PlanKind::kFailback;
  if (!planned || now_.undoing) return false;
  const auto is_database = [this](const ResourceId& resource) {
    return std::any_of(now_.plan->steps.begin(), now_.plan->steps.end(),
                       [&](const Step& step) { return step.database.value() == resource.value(); });
  };
  return std::all_of(now_.fence_due.begin(), now_.fence_due.end(), [&](const auto& due) {
    const bool taken_now = due.second == now_.plan->epoch;
    return due.first.host != host || (taken_now && !is_database(due.first.resource));
  });
}

std::set<HostId> Situation::ToBeAwaited() const {
  std::set<HostId> hosts;
  for (const auto& [ref, epoch] : now_.fence_due) hosts.insert(ref.host);
  for (const ResourceRef& ref : now_.plan->fence_on_return) hosts.insert(ref.host);
  std::erase_if(hosts, [this](const HostId& host) {
    if (!AwaitsFenceOf(host)) return true;
    const auto noted = now_.returned.find(host);
    if (noted != now_.returned.end()) return noted->second == ReturnState::kSilent;
    return KeptFromServing(host);
  });
  return hosts;
}

std::set<HostId> Situation::SilentAgain() const {
  std::set<HostId> silent;
  if (!Withholds()) return silent;
  for (const auto& [ref, epoch] : now_.fence_due) {
    const auto noted = now_.returned.find(ref.host);
    const bool is = noted != now_.returned.end() && noted->second == ReturnState::kSilent;
    if (is) silent.insert(ref.host);
  }
  return silent;
}

}  // namespace baton
