#include "agent/database/server_view.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "agent/database/wal_files.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr size_t kTitleBytesMax = 4096;

// One row; the columns are read by number in ViewServer.
constexpr char kViewQuery[] = R"(
SELECT r.in_recovery,
       current_setting('is_superuser') = 'on',
       current_setting('server_version'),
       (SELECT system_identifier FROM pg_control_system()),
       CASE WHEN r.in_recovery THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END,
       CASE WHEN r.in_recovery THEN NULL ELSE pg_walfile_name(pg_current_wal_flush_lsn()) END,
       greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                (SELECT min_recovery_end_timeline FROM pg_control_recovery())),
       CASE WHEN r.in_recovery THEN pg_is_wal_replay_paused() ELSE false END,
       CASE WHEN r.in_recovery
            THEN (1000 * extract(epoch FROM
                  clock_timestamp() - pg_last_xact_replay_timestamp()))::bigint END,
       a.startup_pid, a.startup_wait IS NOT DISTINCT FROM 'RecoveryRetrieveRetryInterval',
       a.archiver_pid, a.clients,
       s.last_archived_wal,
       CASE WHEN s.last_failed_time > coalesce(s.last_archived_time, '-infinity')
            THEN s.last_failed_wal END,
       CASE WHEN r.in_recovery
            THEN (1000000 * extract(epoch FROM pg_last_xact_replay_timestamp()))::bigint END
FROM (SELECT pg_is_in_recovery() AS in_recovery) r,
     (SELECT max(pid) FILTER (WHERE backend_type = 'startup') AS startup_pid,
             max(wait_event) FILTER (WHERE backend_type = 'startup') AS startup_wait,
             max(pid) FILTER (WHERE backend_type = 'archiver') AS archiver_pid,
             count(*) FILTER (WHERE backend_type = 'client backend'
                                AND application_name <> 'baton-agent') AS clients
      FROM pg_stat_activity) a,
     pg_stat_archiver s)";

constexpr char kSettingsQuery[] = R"(
SELECT name, reset_val, '' FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'archive_mode', 'archive_command', 'restore_command',
               'recovery_target_timeline', 'wal_level', 'hot_standby', 'zero_damaged_pages',
               'synchronous_commit', 'restart_after_crash')
UNION ALL
SELECT split_part(c, '=', 1), split_part(c, '=', 2),
       concat_ws(' in ', 'role ' || (SELECT rolname FROM pg_roles WHERE oid = setrole),
                         'database ' || (SELECT datname FROM pg_database WHERE oid = setdatabase))
FROM pg_db_role_setting, unnest(setconfig) AS c WHERE c LIKE 'synchronous_commit=%'
ORDER BY 3, 1)";

// The timeline that a standby replays: the control file may lag behind by a restart point, the
// startup process's title names the file that it reads.
uint32_t ReplayTimeline(uint32_t from_control_file, const std::string& title) {
  const std::optional<StartupTitle> parsed = ParseStartupTitle(title);
  if (!parsed.has_value()) return from_control_file;
  // The first eight digits are the timeline whatever the segment size is.
  const std::optional<WalSegment> segment = ParseWalSegmentName(parsed->segment, 1 << 20);
  return segment.has_value() ? std::max(from_control_file, segment->timeline) : from_control_file;
}

uint32_t TimelineOfName(const std::string& name, uint32_t fallback) {
  const std::optional<WalSegment> segment = ParseWalSegmentName(name, 1 << 20);
  return segment.has_value() ? segment->timeline : fallback;
}

std::string JudgeSetting(const Setting& setting) {
  struct Rule {
    const char* name;
    std::vector<std::string> good;  // empty: anything but nothing
    const char* wanted;
  };
  static const auto* const kRules = new std::vector<Rule>{
      {"fsync", {"on"}, "on: a power cut would lose or damage what was acknowledged"},
      {"full_page_writes", {"on"}, "on: a power cut would damage pages"},
      {"zero_damaged_pages", {"off"}, "off: damaged rows would vanish in silence"},
      {"synchronous_commit",
       {"on", "remote_apply"},
       "on: what is acknowledged would not be on disk yet"},
      {"wal_level", {"replica", "logical"}, "replica: a standby could not follow"},
      {"archive_mode", {"on", "always"}, "on: nothing would be shipped"},
      {"archive_command", {}, "baton-guard archive-push: nothing would be shipped"},
      {"restore_command", {}, "baton-guard archive-fetch: it could not follow as a standby"},
      {"recovery_target_timeline", {"latest"}, "latest: it could not follow a promotion"},
      {"hot_standby", {"on"}, "on: a standby could not be looked at"},
      {"restart_after_crash",
       {"off"},
       "off: a server that lost a process would start anew past the gate"},
  };
  for (const Rule& rule : *kRules) {
    if (setting.name != rule.name) continue;
    const bool good = rule.good.empty() ? !setting.value.empty()
                                        : std::find(rule.good.begin(), rule.good.end(),
                                                    setting.value) != rule.good.end();
    if (good) return "";
    const std::string scope = setting.scope.empty() ? "" : " of " + setting.scope;
    return absl::StrCat(setting.name, scope, ": found \"", setting.value, "\", wanted ",
                        rule.wanted);
  }
  return "";
}

}  // namespace

std::string ProcessTitle(int64_t pid) {
  if (pid <= 0) return "";
  absl::StatusOr<std::string> title =
      ReadFile(absl::StrCat("/proc/", pid, "/cmdline"), kTitleBytesMax);
  if (!title.ok()) return "";
  while (!title->empty() && (title->back() == '\0' || title->back() == ' ')) title->pop_back();
  return *std::move(title);
}

absl::StatusOr<ServerView> ViewServer(PostgresqlConnection* connection, absl::Duration timeout) {
  BATON_ASSIGN_OR_RETURN(const Rows rows, connection->Query(kViewQuery, timeout));
  if (rows.size() != 1) return absl::InternalError("PostgreSQL: a look gave no row");
  ServerView view;
  view.in_recovery = rows.True(0, 0);
  view.superuser = rows.True(0, 1);
  // "15.18 (Debian 15.18-0+deb12u1)": the number is enough.
  view.version = std::string(*absl::StrSplit(rows.Text(0, 2), ' ').begin());
  view.system_id = rows.Text(0, 3);
  if (!rows.IsNull(0, 4)) {
    BATON_ASSIGN_OR_RETURN(view.position.lsn, ParseLsn(rows.Text(0, 4)));
  }
  const uint32_t control_timeline = static_cast<uint32_t>(rows.Number(0, 6));
  view.replay_paused = rows.True(0, 7);
  view.lag = std::max(absl::ZeroDuration(), absl::Milliseconds(rows.Number(0, 8)));
  view.startup_pid = rows.Number(0, 9);
  view.end_of_log = rows.True(0, 10);
  view.archiver_pid = rows.Number(0, 11);
  view.client_sessions = static_cast<uint64_t>(rows.Number(0, 12));
  view.last_archived = rows.Text(0, 13);
  view.failing_file = rows.Text(0, 14);
  if (!rows.IsNull(0, 15)) view.last_commit = absl::FromUnixMicros(rows.Number(0, 15));
  if (view.in_recovery) {
    view.startup_title = ProcessTitle(view.startup_pid);
    view.position.timeline = ReplayTimeline(control_timeline, view.startup_title);
  } else {
    view.position.timeline = TimelineOfName(rows.Text(0, 5), control_timeline);
  }
  return view;
}

std::string JudgeSettings(const std::vector<Setting>& settings) {
  std::vector<std::string> findings;
  for (const Setting& setting : settings) {
    std::string finding = JudgeSetting(setting);
    if (!finding.empty()) findings.push_back(std::move(finding));
  }
  return absl::StrJoin(findings, "; ");
}

absl::StatusOr<std::string> EndangeringSettings(PostgresqlConnection* connection,
                                                absl::Duration timeout) {
  BATON_ASSIGN_OR_RETURN(const Rows rows, connection->Query(kSettingsQuery, timeout));
  std::vector<Setting> settings;
  for (int row = 0; row < rows.size(); ++row) {
    settings.push_back({rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2)});
  }
  return JudgeSettings(settings);
}

}  // namespace baton::postgresql
