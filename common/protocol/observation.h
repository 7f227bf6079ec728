// What an agent saw of a resource, and how a command ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "common/base/shared_value.h"
#include "common/protocol/epoch.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/ids.h"
#include "common/protocol/position.h"

namespace baton {

enum class DatabaseState {
  kUnknown,   // could not be looked at; `problem` says why
  kEmpty,     // no data directory, an empty one, or one that is half seeded
  kDown,      // not running; positions come from its control file
  kStarting,  // runs, answers no queries yet
  kStandby,   // read-only, in recovery
  kPrimary,   // accepts writes
};
std::string_view ToString(DatabaseState state);

// Data and log that were moved aside before their instance was seeded anew.
struct QuarantineEntry {
  std::string name;
  LogPosition fork;                                // what lies beyond exists here alone
  LogPosition end;                                 // of its log
  std::optional<uint64_t> commits;                 // beyond the fork; none: not known
  absl::Time first_commit = absl::InfinitePast();  // of those, by the writer's clock; past: none
  absl::Time last_commit = absl::InfinitePast();
  uint64_t disk_bytes = 0;
  absl::Time moved = absl::InfinitePast();  // the host's clock

  friend bool operator==(const QuarantineEntry&, const QuarantineEntry&) = default;
};
// Entries that an observation shows, newest first.
inline constexpr size_t kQuarantineShownMax = 16;

struct DatabaseObservation {
  DatabaseState state = DatabaseState::kUnknown;
  std::string system_id;
  std::string version;          // "15.18"
  LogPosition position;         // primary: end of log; standby: replayed; down: last checkpoint
  LogPosition log_end;          // down only: about where its own log ends; none: not known
  bool clean_shutdown = false;  // down only: the control file says "shut down"
  bool in_recovery = false;     // down only: it was a standby when it last ran, by its control file
  bool standby_signal = false;
  bool archiving = false;       // primary: the archiver runs and its last try did not fail
  std::string last_archived;    // file name; empty: none since the statistics were reset
  std::string archive_failure;  // why the last try failed; empty: it did not
  uint64_t ready_files = 0;     // log files waiting to be shipped
  uint64_t lag_bytes = 0;       // standby: known in its share or copy destination, not yet applied
  absl::Duration lag = absl::ZeroDuration();  // standby: age of the last applied transaction
  // Standby: when the last applied transaction was committed, by the writer's clock. Past: none.
  absl::Time last_commit = absl::InfinitePast();
  std::string gap;            // standby: the log file that is missing while later ones are there
  std::string share_problem;  // standby: why a share that it fetches from cannot be read
  uint64_t client_sessions = 0;
  std::vector<QuarantineEntry> quarantine;
  std::string problem;  // a setting that endangers data (fsync=off), a failed look; empty: fine

  friend bool operator==(const DatabaseObservation&, const DatabaseObservation&) = default;
};

enum class ChatState { kUnknown, kDown, kDraining, kServing };
std::string_view ToString(ChatState state);

struct ChatObservation {
  ChatState state = ChatState::kUnknown;
  HostId points_at;    // database instance; empty: not set
  uint64_t users = 0;  // distinct accounts online
  uint64_t sessions = 0;
  uint64_t rooms = 0;
  std::string problem;

  friend bool operator==(const ChatObservation&, const ChatObservation&) = default;
};

// The fence as the agent holds it: the stricter of file and ledger.
struct FenceSummary {
  FencePhase phase = FencePhase::kClosed;  // effective in this boot
  Epoch fence_epoch;
  Epoch write_epoch;  // none: holds no right
  bool file_readable = false;
  bool proven = false;  // closed/closing only: nothing that could write is alive
  // Where the log under `write_epoch` was found to end, all of it shipped; none: it was not shipped
  // to its end. A closed fence alone does not tell: a lost file closes one too.
  std::optional<LogPosition> sealed = std::nullopt;

  friend bool operator==(const FenceSummary&, const FenceSummary&) = default;
};

struct Observation {
  ResourceId resource;
  PoolId pool;
  FenceSummary fence;
  std::variant<std::monostate, DatabaseObservation, ChatObservation> detail;
  bool service_managed = false;  // its supervisor answers
  absl::Duration age =
      absl::ZeroDuration();  // since it was made, on the agent's own monotonic clock

  const DatabaseObservation* database() const { return std::get_if<DatabaseObservation>(&detail); }
  const ChatObservation* chat() const { return std::get_if<ChatObservation>(&detail); }
  friend bool operator==(const Observation&, const Observation&) = default;
};

enum class OutcomeCode {
  kOk,       // the postcondition was seen to hold
  kFailed,   // tried; the postcondition does not hold
  kRefused,  // not tried: precondition, epoch or host forbade it
  kCancelled,
  kUnknown,  // nobody knows whether it took effect: look again
};
std::string_view ToString(OutcomeCode code);

struct Outcome {
  OutcomeCode code = OutcomeCode::kUnknown;
  std::string reason;                    // UPPER_SNAKE, stable, for programs; empty when kOk
  std::string message;                   // found, wanted, what to do; for people
  std::optional<LogPosition> position;   // ShipTail: final; ApplyPendingLogs, Recover: applied/new
  std::string system_id;                 // databases
  uint64_t bytes = 0;                    // CopyPendingLogs, ShipTail: moved
  SharedValue<Observation> observation;  // made after acting

  bool ok() const { return code == OutcomeCode::kOk; }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome OkOutcome();
Outcome FailedOutcome(std::string reason, std::string message);
Outcome RefusedOutcome(std::string reason, std::string message);

}  // namespace baton
