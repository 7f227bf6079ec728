// StartStandby and CopyPendingLogs.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "agent/database/log_chain.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);

// A stopped instance may follow only if nothing of it is missing elsewhere: it is a standby
// already, or its log was shipped to its end.
absl::Status RefuseUnshipped(ActionContext* context, const FenceRecord& record) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  if (record.write.has_value()) {
    if (record.phase == FencePhase::kClosed && record.write->sealed.has_value()) {
      return absl::OkStatus();
    }
    return Refusal("NOT_SHIPPED",
                   absl::StrCat("the log of ", name, " was not shipped to its end (fence ",
                                std::string(ToString(record.phase)),
                                "); Fence it and ShipTail first, or what it holds alone is lost"));
  }
  BATON_ASSIGN_OR_RETURN(const bool standby_signal, instance.HasStandbySignal());
  if (standby_signal) return absl::OkStatus();
  return Refusal("NOT_A_STANDBY",
                 absl::StrCat(name,
                              " is stopped, has no standby.signal and no right to write: it "
                              "is a primary of another life; seed it anew or adopt the pool"));
}

// Is all that the sealed lineages serve copied already, from where replay stands? Then no share is
// needed, which may have been lost with its site.
bool IsAllCopied(ActionContext* context, const std::vector<Lineage>& fetch) {
  if (fetch.empty() || !fetch.back().sealed.has_value()) return false;
  const absl::StatusOr<ReplayPoint> point = FindReplayPoint(context);
  if (!point.ok()) return false;
  const absl::StatusOr<ArchivedLog> copied =
      context->instance().archive().List(fetch, point->SegmentName(), ArchivePlace::kCopied);
  if (!copied.ok()) return false;
  const LogPosition end = FollowChain(point->position, *copied, point->segment_bytes).end;
  return end.timeline == fetch.back().sealed->timeline && end.lsn >= fetch.back().sealed->lsn;
}

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const StartStandby& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  const absl::StatusOr<ServerView> before = instance.View(std::min(kLookTimeout, context->Left()));
  if (before.ok() && !before->in_recovery) {
    return Refusal("RUNS_WRITABLE", absl::StrCat(instance.config().resource.value(),
                                                 " runs read-write; Fence it first"));
  }
  BATON_RETURN_IF_ERROR(RefuseUnshipped(context, record));
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.write.reset();
  record.fetch = action.fetch;
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_ASSIGN_OR_RETURN(const ServerView view, StartAndWait(context));
  if (!view.in_recovery) {
    return Failure("STARTED_WRITABLE", absl::StrCat(instance.config().resource.value(),
                                                    " came up read-write; Fence it at once"));
  }
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
  BATON_RETURN_IF_ERROR(connection->Query(kWakeReplay, context->Left()).status());
  Outcome outcome = OkOutcome();
  outcome.system_id = view.system_id;
  outcome.position = view.position;
  outcome.message = absl::StrCat("follows; ", view.startup_title);
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const CopyPendingLogs& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_RETURN_IF_ERROR(RefuseHolder(context, record));
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.fetch = action.fetch;
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  if (IsAllCopied(context, action.fetch)) {
    Outcome outcome = OkOutcome();
    outcome.message = "all of it was copied already";
    return outcome;
  }
  BATON_ASSIGN_OR_RETURN(const uint64_t bytes,
                         instance.archive().CopyPending(StillWanted(instance, action.fetch),
                                                        WatchCopy(context, "copying log files")));
  Outcome outcome = OkOutcome();
  outcome.bytes = bytes;
  outcome.message = absl::StrCat("copied ", bytes, " bytes of log");
  return outcome;
}

}  // namespace baton::postgresql
