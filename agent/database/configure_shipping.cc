// ConfigureLogShipping: the settings of log shipping, the same on both sides.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);
constexpr absl::Duration kReloadTimeout = absl::Seconds(10);
constexpr absl::Duration kPoll = absl::Milliseconds(5);
constexpr size_t kSettingsBytesMax = 64 * 1024;

using Settings = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<Settings> WantedSettings(PostgresqlInstance& instance) {
  BATON_ASSIGN_OR_RETURN(const ShippingCommands commands, instance.archive().Commands());
  return Settings{{"wal_level", "replica"},
                  {"hot_standby", "on"},
                  {"wal_log_hints", "on"},
                  {"archive_mode", "on"},
                  {"archive_timeout", "1s"},
                  {"archive_command", commands.archive},
                  {"restore_command", commands.restore},
                  {"wal_retrieve_retry_interval", "100ms"},
                  {"recovery_target_timeline", "latest"},
                  {"max_standby_archive_delay", "0"},
                  {"restart_after_crash", "off"}};
}

std::string TextOf(const Settings& settings) {
  std::string text =
      "# Written by baton-agent (ConfigureLogShipping); the next run writes it anew.\n"
      "# The same on both sides: who serves is decided by standby.signal and the fence file.\n";
  for (const auto& [name, value] : settings) {
    absl::StrAppend(&text, name, " = '", absl::StrReplaceAll(value, {{"'", "''"}}), "'\n");
  }
  return text;
}

// Has the server taken the file in? Names those of its settings that wait for a restart.
absl::StatusOr<std::vector<std::string>> LookWhatWasRead(ActionContext* context,
                                                         const std::string& file, size_t settings) {
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection,
                         context->instance().Connected(context->Left()));
  BATON_ASSIGN_OR_RETURN(
      const Rows rows,
      connection->Query("SELECT s.name, s.pending_restart, "
                        "f.error IS NOT NULL AND f.error <> 'setting could not be applied', "
                        "f.error FROM pg_file_settings f LEFT JOIN pg_settings s USING (name) "
                        "WHERE f.sourcefile = $1 ORDER BY f.seqno",
                        {file}, context->Left()));
  if (rows.size() < static_cast<int>(settings)) {
    return Failure("NOT_INCLUDED",
                   absl::StrCat("the server reads ", rows.size(), " settings from ", file,
                                ", wanted ", settings, "; add \"include_if_exists = '", file,
                                "'\" at the end of its configuration file"));
  }
  std::vector<std::string> waiting;
  for (int row = 0; row < rows.size(); ++row) {
    if (rows.True(row, 2)) {
      return Failure("NOT_READ",
                     absl::StrCat(file, ": ", rows.Text(row, 0), ": ", rows.Text(row, 3)));
    }
    if (rows.True(row, 1)) waiting.push_back(rows.Text(row, 0));
  }
  return waiting;
}

// The session that asks reads the file when the server does. archive_command is not shown while
// archive_mode waits for a restart.
absl::StatusOr<bool> IsInForce(ActionContext* context, const Settings& settings) {
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection,
                         context->instance().Connected(context->Left()));
  const auto restore = std::find_if(settings.begin(), settings.end(), [](const auto& setting) {
    return setting.first == "restore_command";
  });
  BATON_ASSIGN_OR_RETURN(const Rows rows,
                         connection->Query("SELECT current_setting('restore_command') = $1",
                                           {restore->second}, context->Left()));
  return rows.True(0, 0);
}

}  // namespace

absl::StatusOr<Outcome> LookAtSettings(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const std::string file, instance.config().Engine("settings_file"));
  BATON_ASSIGN_OR_RETURN(const Settings settings, WantedSettings(instance));
  const absl::StatusOr<std::string> found = ReadFile(file, kSettingsBytesMax);
  if (found.ok() && *found == TextOf(settings)) return OkOutcome();
  return Unsure("NOT_SEEN", absl::StrCat(file, " does not hold the settings"));
}

absl::StatusOr<Outcome> Act(ActionContext* context, const ConfigureLogShipping& action) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(const std::string file, instance.config().Engine("settings_file"));
  BATON_ASSIGN_OR_RETURN(const Settings settings, WantedSettings(instance));
  if (action.prepare_share) {
    BATON_RETURN_IF_ERROR(instance.archive().PrepareShare());
    context->Did("share prepared");
  }
  const absl::StatusOr<std::string> found = ReadFile(file, kSettingsBytesMax);
  if (!found.ok() || *found != TextOf(settings)) {
    BATON_RETURN_IF_ERROR(WriteFileDurably(file, TextOf(settings), 0644));
    context->Did(absl::StrCat(file, " written"));
  }
  Outcome outcome = OkOutcome();
  const absl::StatusOr<ServerView> view = instance.View(std::min(kLookTimeout, context->Left()));
  if (absl::IsNotFound(view.status())) {
    outcome.message = absl::StrCat(file, " holds the settings; the server does not run");
    return outcome;
  }
  BATON_RETURN_IF_ERROR(view.status());
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, instance.Connected(context->Left()));
  BATON_RETURN_IF_ERROR(connection->Query("SELECT pg_reload_conf()", context->Left()).status());
  const absl::Duration deadline = instance.clock().SinceBoot() + kReloadTimeout;
  bool in_force = false;
  while (!in_force && instance.clock().SinceBoot() < deadline) {
    BATON_RETURN_IF_ERROR(context->Wait(kPoll));
    BATON_ASSIGN_OR_RETURN(in_force, IsInForce(context, settings));
  }
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> waiting,
                         LookWhatWasRead(context, file, settings.size()));
  if (!in_force) {
    return Failure("OVERRIDDEN", absl::StrCat("restore_command is not the one of ", file,
                                              ": something after it, or the command line, sets "
                                              "another"));
  }
  outcome.system_id = view->system_id;
  outcome.message = waiting.empty()
                        ? absl::StrCat("the server has read ", file)
                        : absl::StrCat("the server has read ", file,
                                       "; wait for a restart: ", absl::StrJoin(waiting, ", "));
  return outcome;
}

}  // namespace baton::postgresql
