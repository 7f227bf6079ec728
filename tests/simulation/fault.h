// What goes wrong in a run, as a list: what is left out of it does not happen.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/model/plan.h"
#include "tests/simulation/agent.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/rng.h"

namespace baton::sim {

enum class FaultKind {
  kCoordinatorCrash,
  kCoordinatorPause,
  kAgentCrash,
  kAgentPause,
  kSupervisorCrash,
  kSupervisorPause,
  kServerCrash,
  kServerPause,
  kHostCrash,
  kHostPause,
  kSiteCrash,
  kAgentCut,
  kAgentCutOneWay,
  kSitesCut,
  kStreamBreaks,
  kLedgerLost,
  kLedgerFull,
  kShareUnmounted,
  kShareFull,
  kShareSlow,
  kClockJump,
  kSecondPlan,
  kEarlyResume,
  kFenceByHand,
  kFenceDamaged,
  kJunk,
  kOperatorPauses,
  kOperatorRetries,
  kOperatorSkips,
  kOperatorAborts,
  // Not drawn by MakeFaults:
  kLogLost,
  kLogDamaged,
  kDiskFull,
  kSitePause,
  kShareStale,
};
inline constexpr int kFaultKinds = 35;
inline constexpr int kFirstKinds = 30;  // those that MakeFaults draws from
std::string_view ToString(FaultKind kind);
std::optional<FaultKind> FindFaultKind(std::string_view name);

// What a step does, for coverage: the actions that plans hold, and RaiseEpoch.
inline constexpr int kStepKinds = 23;
int StepKindOf(const Step& step);  // -1: of no plan that is built
std::string_view StepKindName(int kind);
std::optional<int> FindStepKind(std::string_view name);

struct Fault {
  FaultKind kind = FaultKind::kAgentCrash;
  // When: the `move`-th move's step of this kind reaches `point`, or at `at` if `step` is -1.
  int move = 0;
  int step = -1;
  Point point = Point::kRecorded;
  Nanos at = 0;
  Nanos delay = 0;  // after that
  // Where: a host (-1: that of the step; for a share: the first or second).
  int host = -1;
  Nanos lasts = 0;
  bool hard = false;  // orphans are left, the other direction is cut, …
};
std::string_view PointName(Point point);
std::string Describe(const Fault& fault);

std::vector<Fault> MakeFaults(Rng& rng);
// Of chat hosts where there are spares: before a move, and while it goes on.
std::vector<Fault> MakeChatFaults(Rng& rng);
// Of the room for what is kept of a database before it is seeded anew.
std::vector<Fault> MakeDiskFaults(Rng& rng);
// Of a site that stands still, and of what one site sees of the other's share.
std::vector<Fault> MakeSiteFaults(Rng& rng);
// Of log files between the one that ships and the one that follows.
std::vector<Fault> MakeLogFaults(Rng& rng);

}  // namespace baton::sim
