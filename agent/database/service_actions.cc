// Start, Stop, EndConnections, and the pieces of them that other actions use.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(2);
// Each try to log in while the server starts is a line in its log: they grow rarer.
constexpr absl::Duration kFirstStartingPoll = absl::Milliseconds(4);
constexpr absl::Duration kLastStartingPoll = absl::Milliseconds(50);
// A server that ended while it started says so to its manager, not to us.
constexpr int kPollsPerStatus = 10;
constexpr absl::Duration kLookTimeout = absl::Seconds(5);
constexpr absl::Duration kProofTimeout = absl::Seconds(5);

constexpr char kOthers[] = R"(
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND application_name <> 'baton-agent')";

absl::Status LookThatItRuns(ActionContext* context) {
  const ResourceConfig& config = context->instance().config();
  BATON_ASSIGN_OR_RETURN(const ServiceStatus status, context->instance().service().Status());
  if (status.running) return absl::OkStatus();
  const std::string why = status.refused.empty() ? status.last_exit : status.refused;
  return Failure(
      "ENDED_WHILE_STARTING",
      absl::StrCat(config.resource.value(), " ended while it started (", why, "); see its log"));
}

}  // namespace

absl::Status EnsureFence(ActionContext* context, const FenceRecord& wanted) {
  BATON_RETURN_IF_ERROR(context->instance().fences().Write(wanted));
  context->Did(absl::StrCat("the fence says ", std::string(ToString(wanted.phase)), " under epoch ",
                            wanted.fence_epoch.ToString()));
  return absl::OkStatus();
}

absl::Status StopCleanly(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  instance.Disconnect();
  const absl::Duration timeout = std::min(instance.config().stop_timeout, context->Left());
  const absl::Status stopped = instance.service().Stop(StopMode::kClean, timeout);
  if (absl::IsDeadlineExceeded(stopped)) {
    return Failure(
        "STOP_TIMED_OUT",
        absl::StrCat(instance.config().resource.value(), " did not stop cleanly within ",
                     absl::FormatDuration(timeout), " and is still stopping (", stopped.message(),
                     "); a frozen archive_command or share holds a stop up: free it and repeat"));
  }
  BATON_RETURN_IF_ERROR(stopped);
  context->Did("stopped");
  const absl::Status proof =
      instance.fences().ProveNothingRuns(std::min(kProofTimeout, context->Left()));
  if (absl::IsDeadlineExceeded(proof)) {
    return Failure("STILL_ALIVE",
                   absl::StrCat("its manager says that ", instance.config().resource.value(),
                                " is stopped, but ", proof.message()));
  }
  return proof;
}

absl::StatusOr<ServerView> StartAndWait(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  BATON_RETURN_IF_ERROR(instance.service().Start(context->Left()));
  absl::Status last;
  absl::Duration poll = kFirstStartingPoll;
  for (int polls = 1;; ++polls) {
    absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
    if (view.ok() || absl::IsPermissionDenied(view.status())) return view;
    last = view.status();
    if (polls % kPollsPerStatus == 0) BATON_RETURN_IF_ERROR(LookThatItRuns(context));
    const absl::Status waited = context->Wait(poll);
    poll = std::min(poll * 1.25, kLastStartingPoll);
    if (absl::IsDeadlineExceeded(waited)) {
      return absl::DeadlineExceededError(
          absl::StrCat(waited.message(), ": ", instance.config().resource.value(),
                       " was started but answers no queries: ", last.message()));
    }
    BATON_RETURN_IF_ERROR(waited);
  }
}

absl::Status ProveWritable(ActionContext* context) {
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection,
                         context->instance().Connected(context->Left()));
  // A transactional message is flushed by its commit like a client's row, and leaves only log.
  BATON_RETURN_IF_ERROR(
      connection
          ->Query("SELECT pg_logical_emit_message(true, 'baton', 'accepts writes')",
                  context->Left())
          .status());
  // After crash recovery the checkpointer sleeps without regard to archive_timeout, so that little
  // log would be shipped late, until somebody wakes it.
  return connection->Query("SELECT pg_reload_conf()", context->Left()).status();
}

absl::StatusOr<Outcome> Act(ActionContext* context, const Start&) {
  BATON_ASSIGN_OR_RETURN(const ServerView view, StartAndWait(context));
  Outcome outcome = OkOutcome();
  outcome.system_id = view.system_id;
  outcome.position = view.position;
  outcome.message = view.in_recovery ? "runs as a standby" : "runs read-write";
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const Stop&) {
  BATON_RETURN_IF_ERROR(StopCleanly(context));
  BATON_ASSIGN_OR_RETURN(const ControlData control, context->instance().Control());
  Outcome outcome = OkOutcome();
  outcome.system_id = control.system_id;
  outcome.position = control.checkpoint;
  outcome.message = absl::StrCat("stopped; the control file says \"", control.state, "\"");
  return outcome;
}

absl::StatusOr<Outcome> Act(ActionContext* context, const EndConnections&) {
  static const auto* const kEnd =
      new std::string(absl::StrCat("SELECT pid, pg_terminate_backend(pid) ", kOthers));
  static const auto* const kRemaining = new std::string(
      absl::StrCat("SELECT count(*), count(*) FILTER (WHERE pid = ANY ($1::int[])) ", kOthers));
  PostgresqlInstance& instance = context->instance();
  absl::StatusOr<PostgresqlConnection*> connection =
      instance.Connected(std::min(kLookTimeout, context->Left()));
  Outcome outcome = OkOutcome();
  if (absl::IsNotFound(connection.status())) {
    outcome.message = "the server does not run, so nobody is connected";
    return outcome;
  }
  BATON_RETURN_IF_ERROR(connection.status());
  BATON_ASSIGN_OR_RETURN(const Rows ended, (*connection)->Query(kEnd->c_str(), context->Left()));
  std::vector<std::string> pids;
  for (int row = 0; row < ended.size(); ++row) pids.push_back(ended.Text(row, 0));
  const std::string list = absl::StrCat("{", absl::StrJoin(pids, ","), "}");
  context->Did(absl::StrCat(pids.size(), " sessions told to end"));
  while (true) {
    BATON_ASSIGN_OR_RETURN(const Rows left,
                           (*connection)->Query(kRemaining->c_str(), {list}, context->Left()));
    if (left.Number(0, 1) == 0) {
      outcome.message = absl::StrCat("ended ", pids.size(), " sessions; ", left.Number(0, 0),
                                     " new ones have connected since");
      return outcome;
    }
    const absl::Status waited = context->Wait(kPoll);
    if (absl::IsDeadlineExceeded(waited)) {
      return absl::DeadlineExceededError(absl::StrCat(waited.message(), ": ", left.Number(0, 1),
                                                      " sessions told to end are still there"));
    }
    BATON_RETURN_IF_ERROR(waited);
  }
}

}  // namespace baton::postgresql
