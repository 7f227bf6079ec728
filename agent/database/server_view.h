// One look at a PostgreSQL server that answers queries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/database/postgresql_connection.h"
#include "common/protocol/position.h"

namespace baton::postgresql {

struct ServerView {
  bool in_recovery = false;
  bool superuser = false;  // are we?
  std::string version;     // "15.18"
  std::string system_id;
  LogPosition position;     // primary: end of the durable log; standby: end of what is replayed
  int64_t startup_pid = 0;  // standby: the process that replays
  std::string startup_title;
  bool replay_paused = false;
  bool end_of_log = false;  // standby: has replayed all it can get and waits before it asks again
  absl::Duration lag = absl::ZeroDuration();  // standby: age of the last applied transaction
  // Standby: when the last applied transaction was committed, by the writer's clock. Past: none.
  absl::Time last_commit = absl::InfinitePast();
  int64_t archiver_pid = 0;  // 0: none runs
  std::string last_archived;
  std::string failing_file;      // the archiver's last try failed, at this file
  uint64_t client_sessions = 0;  // all but Baton's own
};

// UNAVAILABLE, DEADLINE_EXCEEDED, …: as PostgresqlConnection::Query.
absl::StatusOr<ServerView> ViewServer(PostgresqlConnection* connection, absl::Duration timeout);

// The title that a process shows to ps; empty: no such process. Reads /proc.
std::string ProcessTitle(int64_t pid);

// What of the server's settings endangers data or a move, as text for people: fsync off,
// synchronous_commit below `on` for anybody, full_page_writes or archive_mode off, … Empty:
// nothing.
absl::StatusOr<std::string> EndangeringSettings(PostgresqlConnection* connection,
                                                absl::Duration timeout);

struct Setting {
  std::string name;
  std::string value;
  std::string scope;  // whom it applies to: "role chat"; empty: everybody
};
// Pure: the judgement of EndangeringSettings.
std::string JudgeSettings(const std::vector<Setting>& settings);

}  // namespace baton::postgresql
