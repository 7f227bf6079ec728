// What an agent sees of a database; for its actions, and for the look after a crash.
#pragma once

#include <optional>

#include "tests/simulation/agent.h"

namespace baton::sim::database {

bool StandbyRuns(const Unit& unit);
bool PrimaryRuns(const Unit& unit);
// OK, at the position where its log stands.
Outcome At(const Unit& unit);
// Where the log of a fenced instance ends; none: it did not stop cleanly.
std::optional<LogPosition> FinalPosition(const Unit& unit, const FenceRecord& record);
Outcome InRole(const Run& run, const CheckDatabase& wanted);

}  // namespace baton::sim::database
