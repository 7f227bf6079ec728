// Seed: an empty data directory becomes a copy of the one that serves.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "agent/database/data_directory.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/process.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kSourceTimeout = absl::Seconds(10);
constexpr absl::Duration kProofTimeout = absl::Seconds(2);
constexpr absl::Duration kProgressInterval = absl::Milliseconds(500);
// Beyond the databases' size: log that is written meanwhile, and what has no database.

constexpr char kSourceQuery[] = R"(
SELECT (SELECT system_identifier FROM pg_control_system()), pg_is_in_recovery(),
       (SELECT sum(pg_database_size(oid)) FROM pg_database WHERE datallowconn)::bigint,
       current_setting('server_version_num')::int / 10000)";
constexpr char kProgressQuery[] =
    "SELECT coalesce(max(backup_streamed), 0), coalesce(max(backup_total), 0) "
    "FROM pg_stat_progress_basebackup";

struct Source {
  PostgresqlEndpoint endpoint;
  uint64_t bytes = 0;
};

// From "postgresql.instance.HOST = ADDRESS:PORT".
absl::StatusOr<PostgresqlEndpoint> SourceEndpoint(const ResourceConfig& config,
                                                  const HostId& source) {
  BATON_ASSIGN_OR_RETURN(PostgresqlEndpoint endpoint, EndpointOf(config));
  BATON_ASSIGN_OR_RETURN(const std::string where, config.Engine("instance." + source.value()));
  const size_t colon = where.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(where.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return absl::FailedPreconditionError(absl::StrCat(
        "postgresql.instance.", source.value(), ": found \"", where, "\", wanted ADDRESS:PORT"));
  }
  endpoint.address = where.substr(0, colon);
  endpoint.port = where.substr(colon + 1);
  return endpoint;
}

absl::StatusOr<int64_t> OwnMajorVersion(const PostgresqlInstance& instance) {
  RunOptions options;
  options.argv = {instance.bin_directory() + "/postgres", "--version"};
  options.timeout = kSourceTimeout;
  BATON_ASSIGN_OR_RETURN(const RunResult result, Run(options));
  const std::vector<std::string> words =
      absl::StrSplit(result.output, absl::ByAnyChar(" .\n"), absl::SkipEmpty());
  int64_t major = 0;
  if (words.size() > 2 && absl::SimpleAtoi(words[2], &major)) return major;
  return absl::UnavailableError(
      absl::StrCat(options.argv[0], " --version: found \"", result.output, "\", wanted a version"));
}

absl::StatusOr<Source> LookAtSource(ActionContext* context, const Seed& action) {
  PostgresqlInstance& instance = context->instance();
  Source source;
  BATON_ASSIGN_OR_RETURN(source.endpoint, SourceEndpoint(instance.config(), action.source));
  const absl::Duration timeout = std::min(kSourceTimeout, context->Left());
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection connection,
                         PostgresqlConnection::Connect(source.endpoint, timeout, nullptr));
  BATON_ASSIGN_OR_RETURN(const Rows rows, connection.Query(kSourceQuery, timeout));
  BATON_RETURN_IF_ERROR(
      RefuseOtherSystem(source.endpoint.ToString(), rows.Text(0, 0), action.system_id));
  BATON_ASSIGN_OR_RETURN(const int64_t major, OwnMajorVersion(instance));
  if (rows.Number(0, 3) != major) {
    return Refusal("WRONG_VERSION",
                   absl::StrCat(source.endpoint.ToString(), " runs version ", rows.Number(0, 3),
                                ", this host has version ", major, "; install the same one"));
  }
  source.bytes = static_cast<uint64_t>(rows.Number(0, 2));
  return source;
}

// An earlier try that came to its end: whole, of this system, and never started since.
bool IsSeeded(const PostgresqlInstance& instance, const Seed& action) {
  const std::string& data = instance.config().data_directory;
  const bool whole = !HoldsNoData(data).value_or(true) &&
                     Exists(data + "/backup_label").value_or(false) &&
                     instance.HasStandbySignal().value_or(false);
  if (!whole) return false;
  const absl::StatusOr<ControlData> control = instance.Control();
  return control.ok() && control->system_id == action.system_id;
}

absl::Status RefuseInUse(ActionContext* context, const FenceRecord& record) {
  PostgresqlInstance& instance = context->instance();
  const std::string& name = instance.config().resource.value();
  BATON_RETURN_IF_ERROR(RefuseHolder(context, record));
  const absl::Status proof =
      instance.fences().ProveNothingRuns(std::min(kProofTimeout, context->Left()));
  if (!proof.ok()) {
    return Refusal("STILL_RUNS", absl::StrCat(name, " is not stopped: ", proof.message()));
  }
  BATON_ASSIGN_OR_RETURN(const bool empty, HoldsNoData(instance.config().data_directory));
  if (empty) return absl::OkStatus();
  return Refusal("NOT_EMPTY",
                 absl::StrCat(instance.config().data_directory,
                              ": found data in it, wanted none; Quarantine makes room"));
}

// What a child does while the action's thread waits for it: its progress is told, and it is ended
// when the command is cancelled.
class Companion {
 public:
  Companion(ActionContext* context, PostgresqlEndpoint endpoint)
      : context_(context), endpoint_(std::move(endpoint)) {}
  ~Companion() { End(); }

  void Begin(const ProcessId& child) {
    thread_ = std::thread([this, child] { Work(child); });
  }
  void End() {
    ending_ = true;
    ended_.Raise();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Work(const ProcessId& child) {
    absl::Duration next = context_->instance().clock().SinceBoot();
    while (!ending_) {
      if (absl::IsCancelled(context_->Live())) {
        static_cast<void>(SignalProcessGroup(child, SIGTERM));
      }
      if (const absl::Duration now = context_->instance().clock().SinceBoot(); now >= next) {
        Tell();
        next = now + kProgressInterval;
      }
      static_cast<void>(ended_.Wait(absl::Milliseconds(50)));
    }
  }

  void Tell() {
    absl::StatusOr<PostgresqlConnection> connection =
        PostgresqlConnection::Connect(endpoint_, kSourceTimeout, &ended_);
    if (!connection.ok()) return;
    const absl::StatusOr<Rows> rows = connection->Query(kProgressQuery, kSourceTimeout);
    if (!rows.ok() || rows->Number(0, 1) <= 0) return;
    context_->Report("copying the database",
                     static_cast<uint64_t>(std::min(rows->Number(0, 0), rows->Number(0, 1))),
                     static_cast<uint64_t>(rows->Number(0, 1)));
  }

  ActionContext* context_;
  const PostgresqlEndpoint endpoint_;
  std::atomic<bool> ending_{false};
  Interrupt ended_;
  std::thread thread_;
};

absl::Status CopyFrom(ActionContext* context, const Source& source) {
  PostgresqlInstance& instance = context->instance();
  Companion companion(context, source.endpoint);
  RunOptions options;
  options.argv = {instance.bin_directory() + "/pg_basebackup",
                  "--pgdata=" + instance.config().data_directory,
                  "--host=" + source.endpoint.address,
                  "--port=" + source.endpoint.port,
                  "--username=" + source.endpoint.user,
                  "--no-password",
                  "--wal-method=stream",
                  "--checkpoint=fast"};
  options.environment = {"LC_ALL=C", "PGPASSFILE=" + source.endpoint.password_file,
                         absl::StrCat("PGAPPNAME=", kApplicationName)};
  options.timeout = context->Left();
  options.output_bytes_max = 64 * 1024;
  options.before_start = [&](const ProcessId& child) {
    BATON_RETURN_IF_ERROR(instance.EnterChild(child));
    companion.Begin(child);
    return absl::OkStatus();
  };
  const absl::StatusOr<RunResult> result = Run(options);
  companion.End();
  BATON_RETURN_IF_ERROR(result.status());
  BATON_RETURN_IF_ERROR(context->Live());
  if (result->ok()) return absl::OkStatus();
  return Failure("COPY_FAILED",
                 absl::StrCat("pg_basebackup from ", source.endpoint.ToString(), ": ",
                              result->Describe(options.timeout), ": ",
                              std::string(absl::StripAsciiWhitespace(result->error))));
}

absl::StatusOr<Outcome> Seeded(const PostgresqlInstance& instance, uint64_t bytes) {
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  Outcome outcome = OkOutcome();
  outcome.system_id = control.system_id;
  outcome.position = control.checkpoint;
  outcome.bytes = bytes;
  outcome.message = absl::StrCat("seeded as of ", control.checkpoint.ToString());
  return outcome;
}

}  // namespace

absl::Status CheckSeed(ActionContext* context, const Seed& action) {
  BATON_ASSIGN_OR_RETURN(const Source source, LookAtSource(context, action));
  return CheckFreeBytes(context->instance().config().data_directory, source.bytes + kSpareBytes,
                        "a copy of the database");
}

absl::StatusOr<Outcome> LookAtSeed(const PostgresqlInstance& instance, const Seed& action) {
  if (IsSeeded(instance, action)) return Seeded(instance, 0);
  return Unsure("NOT_SEEN", absl::StrCat(instance.config().data_directory, " is not seeded"));
}

absl::StatusOr<Outcome> Act(ActionContext* context, const Seed& action) {
  PostgresqlInstance& instance = context->instance();
  const std::string& data = instance.config().data_directory;
  BATON_ASSIGN_OR_RETURN(FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  if (!record.write.has_value() && IsSeeded(instance, action)) return Seeded(instance, 0);
  BATON_RETURN_IF_ERROR(RefuseInUse(context, record));
  BATON_ASSIGN_OR_RETURN(const Source source, LookAtSource(context, action));
  const LiveFunction live = [context] { return context->Live(); };
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.fetch.clear();
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_RETURN_IF_ERROR(ClearData(data, live));
  BATON_RETURN_IF_ERROR(CheckFreeBytes(data, source.bytes + kSpareBytes, "a copy of the database"));
  BATON_RETURN_IF_ERROR(CopyFrom(context, source));
  context->Did("copied");
  BATON_RETURN_IF_ERROR(instance.fences().PlaceStandbySignal());
  BATON_ASSIGN_OR_RETURN(const uint64_t bytes, TreeBytes(data, live));
  BATON_RETURN_IF_ERROR(SyncDirectory(DirectoryOf(data)));
  BATON_RETURN_IF_ERROR(RemoveTree(IncompleteMarker(data), live));
  return Seeded(instance, bytes);
}

}  // namespace baton::postgresql
