#include <string>

#include "absl/strings/str_cat.h"

#include "agent/core/decide_internal.h"
#include "common/base/strings.h"

namespace baton::agent {
namespace {

// Of a database whose right was taken nothing runs but for a command: it follows nobody, and one in
// recovery may have a promotion pending, so that its fence is not proven before it is down.
bool RunsAgainstFence(const Observation& seen) {
  const FenceSummary& fence = seen.fence;
  const bool fenced = fence.phase == FencePhase::kClosing || fence.phase == FencePhase::kClosed;
  return seen.database() != nullptr && fenced && !fence.write_epoch.none() && !fence.proven;
}

}  // namespace

void EnforceWhatIsSeen(const AgentState& now, const Observation& seen, Decision& out) {
  const ResourceState* resource = now.Resource(seen.resource);
  if (resource == nullptr) return;
  // What is about to write the file, or starts something under it, is not interfered with.
  if (now.stage != Stage::kSettled || !resource->running.empty() || resource->AwaitsFence()) return;
  if (!RunsAgainstFence(seen)) {
    if (!resource->enforce_problem.empty()) out.changes.push_back(EnforceEnded{seen.resource, ""});
    return;
  }
  if (resource->enforce_problem.empty()) {
    out.effects.push_back(
        Say{Severity::kWarning,
            absl::StrCat(seen.resource.value(), " runs, though its fence is ",
                         ToAbsl(ToString(seen.fence.phase)), " under epoch ",
                         seen.fence.fence_epoch.ToString(), " and no command needs it: stops it")});
  }
  out.changes.push_back(EnforceBegan{seen.resource});
  out.effects.push_back(EnforceFence{seen.resource});
}

void OnFenceEnforced(const AgentState& now, absl::Duration at, const FenceEnforced& event,
                     Decision& out) {
  const ResourceState* resource = now.Resource(event.resource);
  if (resource == nullptr || !resource->enforcing) return;
  const std::string problem(event.status.message());
  if (!event.status.ok() && problem != resource->enforce_problem) {
    out.effects.push_back(Say{
        Severity::kWarning, absl::StrCat(event.resource.value(),
                                         " is not stopped yet, which is tried again: ", problem)});
  }
  out.changes.push_back(EnforceEnded{event.resource, problem});
  DeliverDeferred(*resource, event.resource, out);
  // What goes on stopping is seen by the next report's look.
  if (event.status.ok()) AskForProbe(now, event.resource, at, out);
}

}  // namespace baton::agent
