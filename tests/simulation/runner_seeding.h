// Actions on a database beside those of a planned move.
#pragma once

#include "tests/simulation/agent.h"

namespace baton::sim {

Task<Outcome> Act(Run* run, StopLogShipping action);
Task<Outcome> Act(Run* run, SalvageLogs action);
Task<Outcome> Act(Run* run, ConfigureLogShipping action);
Task<Outcome> Act(Run* run, Seed action);
Task<Outcome> Act(Run* run, Quarantine action);
Task<Outcome> Act(Run* run, RemoveQuarantine action);

}  // namespace baton::sim
