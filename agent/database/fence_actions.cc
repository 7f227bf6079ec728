// Fence and Unfence (protocol.md "A fence has two durable phases", "Order", "Undo after the tail").
#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "agent/database/data_directory.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);

// A fenced standby may go on: read-only is what its fence asks for.
absl::StatusOr<Outcome> FenceRunningStandby(ActionContext* context, const FenceRecord& wanted) {
  PostgresqlInstance& instance = context->instance();
  BATON_RETURN_IF_ERROR(EnsureFence(context, wanted));
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  BATON_ASSIGN_OR_RETURN(const ServerView view, instance.View(context->Left()));
  if (!view.in_recovery) {
    return Failure("BECAME_WRITABLE",
                   absl::StrCat(instance.config().resource.value(),
                                " was promoted while it was fenced; repeat Fence to stop it"));
  }
  Outcome outcome = OkOutcome();
  outcome.system_id = view.system_id;
  outcome.position = view.position;
  outcome.message = "fenced; runs read-only as a standby";
  return outcome;
}

// The tail alone makes the difference: what lost its right before that goes on in its own log,
// whatever closed its fence (this plan, a hand, a lost file).
absl::Status RefuseUnfence(ActionContext* context, const FenceRecord& record,
                           const ControlData& control, const Unfence& action, bool standby_signal) {
  const std::string& name = context->instance().config().resource.value();
  const bool repeated = record.phase == FencePhase::kOpen && record.write == action.write;
  if (!repeated && record.write.has_value() && record.write->sealed.has_value()) {
    return Refusal("SHIPPED_TO_ITS_END",
                   absl::StrCat("the log of ", name,
                                " was shipped to its end; it must not go on in "
                                "it: start it as a standby and promote it (Recover)"));
  }
  if (control.in_recovery()) {
    return Refusal("IS_A_STANDBY",
                   absl::StrCat("the control file of ", name, " says \"", control.state,
                                "\"; what was in recovery is promoted (Recover)"));
  }
  // Of an instance whose fence file and ledger are both lost, its control file knows what it was; a
  // copy of a running primary looks like a crashed one, so only a clean stop counts.
  const bool was_primary = control.stopped_as_primary() && record.fetch.empty();
  if (standby_signal && !record.write.has_value() && !was_primary) {
    return Refusal("IS_A_STANDBY",
                   absl::StrCat(name,
                                " holds no right that could be given back, and has "
                                "standby.signal: it is a standby, to be promoted (Recover)"));
  }
  return absl::OkStatus();
}

absl::Status RemoveStandbySignal(ActionContext* context) {
  const std::string file = context->instance().StandbySignalFile();
  if (unlink(file.c_str()) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return ErrnoStatus(errno, "cannot remove", file);
  }
  BATON_RETURN_IF_ERROR(SyncDirectory(DirectoryOf(file)));
  context->Did("standby.signal removed");
  return absl::OkStatus();
}

// The signal goes first: a manager that starts the server as soon as the fence is open would start
// it as a standby, and its log could only go on after a promotion.
absl::Status OpenWithoutSignal(ActionContext* context, const FenceRecord& open,
                               bool standby_signal) {
  BATON_RETURN_IF_ERROR(RemoveStandbySignal(context));
  const absl::Status opened = EnsureFence(context, open);
  if (opened.ok()) return opened;
  // Whoever closed it meanwhile under a higher epoch had put the signal in place.
  const absl::StatusOr<FenceRecord> now = context->instance().fences().Read();
  if (standby_signal || (now.ok() && now->fence_epoch > open.fence_epoch)) {
    BATON_RETURN_IF_ERROR(context->instance().fences().PlaceStandbySignal());
  }
  return opened;
}

}  // namespace

absl::Status RefuseOtherSystem(const std::string& name, const std::string& found,
                               const std::string& wanted) {
  if (found == wanted) return absl::OkStatus();
  return Refusal("WRONG_SYSTEM_ID",
                 absl::StrCat(name, ": found the cluster with system identifier ", found,
                              ", wanted ", wanted, "; is this the right data directory?"));
}

absl::StatusOr<Outcome> Act(ActionContext* context, const Fence&) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  record.fence_epoch = context->command().epoch;
  if (!record.write.has_value()) {
    record.phase = FencePhase::kClosed;
    const absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
    if (view.ok() && view->in_recovery) return FenceRunningStandby(context, record);
  } else if (!record.write->sealed.has_value()) {
    // Closed before its tail was shipped is what a lost fence file leaves: it ships again.
    record.phase = FencePhase::kClosing;
  }
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_ASSIGN_OR_RETURN(const bool empty, HoldsNoData(instance.config().data_directory));
  if (empty) {
    Outcome outcome = OkOutcome();
    BATON_RETURN_IF_ERROR(StopCleanly(context));
    outcome.message = "fenced; it holds no data";
    return outcome;
  }
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  context->Did("standby.signal is in place");
  BATON_RETURN_IF_ERROR(StopCleanly(context));
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  Outcome outcome = OkOutcome();
  outcome.system_id = control.system_id;
  outcome.position = FinalPosition(record, control);
  outcome.message = absl::StrCat("fenced and stopped; the control file says \"", control.state,
                                 "\"; nothing that started before is alive");
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const Unfence& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_ASSIGN_OR_RETURN(const bool standby_signal, instance.HasStandbySignal());
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  BATON_RETURN_IF_ERROR(RefuseUnfence(context, record, control, action, standby_signal));
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(instance.config().resource.value(), control.system_id,
                                          action.write.system_id));
  BATON_ASSIGN_OR_RETURN(const BootId boot, instance.fences().Boot());
  record.phase = FencePhase::kOpen;
  record.fence_epoch = context->command().epoch;
  record.write = action.write;
  record.fetch.clear();
  record.confirmed_boot = boot;
  BATON_RETURN_IF_ERROR(OpenWithoutSignal(context, record, standby_signal));
  BATON_ASSIGN_OR_RETURN(const ServerView view, StartAndWait(context));
  if (view.in_recovery) {
    return Failure("RUNS_AS_STANDBY", absl::StrCat(instance.config().resource.value(),
                                                   " runs read-only; look for standby.signal"));
  }
  BATON_RETURN_IF_ERROR(ProveWritable(context));
  Outcome outcome = OkOutcome();
  outcome.system_id = view.system_id;
  outcome.position = view.position;
  outcome.message = "accepts writes";
  return outcome;
}

}  // namespace baton::postgresql
