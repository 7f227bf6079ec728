// Recover: domain.md F4, "bring the backup database online".
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kPromotionPoll = absl::Milliseconds(2);
constexpr absl::Duration kLookTimeout = absl::Seconds(5);

// Until the server says that it is out of recovery. From the request on, not seeing it happen is no
// proof that it will not: a promotion waits for a fetch that hangs.
absl::Status Promote(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
  absl::StatusOr<Rows> asked =
      connection->Query("SELECT pg_promote(false)", std::min(kLookTimeout, context->Left()));
  if (!asked.ok()) {
    return Unsure(
        "PROMOTION_UNKNOWN",
        absl::StrCat("asked ", name, " to promote and got no answer: ", asked.status().message()));
  }
  context->Did("promotion asked for");
  absl::Status last;
  while (true) {
    absl::StatusOr<PostgresqlConnection*> open =
        instance.Connected(std::min(kLookTimeout, context->Left()));
    if (open.ok()) {
      const absl::StatusOr<Rows> rows =
          (*open)->Query("SELECT pg_is_in_recovery()", std::min(kLookTimeout, context->Left()));
      if (rows.ok() && !rows->True(0, 0)) return absl::OkStatus();
      last = rows.status();
    } else {
      last = open.status();
    }
    if (const absl::Status waited = context->Wait(kPromotionPoll); !waited.ok()) {
      return Unsure("PROMOTION_PENDING",
                    absl::StrCat(waited.message(), ": ", name,
                                 " was asked to promote and is still "
                                 "in recovery or does not answer (",
                                 last.message(), "); it may take effect later: look again"));
    }
  }
}

absl::Status RefuseOtherRight(ActionContext* context, const FenceRecord& record,
                              const Recover& action, const ServerView& view) {
  const std::string& name = context->instance().config().resource.value();
  if (view.system_id != action.write.system_id) {
    return Refusal("WRONG_SYSTEM_ID",
                   absl::StrCat(name, ": found the cluster with system identifier ", view.system_id,
                                ", wanted ", action.write.system_id));
  }
  if (!view.superuser) {
    return Refusal("NOT_SUPERUSER",
                   absl::StrCat(name, ": postgresql.user is no superuser, so it cannot promote"));
  }
  const bool ours = record.phase == FencePhase::kOpen && record.write == action.write;
  if (!view.in_recovery && !ours) {
    return Refusal(
        "NOT_IN_RECOVERY",
        absl::StrCat(name, " runs read-write already, under a fence that is ",
                     std::string(ToString(record.phase)), " and not under this right; Fence it"));
  }
  if (view.in_recovery && !ours && record.write.has_value()) {
    return Refusal("HOLDS_ANOTHER_RIGHT",
                   absl::StrCat(name, " has the right of epoch ", record.write->epoch.ToString(),
                                " in its fence file; StartStandby gives that back"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const Recover& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_ASSIGN_OR_RETURN(const ServerView before,
                         instance.View(std::min(kLookTimeout, context->Left())));
  BATON_RETURN_IF_ERROR(RefuseOtherRight(context, record, action, before));
  BATON_ASSIGN_OR_RETURN(const BootId boot, instance.fences().Boot());
  record.phase = FencePhase::kOpen;
  record.fence_epoch = context->command().epoch;
  record.write = action.write;
  record.fetch.clear();
  record.confirmed_boot = boot;
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  if (before.in_recovery) BATON_RETURN_IF_ERROR(Promote(context));
  BATON_RETURN_IF_ERROR(ProveWritable(context));
  BATON_ASSIGN_OR_RETURN(const ServerView after, instance.View(context->Left()));
  if (before.in_recovery && after.position.timeline <= before.position.timeline) {
    return Failure("SAME_TIMELINE", absl::StrCat("promoted, but the log goes on in timeline ",
                                                 after.position.timeline, ", wanted a new one"));
  }
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  Outcome outcome = OkOutcome();
  outcome.system_id = after.system_id;
  BATON_ASSIGN_OR_RETURN(outcome.position,
                         instance.Wal(control).TimelineStart(after.position.timeline));
  outcome.message = absl::StrCat("accepts writes on timeline ", after.position.timeline);
  return outcome;
}

}  // namespace baton::postgresql
