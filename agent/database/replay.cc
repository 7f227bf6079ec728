// Replay as seen from outside: where it stands, what it may still want, how it is woken.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);

}  // namespace

absl::Status RefuseHolder(ActionContext* context, const FenceRecord& record) {
  if (!record.write.has_value()) return absl::OkStatus();
  return Refusal(
      "HOLDS_THE_RIGHT",
      absl::StrCat(context->instance().config().resource.value(), " may write under epoch ",
                   record.write->epoch.ToString(), " (fence ", std::string(ToString(record.phase)),
                   "), wanted a standby: Fence it, ShipTail and StartStandby first"));
}

std::vector<Lineage> StillWanted(PostgresqlInstance& instance, const std::vector<Lineage>& fetch) {
  const absl::StatusOr<ServerView> view = instance.View(kLookTimeout);
  if (!view.ok() || !view->in_recovery) return fetch;
  const auto first = std::find_if(fetch.begin(), fetch.end(), [&](const Lineage& lineage) {
    return !lineage.sealed.has_value() || view->position.timeline < lineage.sealed->timeline ||
           view->position.lsn <= lineage.sealed->lsn;
  });
  return {first, fetch.end()};
}

ArchiveStore::CopyWatch WatchCopy(ActionContext* context, std::string what) {
  return {[context, what = std::move(what)](uint64_t done, uint64_t total) {
            context->Report(what, done, total);
          },
          [context] { return context->Live(); }};
}

std::string ReplayPoint::SegmentName() const {
  return WalSegmentName(WalSegmentOf(position, segment_bytes), segment_bytes);
}

absl::StatusOr<ReplayPoint> FindReplayPoint(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  const absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
  ReplayPoint point;
  point.system_id = control.system_id;
  point.segment_bytes = control.segment_bytes;
  if (view.ok()) {
    if (!view->in_recovery) {
      return Refusal("NOT_IN_RECOVERY", absl::StrCat(name, " runs read-write: it applies no log"));
    }
    point.position = view->position;
  } else if (absl::IsNotFound(view.status()) || absl::IsUnavailable(view.status())) {
    point.position =
        control.minimum_recovery.none() ? control.checkpoint : control.minimum_recovery;
  } else {
    return view.status();
  }
  return point;
}

}  // namespace baton::postgresql
