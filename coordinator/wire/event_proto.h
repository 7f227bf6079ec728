// Records as events for people and programs that watch.
#pragma once

#include "baton/v1/event_service.pb.h"
#include "coordinator/executor/record.h"

namespace baton {

// `plan` is the one that PlanOf(record.fact) names; null when there is none or it is not known.
v1::Event ToEvent(const Record& record, const Plan* plan);

}  // namespace baton
