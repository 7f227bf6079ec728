// What is to be fenced before anything else, and under which epoch: PoolState::fence_due, and an
// execution's own view of it. Pure.
#pragma once

#include <map>

#include "common/protocol/epoch.h"
#include "coordinator/executor/record.h"
#include "coordinator/model/plan.h"

namespace baton {

using FenceDue = std::map<ResourceRef, Epoch>;

// The plan raised `epoch`: it takes the right of who could not be reached; an undo takes nobody's.
void NoteRaised(FenceDue& due, const Plan& plan, const Epoch& epoch);
// The step succeeded: its target is fenced, or holds a right anew.
void NoteSucceeded(FenceDue& due, const Step& step);
void NoteReturned(FenceDue& due, const ReturnFenced& fact);

}  // namespace baton
