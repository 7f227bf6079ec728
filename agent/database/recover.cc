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

absl::Status RefuseAnotherRight(const std::string& name, const FenceRecord& record) {
  return Refusal("HOLDS_ANOTHER_RIGHT",
                 absl::StrCat(name, " has the right of epoch ", record.write->epoch.ToString(),
                              " in its fence file; StartStandby gives that back"));
}

absl::Status RefuseOtherRight(ActionContext* context, const FenceRecord& record,
                              const Recover& action, const ServerView& view) {
  const std::string& name = context->instance().config().resource.value();
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(name, view.system_id, action.write.system_id));
  if (!view.superuser) {
    return Refusal("NOT_SUPERUSER",
                   absl::StrCat(name, ": postgresql.user is no superuser, so it cannot promote"));
  }
  const bool ours = HasRight(record, action);
  if (!view.in_recovery && !ours) {
    return Refusal(
        "NOT_IN_RECOVERY",
        absl::StrCat(name, " runs read-write already, under a fence that is ",
                     std::string(ToString(record.phase)), " and not under this right; Fence it"));
  }
  if (view.in_recovery && !ours && record.write.has_value()) {
    return RefuseAnotherRight(name, record);
  }
  return absl::OkStatus();
}

// Of one that is down: it may be started as the standby that it is, or, where an earlier try opened
// its fence, as what that try made of it.
absl::Status PrepareToStart(ActionContext* context, const FenceRecord& record,
                            const Recover& action) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(name, control.system_id, action.write.system_id));
  BATON_ASSIGN_OR_RETURN(const bool standby_signal, instance.HasStandbySignal());
  if (!HasRight(record, action)) {
    if (record.write.has_value()) return RefuseAnotherRight(name, record);
    if (standby_signal) return absl::OkStatus();
    return Refusal("NOT_IN_RECOVERY",
                   absl::StrCat(name, " is down and has no standby.signal: it is no standby"));
  }
  if (standby_signal) return absl::OkStatus();
  const bool in_recovery = control.in_recovery();
  // The gate lets what is no standby any more start only under a fence of this boot.
  if (!in_recovery) return GiveRight(context, record, action, FencePhase::kOpen);
  // A promotion removes the signal before its own timeline begins. Started without it now, the
  // server would go on writing in the timeline of the one that it follows.
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  context->Did("standby.signal is in place again: a promotion was cut off");
  return absl::OkStatus();
}

bool IsDown(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsUnavailable(status);
}

}  // namespace

bool HasRight(const FenceRecord& record, const Recover& action) {
  return (record.phase == FencePhase::kOpen || record.phase == FencePhase::kUnconfirmed) &&
         record.write == action.write;
}

absl::Status GiveRight(ActionContext* context, FenceRecord record, const Recover& action,
                       FencePhase phase) {
  BATON_ASSIGN_OR_RETURN(const BootId boot, context->instance().fences().Boot());
  record.phase = phase;
  record.fence_epoch = context->command().epoch;
  record.write = action.write;
  if (phase == FencePhase::kOpen) record.fetch.clear();
  record.confirmed_boot = boot;
  return EnsureFence(context, record);
}

absl::Status TellWhatItMayLack(ActionContext* context, const absl::Status& status) {
  if (!absl::IsDeadlineExceeded(status)) return status;
  const absl::StatusOr<FenceRecord> record = context->instance().Fence();
  if (!record.ok() || !record->write.has_value()) return status;
  const bool sealed = std::any_of(record->fetch.begin(), record->fetch.end(),
                                  [](const Lineage& one) { return one.sealed.has_value(); });
  if (!sealed) return status;
  return absl::DeadlineExceededError(absl::StrCat(
      status.message(), "; what was sealed it takes from ",
      context->instance().config().copy_destination,
      " alone: a file that is missing there (its log names it) copy from the share, with its "
      "checksum, then baton resume; or baton abort, which tells the verb that goes on from there"));
}

absl::Status ReplayWhatWasSealed(ActionContext* context, const LogPosition& seen) {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, context->instance().Fence());
  if (record.fetch.empty() || !record.fetch.back().sealed.has_value()) return absl::OkStatus();
  const LogPosition& seal = *record.fetch.back().sealed;
  // Beyond that timeline it was promoted before, at the end of all that was served.
  if (seen.timeline > seal.timeline) return absl::OkStatus();
  if (seen.timeline == seal.timeline && seen.lsn > seal.lsn) return absl::OkStatus();
  return TellWhatItMayLack(context, Act(context, ApplyPendingLogs{seal, true}).status());
}

namespace {

// The timeline that must have been left: the one in which it followed. 0: nobody knows, since it
// was out of recovery before and its fence names no end of another's log.
uint32_t TimelineLeft(const FenceRecord& record, const ServerView& before) {
  if (before.in_recovery) return before.position.timeline;
  if (record.fetch.empty() || !record.fetch.back().sealed.has_value()) return 0;
  return record.fetch.back().sealed->timeline;
}

// Before the fence is open: log that goes on under a name that the other side shipped already is
// never to be served.
absl::StatusOr<ServerView> ProveNewTimeline(ActionContext* context, uint32_t left) {
  BATON_ASSIGN_OR_RETURN(ServerView after, context->instance().View(context->Left()));
  if (after.position.timeline > left) return after;
  return Failure("SAME_TIMELINE", absl::StrCat("out of recovery, but its log goes on in timeline ",
                                               after.position.timeline, ", wanted one above ", left,
                                               "; Fence it and quarantine what it wrote"));
}

// Its fence file may have been lost since it copied and applied what was sealed, and with it the
// list of what it follows: started anew it may begin further back, and would be promoted there.
absl::Status KnowWhatItFollows(ActionContext* context, const Recover& action, FenceRecord* record) {
  if (action.fetch.empty() || record->fetch == action.fetch) return absl::OkStatus();
  // Promoted already.
  if (record->phase == FencePhase::kOpen) return absl::OkStatus();
  record->fence_epoch = context->command().epoch;
  record->fetch = action.fetch;
  BATON_RETURN_IF_ERROR(EnsureFence(context, *record));
  context->Did("its fence file did not list what it follows, and does again");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Outcome> Act(ActionContext* context, const Recover& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  if (action.own_log) {
    BATON_RETURN_IF_ERROR(ReturnToOwnLog(context, action));
    BATON_ASSIGN_OR_RETURN(record, instance.Fence());
  }
  absl::StatusOr<ServerView> before = instance.View(std::min(kLookTimeout, context->Left()));
  if (IsDown(before.status())) {
    BATON_RETURN_IF_ERROR(PrepareToStart(context, record, action));
    BATON_ASSIGN_OR_RETURN(record, instance.Fence());
    BATON_RETURN_IF_ERROR(KnowWhatItFollows(context, action, &record));
    before = StartAndWait(context);
  }
  BATON_RETURN_IF_ERROR(TellWhatItMayLack(context, before.status()));
  BATON_RETURN_IF_ERROR(RefuseOtherRight(context, record, action, *before));
  if (before->in_recovery) {
    BATON_RETURN_IF_ERROR(KnowWhatItFollows(context, action, &record));
    // It may have been started since all that is served was applied, and begun anew further back.
    BATON_RETURN_IF_ERROR(ReplayWhatWasSealed(context, before->position));
    // It ships under this fence, but is not started under it: a server that dies while its
    // promotion has removed standby.signal and not yet begun its timeline must not be restarted by
    // its manager, since it would go on writing in the timeline that it followed.
    BATON_RETURN_IF_ERROR(GiveRight(context, record, action, FencePhase::kUnconfirmed));
    BATON_RETURN_IF_ERROR(Promote(context));
  }
  BATON_RETURN_IF_ERROR(ProveWritable(context));
  BATON_ASSIGN_OR_RETURN(const ServerView after,
                         ProveNewTimeline(context, TimelineLeft(record, *before)));
  BATON_RETURN_IF_ERROR(GiveRight(context, record, action, FencePhase::kOpen));
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  Outcome outcome = OkOutcome();
  outcome.system_id = after.system_id;
  BATON_ASSIGN_OR_RETURN(outcome.position,
                         instance.Wal(control).TimelineStart(after.position.timeline));
  outcome.message = absl::StrCat("accepts writes on timeline ", after.position.timeline);
  return outcome;
}

}  // namespace baton::postgresql
