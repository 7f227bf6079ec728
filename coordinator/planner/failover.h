// The unplanned move of a pool to its other site, when the serving one is gone.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// checks → point the next chat servers (domain.md F5) → raise the epoch → what of the old side can
// be reached: drain, deactivate, fence, ship the tail → seal what the dead one shipped (F1), copy
// (F2), apply (F3) → recover (F4) → activate (F7) → canary, beside the users, and the return of an
// old primary that shipped its log to the end. Every database has applied what there is before the
// first one is recovered. What cannot be reached is fenced on its return. There is no way back: a
// failure pauses, keeps what is done, and says why.
//
// A database between two rights moves from its last holder; one whose move arrived already stays.
// None when the inquiry found something against it (failover_checks.h).
std::optional<Plan> MakeFailover(const Inquiry& ask);

}  // namespace baton
