// The actions of a PostgreSQL runner, one function each. All block, on the runner's own thread; all
// may be repeated; each returns what was seen after acting. What each requires and proves stands in
// the table of postgresql_runner.h. An error becomes an outcome by ActionContext::OutcomeOf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/database/action_context.h"
#include "agent/database/control_data.h"
#include "common/protocol/action.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/observation.h"

namespace baton::postgresql {

// fence_actions.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const Fence& action);
absl::StatusOr<Outcome> Act(ActionContext* context, const Unfence& action);
// ship_tail.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const ShipTail& action);
// follow_actions.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const StartStandby& action);
absl::StatusOr<Outcome> Act(ActionContext* context, const CopyPendingLogs& action);
// apply_logs.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const ApplyPendingLogs& action);
// end_of_shipping.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const StopLogShipping& action);
absl::StatusOr<Outcome> Act(ActionContext* context, const SalvageLogs& action);
// quarantine_actions.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const Quarantine& action);
absl::StatusOr<Outcome> Act(ActionContext* context, const RemoveQuarantine& action);
// seed.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const Seed& action);
// configure_shipping.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const ConfigureLogShipping& action);
// recover.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const Recover& action);
// service_actions.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const Start& action);
absl::StatusOr<Outcome> Act(ActionContext* context, const Stop& action);
absl::StatusOr<Outcome> Act(ActionContext* context, const EndConnections& action);
// check_database.cc
absl::StatusOr<Outcome> Act(ActionContext* context, const CheckDatabase& action);

// What is no action of a database is refused.
template <class Other>
absl::StatusOr<Outcome> Act(ActionContext*, const Other&) {
  return Refusal("NOT_A_DATABASE_ACTION", "this resource is a PostgreSQL database");
}

// look.cc: does the postcondition of the context's command hold now? An error says why not, or why
// that cannot be told. Changes nothing.
absl::StatusOr<Outcome> LookForPostcondition(ActionContext* context);
// dry_run.cc: would the context's command find what it needs under this identity? Changes nothing.
absl::Status CheckPreconditions(ActionContext* context);

// What several of them share.

// Where the log of a fenced, stopped instance ends, for a backup that has to apply all of it: it
// has when its replay position is greater. None: it holds no right, or did not stop cleanly.
std::optional<LogPosition> FinalPosition(const FenceRecord& record, const ControlData& control);

// The fence file says `wanted`. Not read first: whoever fences by hand between the action's own
// look at the file and this must be noticed.
absl::Status EnsureFence(ActionContext* context, const FenceRecord& wanted);

// seed.cc: its preconditions, and whether it was carried out.
absl::Status CheckSeed(ActionContext* context, const Seed& action);
absl::StatusOr<Outcome> LookAtSeed(const PostgresqlInstance& instance, const Seed& action);
// configure_shipping.cc: does the settings file hold what it should?
absl::StatusOr<Outcome> LookAtSettings(ActionContext* context);

// Brings an instance that wrote before, and was fenced, to where it can be promoted in its own log:
// it runs as a standby under `action`'s right, unconfirmed, and has replayed its own log to the
// end. Leaves alone what an earlier try promoted. (recover_own_log.cc)
absl::Status ReturnToOwnLog(ActionContext* context, const Recover& action);

// Gives the right under `phase`, confirmed in this boot. Once open there is nothing to fetch any
// more; until then a server that dies must find again what it had followed.
absl::Status GiveRight(ActionContext* context, FenceRecord record, const Recover& action,
                       FencePhase phase);
// The fence file shows that an earlier try gave this right, in this boot or before.
bool HasRight(const FenceRecord& record, const Recover& action);
absl::Status RefuseOtherSystem(const std::string& name, const std::string& found,
                               const std::string& wanted);

// Ships what waits and every full file that is not marked as shipped, in order. What is being
// written stays: it may yet be gone on with.
absl::Status ShipWhatIsFull(ActionContext* context, const ControlData& control);

// Of a server in recovery: waits until it has replayed all it can get, and looks that it is still
// in recovery. Its position then.
absl::StatusOr<LogPosition> ReplayToEnd(ActionContext* context, ServerView view);

// Of a server in recovery that stands at `seen`: waits until it has replayed all that the sealed
// lineages in its fence file serve. At once where there are none, or its log has left them.
absl::Status ReplayWhatWasSealed(ActionContext* context, const LogPosition& seen);

// `status`; where it is a deadline of one that holds a right and may have sealed log to replay,
// with what it may lack for that and how to go on.
absl::Status TellWhatItMayLack(ActionContext* context, const absl::Status& status);

// The segment that a standby waits for while a later one of its timeline has come to `place`: it
// does not come any more by itself. Empty: it waits for none such.
absl::StatusOr<std::string> WaitedGap(const PostgresqlInstance& instance, const ServerView& view,
                                      ArchivePlace place);

// Who holds a right to write follows nobody.
absl::Status RefuseHolder(ActionContext* context, const FenceRecord& record);

// Where a standby's replay stands, or would begin.
struct ReplayPoint {
  std::string system_id;
  LogPosition position;
  uint64_t segment_bytes = 0;

  std::string SegmentName() const;
};
absl::StatusOr<ReplayPoint> FindReplayPoint(ActionContext* context);

// Of `fetch` what replay may still ask for: not the lineages, oldest first, that it has left
// behind. All of it when the server cannot be asked. What a restart might want again is fetched by
// then.
std::vector<Lineage> StillWanted(PostgresqlInstance& instance, const std::vector<Lineage>& fetch);

// Tells what a copy does, and has it end with the command.
ArchiveStore::CopyWatch WatchCopy(ActionContext* context, std::string what);

// Wakes a startup process that sleeps before it asks for its next file again.
inline constexpr char kWakeReplay[] = "SELECT pg_reload_conf()";

// Stops the server cleanly, within the resource's stop_timeout and what the command has left, and
// looks that nothing of it is alive.
absl::Status StopCleanly(ActionContext* context);

// Starts the server through the gate unless it runs, and waits until it answers queries.
absl::StatusOr<ServerView> StartAndWait(ActionContext* context);

// Has a transaction committed and flushed that touches nobody's data.
absl::Status ProveWritable(ActionContext* context);

// CheckDatabase without its CHECKPOINT, for dry runs and looks.
absl::Status CheckInRole(ActionContext* context, const CheckDatabase& wanted);

}  // namespace baton::postgresql
