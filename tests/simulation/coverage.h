// Which faults have met which step at which point of its way, and why some never can.
#pragma once

#include <string>

#include "tests/simulation/simulation.h"

namespace baton::sim {

// Why the cell cannot be reached; empty: it can.
std::string_view WhyUnreachable(int step, FaultKind fault, Point point);

// A line per step and fault: the points that were reached, those that were not, and the reasons.
std::string CoverageReport(const Coverage& covered);

// Reachable cells that were not reached, by name.
std::vector<std::string> Holes(const Coverage& covered);

}  // namespace baton::sim
