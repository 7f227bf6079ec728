#include "coordinator/api/dry_run.h"

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

struct Gathering {
  size_t open = 1;  // answers awaited, and the one who asks
  std::vector<std::optional<Refusal>> by_step;
  std::function<void(std::vector<Refusal>)> done;

  void Close() {
    if (--open > 0) return;
    std::vector<Refusal> refusals;
    for (std::optional<Refusal>& refusal : by_step) {
      if (refusal.has_value()) refusals.push_back(*std::move(refusal));
    }
    done(std::move(refusals));
  }
};

template <class... What>
bool Does(const Action& action) {
  return (std::holds_alternative<What>(action) || ...);
}

// After it the resource is not what it is now: what its later steps want cannot hold yet.
bool Remakes(const Action& action) {
  const auto* configure = std::get_if<ConfigureLogShipping>(&action);
  return Does<Quarantine, Seed, StartStandby, Unfence>(action) ||
         (configure != nullptr && configure->prepare_share);
}

// The steps whose preconditions can hold now.
std::vector<size_t> ToBeAsked(const Plan& plan) {
  std::vector<size_t> asked;
  std::set<ResourceRef> remade;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.undo || step.action() == nullptr) continue;
    if (!remade.contains(step.target)) asked.push_back(i);
    if (Remakes(*step.action())) remade.insert(step.target);
  }
  return asked;
}

Refusal RefusalOf(const Step& step, const Outcome& outcome) {
  Refusal refusal;
  refusal.rule = outcome.reason.empty() ? "CHECK_FAILED" : outcome.reason;
  refusal.subject = step.target.ToString();
  refusal.found = outcome.message;
  refusal.wanted = absl::StrCat("to be able to: ", step.title);
  refusal.remedy = "mend it on that host, then try the dry run again";
  return refusal;
}

}  // namespace

void DryRunPlan(SessionRegistry& registry, const Plan& plan, absl::Duration limit,
                std::function<void(std::vector<Refusal>)> done) {
  auto gathering = std::make_shared<Gathering>();
  gathering->by_step.resize(plan.steps.size());
  gathering->done = std::move(done);
  for (const size_t i : ToBeAsked(plan)) {
    const Step& step = plan.steps[i];
    ++gathering->open;
    registry.DryRun(step.target, *step.action(), limit,
                    [gathering, i, step](const Outcome& outcome) {
                      if (!outcome.ok()) gathering->by_step[i] = RefusalOf(step, outcome);
                      gathering->Close();
                    });
  }
  gathering->Close();
}

}  // namespace baton
