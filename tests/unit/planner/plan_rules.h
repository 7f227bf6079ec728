// What every plan obeys, whatever its kind.
#pragma once

#include <string>
#include <vector>

#include "coordinator/model/plan.h"
#include "coordinator/model/snapshot.h"

namespace baton::testing {

// One line per rule that the plan breaks; empty: it obeys them all.
std::vector<std::string> BrokenRules(const Plan& plan, const Snapshot& seen);

}  // namespace baton::testing
