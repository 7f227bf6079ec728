// CheckDatabase: is the instance what a plan takes it for, and fit for what is to come?
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

#include "agent/database/log_chain.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/file.h"
#include "common/os/process.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);
constexpr absl::Duration kArchiverPoll = absl::Milliseconds(2);
constexpr absl::Duration kArchiverTimeout = absl::Seconds(10);

bool WantsPrimary(const CheckDatabase& wanted) { return wanted.role == InstanceRole::kPrimary; }

absl::Status CheckSystem(const std::string& name, const CheckDatabase& wanted,
                         const std::string& system_id) {
  if (wanted.system_id.empty() || wanted.system_id == system_id) return absl::OkStatus();
  return Failure("WRONG_SYSTEM_ID",
                 absl::StrCat(name, ": found the cluster with system identifier ", system_id,
                              ", wanted ", wanted.system_id,
                              "; the topology, the resource file or the data directory is wrong"));
}

absl::Status CheckStopped(const PostgresqlInstance& instance, const CheckDatabase& wanted) {
  const std::string& name = instance.config().resource.value();
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  BATON_RETURN_IF_ERROR(CheckSystem(name, wanted, control.system_id));
  BATON_ASSIGN_OR_RETURN(const bool standby_signal, instance.HasStandbySignal());
  if (standby_signal != WantsPrimary(wanted)) return absl::OkStatus();
  return Failure("WRONG_ROLE",
                 absl::StrCat(name, ": found it stopped ", standby_signal ? "with" : "without",
                              " standby.signal, wanted a ", std::string(ToString(wanted.role))));
}

// The archiver passes a file on now: the log so far is switched out and must come back shipped. A
// frozen archiver, or a share that takes no files, shows here and not after chat was stopped.
absl::Status CheckThatItShips(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
  // A switch is a no-op where nothing was written; the restore point is something.
  BATON_ASSIGN_OR_RETURN(const Rows point,
                         connection->Query("SELECT pg_walfile_name(pg_create_restore_point("
                                           "'baton check'))",
                                           context->Left()));
  BATON_RETURN_IF_ERROR(connection->Query("SELECT pg_switch_wal()", context->Left()).status());
  const std::string file = point.Text(0, 0);
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  const WalFolder wal = instance.Wal(control);
  const absl::Duration deadline = instance.clock().SinceBoot() + kArchiverTimeout;
  while (wal.IsReady(file)) {
    if (instance.clock().SinceBoot() >= deadline) {
      BATON_ASSIGN_OR_RETURN(const std::vector<std::string> ready, wal.Ready());
      return Failure("ARCHIVER_STUCK",
                     absl::StrCat("the archiver did not ship ", file, " within ",
                                  absl::FormatDuration(kArchiverTimeout), "; ", ready.size(),
                                  " files wait; look at archive_command and the share"));
    }
    BATON_RETURN_IF_ERROR(context->Wait(kArchiverPoll));
  }
  return absl::OkStatus();
}

absl::Status CheckArchiver(const std::string& name, const ServerView& view) {
  if (view.archiver_pid == 0) {
    return Failure("NO_ARCHIVER", absl::StrCat(name,
                                               ": no archiver runs, so nothing is shipped; "
                                               "look at archive_mode and the server's log"));
  }
  if (!view.failing_file.empty()) {
    return Failure("ARCHIVER_FAILS",
                   absl::StrCat(name, ": the archiver's last try failed, at ", view.failing_file,
                                "; look at the server's log and at the share"));
  }
  return absl::OkStatus();
}

// A move that was given up may promote it yet, or has its fence left as if it would.
absl::Status RefuseRecovering(const PostgresqlInstance& instance) {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
  if (!record.write.has_value() || record.phase == FencePhase::kClosing ||
      record.phase == FencePhase::kClosed) {
    return absl::OkStatus();
  }
  return Refusal("HOLDS_THE_RIGHT",
                 absl::StrCat(instance.config().resource.value(), ": found its fence ",
                              std::string(ToString(record.phase)), " with the right of epoch ",
                              record.write->epoch.ToString(),
                              ", wanted a standby that holds none: a move that was given up may "
                              "promote it yet; look at baton status, and ask again"));
}

// One that may as well be stopped need not get over a gap.
absl::Status CheckReplay(const PostgresqlInstance& instance, const CheckDatabase& wanted,
                         const ServerView& view) {
  const std::string& name = instance.config().resource.value();
  if (view.replay_paused) {
    return Failure("REPLAY_PAUSED",
                   absl::StrCat(name, ": replay is paused; pg_wal_replay_resume() lets it go on"));
  }
  if (view.startup_pid == 0) {
    return Failure("NO_REPLAY", absl::StrCat(name, ": found no startup process that replays"));
  }
  if (!wanted.running) return absl::OkStatus();
  BATON_ASSIGN_OR_RETURN(const std::string gap, WaitedGap(instance, view, ArchivePlace::kCopied));
  if (gap.empty()) return absl::OkStatus();
  return Failure("GAP", absl::StrCat(name, ": waits for ", gap,
                                     ", which is missing though later files have come: the log "
                                     "has a gap"));
}

absl::Status CheckRunning(ActionContext* context, const CheckDatabase& wanted,
                          const ServerView& view) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  BATON_RETURN_IF_ERROR(CheckSystem(name, wanted, view.system_id));
  // Its manager could not stop it, so no fence would hold.
  const absl::Status gated = instance.fences().ProveNothingRuns(absl::ZeroDuration());
  if (absl::IsFailedPrecondition(gated)) {
    return Failure("STARTED_PAST_THE_GATE",
                   absl::StrCat(gated.message(), "; Baton starts it again"));
  }
  if (view.in_recovery == WantsPrimary(wanted)) {
    return Failure("WRONG_ROLE", absl::StrCat(name, ": found it running ",
                                              view.in_recovery ? "as a standby" : "read-write",
                                              ", wanted a ", std::string(ToString(wanted.role))));
  }
  if (!view.superuser) {
    return Failure("NOT_SUPERUSER", absl::StrCat(name,
                                                 ": postgresql.user is no superuser, so it "
                                                 "can neither end sessions nor promote"));
  }
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
  BATON_ASSIGN_OR_RETURN(const std::string settings,
                         EndangeringSettings(connection, context->Left()));
  if (!settings.empty()) return Failure("UNSAFE_SETTINGS", absl::StrCat(name, ": ", settings));
  if (!WantsPrimary(wanted)) {
    BATON_RETURN_IF_ERROR(RefuseRecovering(instance));
    return CheckReplay(instance, wanted, view);
  }
  if (!wanted.checkpoint) {
    // The shipper asks the fence. One that is closed, or lost, is mended by what this look is for.
    BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
    if (record.phase == FencePhase::kClosed) return absl::OkStatus();
  }
  return CheckArchiver(name, view);
}

// A primary that nobody protected yet: ConfigureLogShipping is to make its settings and to prepare
// its share, which has no marker before.
bool IsBare(const PostgresqlInstance& instance) {
  const absl::StatusOr<std::string> settings = instance.config().Engine("settings_file");
  return settings.ok() && !Exists(*settings).value_or(true);
}

}  // namespace

absl::Status CheckInRole(ActionContext* context, const CheckDatabase& wanted) {
  PostgresqlInstance& instance = context->instance();
  const absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
  if (view.ok()) {
    BATON_RETURN_IF_ERROR(CheckRunning(context, wanted, *view));
  } else if (absl::IsNotFound(view.status()) && !wanted.running) {
    BATON_RETURN_IF_ERROR(CheckStopped(instance, wanted));
  } else {
    return view.status();
  }
  // A backup without a checkpoint asked for is one whose other site may be lost, shares and all:
  // what it can read of them shows in its observation.
  if (!WantsPrimary(wanted) && !wanted.checkpoint) return absl::OkStatus();
  if (WantsPrimary(wanted) && !wanted.running && IsBare(instance)) return absl::OkStatus();
  return instance.archive().CheckShares();
}

absl::StatusOr<Outcome> Act(ActionContext* context, const CheckDatabase& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_RETURN_IF_ERROR(CheckInRole(context, action));
  Outcome outcome = OkOutcome();
  absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
  if (!view.ok()) {
    BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
    outcome.system_id = control.system_id;
    outcome.position = control.checkpoint;
    outcome.message = absl::StrCat("stopped; the control file says \"", control.state, "\"");
    return outcome;
  }
  if (action.checkpoint) {
    BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
    BATON_RETURN_IF_ERROR(connection->Query("CHECKPOINT", context->Left()).status());
    if (!view->in_recovery) BATON_RETURN_IF_ERROR(CheckThatItShips(context));
    BATON_ASSIGN_OR_RETURN(view, instance.View(context->Left()));
  }
  outcome.system_id = view->system_id;
  outcome.position = view->position;
  outcome.message = absl::StrCat(view->in_recovery ? "standby" : "primary", ", version ",
                                 view->version, ", ", view->client_sessions, " client sessions");
  return outcome;
}

}  // namespace baton::postgresql
