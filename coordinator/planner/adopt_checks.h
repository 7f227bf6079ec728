// What each instance must be that an adoption gives the right to write, or takes for a follower.
#pragma once

#include "coordinator/model/pool_state.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// --- as the topology has it; with `bare`, the backup is empty ---

// DATABASE_ROLE, SYSTEM_ID_MISSING: neither a primary nor one that was stopped.
void CheckPrimary(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other, bool bare);

// What a fence by hand leaves of a primary: standby.signal is there, and a start before its end was
// written in order, or after it, made a standby of it. All that it wrote is there, and goes on
// after a promotion alone.
bool BecameStandby(const Inquiry& ask, const ResourceRef& ref, const ResourceRef& other, bool bare);

// DATABASE_ROLE, FENCE_STATE: no standby, or one that could write.
void CheckBackup(const Inquiry& ask, const ResourceRef& ref);

// DATABASE_ROLE: not empty.
void CheckBareBackup(const Inquiry& ask, const ResourceRef& ref);

// --- as the journal has it ---

// What holds the right by the journal must be what it was when it lost it: stopped or running as a
// primary, under no other right than one that this journal raised since, for an adoption that was
// given up. True: it goes on after a promotion out of its own log alone.
bool CheckHolder(const Inquiry& ask, const ResourceRef& ref, const WriteRight& right);

// What lost its right to a move that was given up. Whatever it did since, it is fenced, stopped and
// promoted out of its own log.
void CheckLastHolder(const Inquiry& ask, const ResourceRef& ref, const WriteRight& right);

// It writes under a right that did not arrive.
bool Promoted(const Observation& seen);

// DATABASE_ROLE, FENCE_STATE, WRITE_EPOCH_DIFFERS: it could write. `between`: the right was on its
// way to it. One that was promoted then is only refused (DATABASE_ROLE) where it has all that
// `holder` has: no user was let at it, they are once every right has arrived.
void CheckFollower(const Inquiry& ask, const Epoch& known, const ResourceRef& ref,
                   const Instance& holder, const WriteRight& right, bool between);

// LOG_SHIPPED_TO_ITS_END: a log whose end is applied elsewhere does not go on. `own_log`: it goes
// on in another timeline.
void CheckLogGoesOn(const Inquiry& ask, const ResourceRef& holder, const ResourceRef& ref,
                    bool own_log);

}  // namespace baton
