#include "agent/database/postgresql_look.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/database/data_directory.h"
#include "agent/database/log_chain.h"
#include "agent/database/log_end.h"
#include "agent/database/quarantine.h"
namespace baton::postgresql {
namespace {

void AddProblem(std::string problem, DatabaseObservation* seen) {
  if (problem.empty()) return;
  seen->problem = seen->problem.empty() ? problem : absl::StrCat(seen->problem, "; ", problem);
}

// Sees what needs no server: the control file, the signal file, the files that wait.
std::optional<ControlData> LookAtFiles(const PostgresqlInstance& instance,
                                       DatabaseObservation* seen) {
  const absl::StatusOr<bool> signal = instance.HasStandbySignal();
  if (signal.ok()) seen->standby_signal = *signal;
  const absl::StatusOr<ControlData> control = instance.Control();
  if (!control.ok()) {
    AddProblem(std::string(control.status().message()), seen);
    return std::nullopt;
  }
  seen->system_id = control->system_id;
  seen->position = control->checkpoint;
  seen->clean_shutdown = control->stopped_as_primary() || control->stopped_as_standby();
  seen->in_recovery = control->in_recovery();
  const absl::StatusOr<std::vector<std::string>> ready = instance.Wal(*control).Ready();
  if (ready.ok()) {
    seen->ready_files = ready->size();
  } else {
    AddProblem(std::string(ready.status().message()), seen);
  }
  return *control;
}

// A PostgreSQL that was started after a clean stop ends no log file by archive_timeout before its
// checkpointer woke up once: that decides while the server is still starting how long it sleeps,
// which is up to checkpoint_timeout. A reload wakes it; once is enough, however long it took to
// start.
void WakeCheckpointer(PostgresqlConnection* connection, absl::Duration timeout, LookMemory* memory,
                      DatabaseObservation* seen) {
  const absl::StatusOr<Rows> start =
      connection->Query("SELECT pg_postmaster_start_time()::text", timeout);
  if (!start.ok()) return AddProblem(std::string(start.status().message()), seen);
  const std::string since = start->Text(0, 0);
  if (memory->woken == since) return;
  const absl::StatusOr<Rows> woken = connection->Query("SELECT pg_reload_conf()", timeout);
  if (!woken.ok()) return AddProblem(std::string(woken.status().message()), seen);
  memory->woken = since;
}

void DescribePrimary(const ServerView& view, DatabaseObservation* seen) {
  seen->state = DatabaseState::kPrimary;
  seen->last_archived = view.last_archived;
  seen->archiving = view.archiver_pid != 0 && view.failing_file.empty();
  if (!view.failing_file.empty()) {
    seen->archive_failure = absl::StrCat("the last try failed, at ", view.failing_file);
  }
  if (view.archiver_pid == 0) AddProblem("no archiver runs, so nothing is shipped", seen);
}

void DescribeArchive(PostgresqlInstance* instance, const ServerView& view,
                     const ControlData& control, LookMemory* memory, DatabaseObservation* seen) {
  const absl::StatusOr<FenceRecord> record = instance->Fence();
  if (!record.ok() || record->fetch.empty()) return;
  const std::string from =
      WalSegmentName(WalSegmentOf(view.position, control.segment_bytes), control.segment_bytes);
  const std::optional<ShareView> shares = memory->shares.Ask(record->fetch, from);
  ArchivedLog log;
  if (shares.has_value()) {
    seen->share_problem = shares->problem;
    log = shares->log;
  } else {
    absl::StatusOr<ArchivedLog> copied =
        instance->archive().List(record->fetch, from, ArchivePlace::kCopied);
    if (copied.ok()) log = *std::move(copied);
  }
  const LogChain chain = FollowChain(view.position, log, control.segment_bytes);
  seen->lag_bytes = BytesBeyond(view.position, chain, control.segment_bytes);
  // One that it does not wait for it has by other means, or has passed since the shares were looked
  // at.
  const std::optional<StartupTitle> title = ParseStartupTitle(view.startup_title);
  constexpr size_t kTimelineDigits = 8;
  const bool waits = title.has_value() && title->waiting && chain.gap.size() > kTimelineDigits &&
                     chain.gap.substr(kTimelineDigits) == title->segment.substr(kTimelineDigits);
  if (waits || chain.gap.find(".history") != std::string::npos) seen->gap = chain.gap;
}

void DescribeStandby(PostgresqlInstance* instance, const ServerView& view,
                     const std::optional<ControlData>& control, LookMemory* memory,
                     DatabaseObservation* seen) {
  seen->state = DatabaseState::kStandby;
  seen->lag = view.lag;
  seen->last_commit = view.last_commit;
  if (view.replay_paused) AddProblem("replay is paused (pg_wal_replay_resume())", seen);
  if (control.has_value()) DescribeArchive(instance, view, *control, memory, seen);
}

// Reads the last log file anew only when the control file says something else.
void DescribeLogEnd(const PostgresqlInstance& instance, const ControlData& control,
                    LookMemory* memory, DatabaseObservation* seen) {
  const std::string of =
      absl::StrCat(control.system_id, " ", control.state, " ", control.checkpoint.ToString());
  if (memory->end_of != of) {
    const absl::StatusOr<LogPosition> end = FindLogEnd(instance.config().data_directory, control);
    memory->log_end = end.value_or(LogPosition{});
    memory->end_of = of;
  }
  seen->log_end = memory->log_end;
}

void DescribeServer(PostgresqlInstance* instance, const ServerView& view, absl::Duration timeout,
                    const std::optional<ControlData>& control, LookMemory* memory,
                    DatabaseObservation* seen) {
  if (control.has_value() && control->system_id != view.system_id) {
    AddProblem(absl::StrCat("the server at ", instance->config().resource.value(),
                            "'s address is another cluster: found system identifier ",
                            view.system_id, ", wanted ", control->system_id),
               seen);
    return;
  }
  seen->system_id = view.system_id;
  seen->version = view.version;
  seen->position = view.position;
  seen->clean_shutdown = seen->in_recovery = false;
  seen->client_sessions = view.client_sessions;
  if (view.in_recovery) {
    memory->woken.clear();
    DescribeStandby(instance, view, control, memory, seen);
  } else {
    DescribePrimary(view, seen);
  }
  const absl::StatusOr<PostgresqlConnection*> connection = instance->Connected(timeout);
  if (!connection.ok()) return;
  if (!view.in_recovery) {
    WakeCheckpointer(*connection, timeout, memory, seen);
  }
  const absl::StatusOr<std::string> settings = EndangeringSettings(*connection, timeout);
  AddProblem(settings.ok() ? *settings : std::string(settings.status().message()), seen);
}

// No view of the server: is it down, not up yet, or can nobody tell?
void DescribeSilence(const absl::Status& status, bool nothing_runs, DatabaseObservation* seen) {
  if (absl::IsNotFound(status) && nothing_runs) {
    seen->state = DatabaseState::kDown;
    return;
  }
  seen->clean_shutdown = seen->in_recovery = false;
  if (absl::IsUnavailable(status) || absl::IsNotFound(status)) {
    seen->state = DatabaseState::kStarting;
  } else {
    seen->state = DatabaseState::kUnknown;
  }
  AddProblem(std::string(status.message()), seen);
}

FenceSummary SummariseFence(const PostgresqlInstance& instance, bool nothing_runs,
                            DatabaseState state) {
  FenceSummary summary;
  const absl::StatusOr<FenceRecord> record = instance.fences().Read();
  summary.file_readable = record.ok();
  if (record.ok()) {
    const absl::StatusOr<BootId> boot = instance.fences().Boot();
    summary.phase = EffectivePhase(*record, boot.ok() ? *boot : BootId());
    summary.fence_epoch = record->fence_epoch;
    if (record->write.has_value()) {
      summary.write_epoch = record->write->epoch;
      summary.sealed = record->write->sealed;
    }
  }
  const bool fenced = summary.phase == FencePhase::kClosing || summary.phase == FencePhase::kClosed;
  // With a right in its file, one in recovery may have a promotion pending that shows only later.
  const bool only_follows = state == DatabaseState::kStandby && summary.write_epoch.none();
  summary.proven = fenced && (nothing_runs || only_follows);
  return summary;
}

}  // namespace

Observation NotSeen(const ResourceConfig& config, std::string problem) {
  Observation observation;
  observation.resource = config.resource;
  observation.pool = config.pool;
  DatabaseObservation seen;
  seen.problem = std::move(problem);
  observation.detail = std::move(seen);
  return observation;
}

Observation LookAt(PostgresqlInstance* instance, absl::Duration timeout,
                   const absl::StatusOr<ServiceStatus>& service, LookMemory* memory) {
  Observation observation = NotSeen(instance->config(), "");
  DatabaseObservation seen;
  observation.service_managed = service.ok() && service->managed;
  const bool empty = HoldsNoData(instance->config().data_directory).value_or(false);
  std::optional<ControlData> control;
  if (!empty) control = LookAtFiles(*instance, &seen);
  instance->Disconnect();
  const absl::StatusOr<ServerView> view = instance->View(timeout);
  const bool nothing_runs =
      !view.ok() && instance->fences().ProveNothingRuns(absl::ZeroDuration()).ok();
  if (view.ok()) {
    DescribeServer(instance, *view, timeout, control, memory, &seen);
  } else {
    DescribeSilence(view.status(), nothing_runs, &seen);
  }
  if (seen.state == DatabaseState::kDown) {
    if (control.has_value()) DescribeLogEnd(*instance, *control, memory, &seen);
    if (empty) {
      seen.state = DatabaseState::kEmpty;
    } else if (service.ok() && !service->refused.empty()) {
      AddProblem(absl::StrCat("the gate refused its last start: ", service->refused), &seen);
    }
  }
  seen.quarantine = ListQuarantine(instance->config());
  observation.fence = SummariseFence(*instance, nothing_runs, seen.state);
  observation.detail = std::move(seen);
  instance->Disconnect();
  return observation;
}

}  // namespace baton::postgresql
