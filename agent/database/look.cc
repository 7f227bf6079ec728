// The postcondition of each action, looked at and never brought about.
#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"

#include "agent/database/postgresql_actions.h"
#include "agent/database/quarantine.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::postgresql {
namespace {

Outcome Seen(const std::string& system_id, std::optional<LogPosition> position,
             std::string message) {
  Outcome outcome = OkOutcome();
  outcome.system_id = system_id;
  outcome.position = position;
  outcome.message = std::move(message);
  return outcome;
}

absl::Status Missing(std::string what) { return Unsure("NOT_SEEN", std::move(what)); }

bool IsFenced(const FenceRecord& record) {
  return record.phase == FencePhase::kClosing || record.phase == FencePhase::kClosed;
}

absl::StatusOr<Outcome> See(ActionContext* context, const Fence&) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.fences().Read());
  if (!IsFenced(record) || record.fence_epoch < context->command().epoch) {
    return Missing(absl::StrCat("the fence is ", std::string(ToString(record.phase)),
                                " under epoch ", record.fence_epoch.ToString()));
  }
  // Without it the server that recovers the tail could not start: Fence did not come to its end.
  BATON_ASSIGN_OR_RETURN(const bool standby_signal, instance.HasStandbySignal());
  if (!standby_signal) return Missing("standby.signal is not in place");
  if (!record.write.has_value()) {
    const absl::StatusOr<ServerView> view = instance.View(context->Left());
    if (view.ok() && view->in_recovery) {
      return Seen(view->system_id, view->position, "fenced; runs read-only");
    }
  }
  BATON_RETURN_IF_ERROR(instance.fences().ProveNothingRuns(absl::ZeroDuration()));
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  return Seen(control.system_id, FinalPosition(record, control), "fenced and stopped");
}

absl::StatusOr<Outcome> SeeWritable(ActionContext* context, const Lineage& write) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.fences().Read());
  BATON_ASSIGN_OR_RETURN(const BootId boot, instance.fences().Boot());
  if (EffectivePhase(record, boot) != FencePhase::kOpen || record.write != write) {
    return Missing("the fence is not open under this right in this boot");
  }
  BATON_ASSIGN_OR_RETURN(const ServerView view, instance.View(context->Left()));
  if (view.in_recovery) return Missing("the server is in recovery");
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  // The first timeline has no history file: it began with the cluster.
  const absl::StatusOr<LogPosition> start =
      instance.Wal(control).TimelineStart(view.position.timeline);
  return Seen(view.system_id, start.ok() ? *start : view.position, "runs read-write");
}

absl::StatusOr<Outcome> See(ActionContext* context, const Unfence& action) {
  return SeeWritable(context, action.write);
}
absl::StatusOr<Outcome> See(ActionContext* context, const Recover& action) {
  return SeeWritable(context, action.write);
}

absl::StatusOr<Outcome> See(ActionContext* context, const ShipTail&) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.fences().Read());
  if (record.phase != FencePhase::kClosed || !record.write.has_value() ||
      !record.write->sealed.has_value()) {
    return Missing("the fence file names no final position of its own lineage");
  }
  return Seen(record.write->system_id, record.write->sealed, "shipped to its end and closed");
}

absl::StatusOr<Outcome> See(ActionContext* context, const StartStandby& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.fences().Read());
  if (record.phase != FencePhase::kClosed || record.write.has_value() ||
      record.fetch != action.fetch) {
    return Missing("the fence file does not say closed with these lineages to fetch");
  }
  BATON_ASSIGN_OR_RETURN(const ServerView view, instance.View(context->Left()));
  if (!view.in_recovery) return Missing("the server runs read-write");
  return Seen(view.system_id, view.position, "follows");
}

absl::StatusOr<Outcome> See(ActionContext* context, const ApplyPendingLogs& action) {
  BATON_ASSIGN_OR_RETURN(const ServerView view, context->instance().View(context->Left()));
  if (!view.in_recovery || view.position.timeline != action.until.timeline ||
      view.position.lsn <= action.until.lsn) {
    return Missing(absl::StrCat(view.in_recovery ? "has replayed to " : "runs read-write at ",
                                view.position.ToString()));
  }
  return Seen(view.system_id, view.position, "applied");
}

absl::StatusOr<Outcome> See(ActionContext* context, const Start&) {
  BATON_ASSIGN_OR_RETURN(const ServerView view, context->instance().View(context->Left()));
  return Seen(view.system_id, view.position, "runs");
}

absl::StatusOr<Outcome> See(ActionContext* context, const Stop&) {
  PostgresqlInstance& instance = context->instance();
  BATON_RETURN_IF_ERROR(instance.fences().ProveNothingRuns(absl::ZeroDuration()));
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  return Seen(control.system_id, control.checkpoint, "stopped");
}

absl::StatusOr<Outcome> See(ActionContext* context, const EndConnections&) {
  const absl::StatusOr<ServerView> view = context->instance().View(context->Left());
  if (absl::IsNotFound(view.status())) return Seen("", std::nullopt, "the server does not run");
  BATON_RETURN_IF_ERROR(view.status());
  if (view->client_sessions > 0) {
    return Missing(absl::StrCat(view->client_sessions, " sessions are there"));
  }
  return Seen(view->system_id, std::nullopt, "no session is there");
}

absl::StatusOr<Outcome> See(ActionContext* context, const CheckDatabase& action) {
  BATON_RETURN_IF_ERROR(CheckInRole(context, action));
  return Seen("", std::nullopt, "in its role");
}

absl::StatusOr<Outcome> See(ActionContext* context, const StopLogShipping& action) {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, context->instance().fences().Read());
  if (record.fence_epoch < context->command().epoch || record.fetch.empty() ||
      record.fetch.size() != action.fetch.size() || !record.fetch.back().sealed.has_value() ||
      record.fetch.back().epoch != action.fetch.back().epoch) {
    return Missing("the fence file does not seal the last lineage under this epoch");
  }
  return Seen(record.fetch.back().system_id, record.fetch.back().sealed, "sealed");
}

absl::StatusOr<Outcome> See(ActionContext* context, const Seed& action) {
  return LookAtSeed(context->instance(), action);
}
absl::StatusOr<Outcome> See(ActionContext* context, const ConfigureLogShipping&) {
  return LookAtSettings(context);
}
absl::StatusOr<Outcome> See(ActionContext*, const Quarantine&) {
  return Missing("only another run brings it to its end; repeat it");
}
absl::StatusOr<Outcome> See(ActionContext* context, const RemoveQuarantine& action) {
  const absl::StatusOr<Manifest> kept = ReadManifest(context->instance().config(), action.name);
  if (absl::IsNotFound(kept.status())) return Seen("", std::nullopt, "it is not there");
  return Missing("it is there");
}

absl::StatusOr<Outcome> See(ActionContext*, const CopyPendingLogs&) {
  return Missing("only another run can tell whether everything was copied; repeat it");
}
absl::StatusOr<Outcome> See(ActionContext*, const SalvageLogs&) {
  return Missing("only another run can tell whether everything was salvaged; repeat it");
}

template <class Other>
absl::StatusOr<Outcome> See(ActionContext*, const Other&) {
  return Refusal("NOT_A_DATABASE_ACTION", "this resource is a PostgreSQL database");
}

}  // namespace

absl::StatusOr<Outcome> LookForPostcondition(ActionContext* context) {
  return std::visit([context](const auto& action) { return See(context, action); },
                    context->command().action);
}

}  // namespace baton::postgresql
