// Recover of an instance that wrote before (protocol.md "Undo after the tail was shipped"): it is
// never started again on the timeline that it shipped, but as a standby, and promoted.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);
constexpr absl::Duration kProofTimeout = absl::Seconds(1);

absl::Status RefuseUnfenced(ActionContext* context, const FenceRecord& record,
                            const ControlData& control, const Recover& action) {
  const std::string& name = context->instance().config().resource.value();
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(name, control.system_id, action.write.system_id));
  if (record.phase != FencePhase::kClosing && record.phase != FencePhase::kClosed) {
    return Refusal("NOT_FENCED",
                   absl::StrCat("the fence of ", name, " is ", std::string(ToString(record.phase)),
                                ", wanted closing or closed: Fence it first"));
  }
  if (record.write.has_value()) return absl::OkStatus();
  // Of one whose fence file or ledger is lost its control file knows what it was; so it does of one
  // that was told to follow and never came to it.
  BATON_ASSIGN_OR_RETURN(const bool wrote, context->instance().WroteLast(control));
  if (wrote) return absl::OkStatus();
  return Refusal("NO_LOG_OF_ITS_OWN",
                 absl::StrCat(name,
                              " holds no right that it could take back: it followed another one; "
                              "recover it as a backup"));
}

// What was not shipped goes along while a share takes it; the backup needs it to follow. It is no
// condition: a share that takes nothing may be why the move is being undone.
absl::Status ShipIfPossible(ActionContext* context, const FenceRecord& record,
                            const ControlData& control) {
  if (record.phase != FencePhase::kClosing || !record.write.has_value() ||
      record.write->sealed.has_value()) {
    return absl::OkStatus();
  }
  const absl::Status shipped = ShipWhatIsFull(context, control);
  if (!shipped.ok()) context->Did(absl::StrCat("left unshipped (", shipped.message(), ")"));
  return context->Live();
}

}  // namespace

absl::Status ReturnToOwnLog(ActionContext* context, const Recover& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
  absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
  if (view.ok() && !view->in_recovery) return absl::OkStatus();
  const bool down = absl::IsNotFound(view.status()) || absl::IsUnavailable(view.status());
  if (!view.ok() && !down) return view.status();
  const bool ours = HasRight(record, action);
  // It was seen to take writes on its own timeline before that was written.
  if (ours && down && record.phase == FencePhase::kOpen) return absl::OkStatus();
  if (!ours) {
    BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
    BATON_RETURN_IF_ERROR(RefuseUnfenced(context, record, control, action));
    if (down) {
      BATON_RETURN_IF_ERROR(
          instance.fences().ProveNothingRuns(std::min(kProofTimeout, context->Left())));
      BATON_RETURN_IF_ERROR(ShipIfPossible(context, record, control));
    }
  }
  // Before the fence file, under which the server may be started. An earlier try whose promotion
  // was cut off may have lost it; one that had gone through costs a timeline more.
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  context->Did("standby.signal is in place");
  BATON_RETURN_IF_ERROR(GiveRight(context, record, action, FencePhase::kUnconfirmed));
  if (down) view = StartAndWait(context);
  BATON_RETURN_IF_ERROR(TellWhatItMayLack(context, view.status()));
  BATON_ASSIGN_OR_RETURN(const LogPosition end, ReplayToEnd(context, *std::move(view)));
  // What a move that was given up had begun to bring online may not have all of it in its own log.
  BATON_RETURN_IF_ERROR(ReplayWhatWasSealed(context, end));
  context->Did("replayed its own log to the end");
  return absl::OkStatus();
}

}  // namespace baton::postgresql
