#include "coordinator/executor/fence_due.h"

#include <type_traits>

namespace baton {

void NoteRaised(FenceDue& due, const Plan& plan, const Epoch& epoch) {
  if (epoch != plan.epoch) return;
  for (const ResourceRef& ref : plan.fence_on_return) due[ref] = epoch;
}

void NoteSucceeded(FenceDue& due, const Step& step) {
  if (step.action() == nullptr) return;
  const bool settles = std::visit(
      [](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        return std::is_same_v<What, Fence> || std::is_same_v<What, Deactivate> ||
               std::is_same_v<What, StartStandby> || std::is_same_v<What, Activate> ||
               std::is_same_v<What, Unfence> || std::is_same_v<What, Recover>;
      },
      *step.action());
  if (settles) due.erase(step.target);
}

void NoteReturned(FenceDue& due, const ReturnFenced& fact) {
  const auto found = due.find(fact.resource);
  if (found != due.end() && found->second <= fact.epoch) due.erase(found);
}

}  // namespace baton
