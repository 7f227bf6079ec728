#include "common/rpc/report_merge.h"

#include <algorithm>
#include <utility>

namespace baton {

void MergeReports(v1::AgentMessage& waiting, v1::AgentMessage newer) {
  if (newer.report().full()) {
    waiting = std::move(newer);
    return;
  }
  if (newer.report().has_clock_time()) {
    *waiting.mutable_report()->mutable_clock_time() = newer.report().clock_time();
  }
  auto& observations = *waiting.mutable_report()->mutable_observations();
  for (v1::Observation& seen : *newer.mutable_report()->mutable_observations()) {
    const auto older = std::find_if(
        observations.begin(), observations.end(),
        [&](const v1::Observation& known) { return known.resource() == seen.resource(); });
    if (older == observations.end()) {
      *observations.Add() = std::move(seen);
    } else {
      *older = std::move(seen);
    }
  }
}

}  // namespace baton
