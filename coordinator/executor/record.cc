#include "coordinator/executor/record.h"

#include <type_traits>

namespace baton {

const PlanId& PlanOf(const Fact& fact) {
  static const PlanId& kNone = *new PlanId();
  return std::visit(
      [](const auto& what) -> const PlanId& {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, TopologyApplied> ||
                      std::is_same_v<What, LedgerAccepted> || std::is_same_v<What, ReturnFenced>) {
          return kNone;
        } else if constexpr (std::is_same_v<What, PlanAdmitted>) {
          return what.plan->id;
        } else {
          return what.plan;
        }
      },
      fact);
}

}  // namespace baton
