// Stories as files: one line = one action or fault, and every rule is checked after every line.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace baton::sim {

// Lines, "#" begins a comment:
//   seed N | databases N | storms      first: of the world
//   mutation NAME                      first too: of a build that is broken on purpose
//   bare                               first too: only the home instance has data
//   move N                             the operator wants N plans in all: 1 adopt, 2 there, 3 back
//   want KIND                          one plan more: switchover, failover, failback, protect, …
//   instead KIND                       what is wanted in the place of the move that was given up
//   lose HOW N ms                      a failover begins with the loss of the site that serves, for
//                                      so long: power, with-share, killed, cut-off, database, chat
//   await STEP POINT                   until a step of the next move is recorded, sent, accepted,
//                                      acted or finished
//   run N ms | until done              time passes; until every move wanted has been made
//   until HOST answers                 until its agent has a session
//   fault KIND HOST N ms [hard]        now, for so long
//   heal, until in sync                last: all is mended, and everything must come to its end
// OK: every rule held. INVALID_ARGUMENT: a line is not understood. INTERNAL: a rule was broken,
// with the line and the story.
absl::Status RunScenarioFile(const std::string& text);

}  // namespace baton::sim
