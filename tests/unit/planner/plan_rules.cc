#include "tests/unit/planner/plan_rules.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace baton::testing {
namespace {

// Every step that must have succeeded before another one, directly or not.
std::vector<std::set<int>> Before(const Plan& plan) {
  std::vector<std::set<int>> before(plan.steps.size());
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    for (const int other : plan.steps[i].after) {
      if (other < 0 || other >= static_cast<int>(i)) continue;
      before[i].insert(other);
      before[i].insert(before[other].begin(), before[other].end());
    }
  }
  return before;
}

template <typename Wanted>
bool Is(const Step& step) {
  return step.action() != nullptr && std::holds_alternative<Wanted>(*step.action());
}

// Moves a chain of data: skipping any of it would go on without what it gives.
bool NeverSkipped(const Step& step) {
  return step.raises_epoch() || step.undo || Is<Fence>(step) || Is<ShipTail>(step) ||
         Is<StopLogShipping>(step) || Is<CopyPendingLogs>(step) || Is<ApplyPendingLogs>(step) ||
         Is<Recover>(step) || Is<Unfence>(step) || Is<Seed>(step) || Is<Quarantine>(step) ||
         Is<Deactivate>(step) || Is<PointAt>(step) || Is<Activate>(step);
}

class Rules {
 public:
  Rules(const Plan& plan, const Snapshot& seen) : plan_(plan), seen_(seen), before_(Before(plan)) {}

  std::vector<std::string> Check() {
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      CheckShape(static_cast<int>(i));
      CheckOrder(static_cast<int>(i));
    }
    return broken_;
  }

 private:
  void Break(int step, const std::string& what) {
    broken_.push_back(absl::StrCat("step ", step, ": ", what));
  }
  bool Comes(int first, int then) const { return before_[then].contains(first); }

  void CheckShape(int i) {
    const Step& step = plan_.steps[i];
    for (const int other : step.after) {
      if (other < 0 || other >= i) Break(i, "comes after one that is not before it");
      if (other >= 0 && other < i && plan_.steps[other].undo != step.undo) {
        Break(i, "mixes the way there and the way back");
      }
    }
    if (step.input_from.has_value() && !Comes(*step.input_from, i)) {
      Break(i, "takes its input from a step that it does not come after");
    }
    if (step.undoes.has_value() &&
        (!step.undo || *step.undoes >= i || plan_.steps[*step.undoes].undo)) {
      Break(i, "undoes what is no step of the way there");
    }
    if (!step.raises_epoch() && !seen_.Connected(step.target.host)) {
      Break(i, "is for a host that is not connected");
    }
    if (step.skippable && NeverSkipped(step)) Break(i, "must not be skipped");
  }

  void CheckOrder(int i) {
    const Step& step = plan_.steps[i];
    for (int j = 0; j < static_cast<int>(plan_.steps.size()); ++j) {
      const Step& other = plan_.steps[j];
      if (step.undo != other.undo) continue;
      const bool data_first = Is<ApplyPendingLogs>(other) && !step.undo;
      if (Is<Recover>(step) && data_first && j < i && !Comes(j, i)) {
        Break(i, absl::StrCat("recovers while ", j, " still applies"));
      }
      if (Is<Recover>(step) && Is<Deactivate>(other) && !Comes(j, i)) {
        Break(i, absl::StrCat("recovers while ", j, " may still serve"));
      }
      const bool raises = other.raises_epoch();
      if ((Is<Fence>(step) || Is<Recover>(step) || Is<Unfence>(step)) && raises && !Comes(j, i)) {
        Break(i, "comes before its epoch");
      }
      if (Is<Activate>(step) && Is<PointAt>(other) && other.target == step.target && !Comes(j, i)) {
        Break(i, absl::StrCat("serves before ", j, " points it"));
      }
      if (Is<Activate>(step) && (Is<Recover>(other) || Is<Unfence>(other)) && !Comes(j, i)) {
        Break(i, absl::StrCat("serves before ", j, " can be written"));
      }
    }
  }

  const Plan& plan_;
  const Snapshot& seen_;
  const std::vector<std::set<int>> before_;
  std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> BrokenRules(const Plan& plan, const Snapshot& seen) {
  return Rules(plan, seen).Check();
}

}  // namespace baton::testing
