#include "coordinator/planner/losses.h"

#include <algorithm>

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/preflight.h"

namespace baton {
namespace {

// Where the writer's log was last seen to end; none when it was not seen, or only that it is down
// without a word of its end.
LogPosition SeenEnd(const DatabaseObservation& writer) {
  switch (writer.state) {
    case DatabaseState::kPrimary:
    case DatabaseState::kStandby:
      return writer.position;
    case DatabaseState::kDown:
      return writer.clean_shutdown && writer.log_end.none() ? writer.position : writer.log_end;
    case DatabaseState::kUnknown:
    case DatabaseState::kEmpty:
    case DatabaseState::kStarting:
      break;
  }
  return LogPosition();
}

// When what `follower` applied last was committed, if the present writer did that: another one's
// clock is not to be compared with its.
absl::Time LastCommitOf(const DatabaseObservation& follower, const WriteRight& right) {
  const LogPosition& fork = right.fork;
  const bool before = follower.position.timeline < fork.timeline ||
                      (!fork.none() && follower.position.lsn <= fork.lsn);
  return before ? absl::InfinitePast() : follower.last_commit;
}

}  // namespace

bool ShippedToItsEnd(const Snapshot& seen, const Instance& from, const WriteRight& right) {
  const Lineage& last = right.lineages.back();
  const auto writer = seen.resources.find(RefOf(from));
  if (!last.sealed.has_value() || writer == seen.resources.end()) return false;
  const FenceSummary& fence = writer->second.observation.fence;
  return fence.phase == FencePhase::kClosed && fence.write_epoch == last.epoch &&
         fence.sealed == last.sealed;
}

AnnouncedLoss LossBetween(const Snapshot& seen, const Database& database, const Instance& from,
                          const Instance& to, const WriteRight& right) {
  AnnouncedLoss loss;
  loss.database = database.id;
  const auto backup = seen.resources.find(RefOf(to));
  if (backup != seen.resources.end() && backup->second.observation.database() != nullptr) {
    const DatabaseObservation& follower = *backup->second.observation.database();
    loss.kept = follower.position;
    loss.last_commit = LastCommitOf(follower, right);
    // Beyond a gap nothing can be applied.
    if (follower.gap.empty()) loss.kept.lsn += follower.lag_bytes;
  }
  const auto writer = seen.resources.find(RefOf(from));
  const bool known = writer != seen.resources.end() && writer->second.observation.database();
  if (!known) return loss;
  const HostClock clock = seen.ClockOf(from.host);
  loss.writer_clock = clock.At(seen.since_boot);
  loss.report_age = std::max(absl::ZeroDuration(), seen.as_of - writer->second.at);
  loss.lost_end = SeenEnd(*writer->second.observation.database());
  if (loss.lost_end.none() && ShippedToItsEnd(seen, from, right)) {
    loss.lost_end = *right.lineages.back().sealed;
  }
  const bool one_log = !loss.lost_end.none() && loss.kept.timeline == loss.lost_end.timeline;
  if (one_log && loss.kept.lsn >= loss.lost_end.lsn) {
    loss.window = loss.report_age;
  } else {
    loss.window = clock.Since(loss.last_commit, seen.since_boot);
    if (backup != seen.resources.end()) {
      loss.window = std::max(loss.window, seen.since_boot - backup->second.commit_heard);
    }
  }
  if (one_log) loss.bytes = loss.lost_end.lsn - std::min(loss.lost_end.lsn, loss.kept.lsn);
  return loss;
}

std::vector<AnnouncedLoss> LossesNow(const Snapshot& seen, const Pool& pool) {
  std::vector<AnnouncedLoss> losses;
  const PoolState* state = seen.FindPoolState(pool.id);
  if (state == nullptr || seen.topology == nullptr) return losses;
  for (const Database* database : ProtectedDatabases(pool)) {
    const auto right = state->rights.find(database->id);
    if (right == state->rights.end() || right->second.lineages.empty()) continue;
    const Instance* from = database->OnHost(right->second.lineages.back().instance);
    if (from == nullptr) continue;
    const Instance* to = OtherInstance(*seen.topology, *database, *from);
    if (to == nullptr || !right->second.followers.contains(to->host)) continue;
    losses.push_back(LossBetween(seen, *database, *from, *to, right->second));
  }
  return losses;
}

}  // namespace baton
