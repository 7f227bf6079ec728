// Every action that a coordinator can ask of an agent: engine-neutral, typed, idempotent, verified
// by looking. The table action × engine (precondition, postcondition, proof, undo) is in
// deploy/GUIDE.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/fence_state.h"
#include "common/protocol/ids.h"
#include "common/protocol/position.h"

namespace baton {

enum class InstanceRole { kPrimary, kPrimaryMirror, kBackup, kBackupMirror };
std::string_view ToString(InstanceRole role);

// --- database ---

// Looks, changes nothing but, with `checkpoint`, asks for a CHECKPOINT so that a later stop is
// quick. Fails unless the instance is in `role`, healthy, and of `system_id` (empty: any).
struct CheckDatabase {
  InstanceRole role = InstanceRole::kPrimary;
  std::string system_id;
  bool checkpoint = false;
  bool running = true;  // false: a stopped instance with the role's signal files is fine too
};
// Ends every client session by terminate, never by cancel.
struct EndConnections {};
// Fence phase `closing`: stopped, only startable read-only. Outcome: proof that nothing started
// under an older fence lives. A running read-only standby is fenced without a stop.
struct Fence {};
// Gives the right to write: fence `open` with `write` and confirmed in this boot, standby.signal
// gone, started read-write. Never on an instance whose log was shipped to its end: that one is
// promoted.
struct Unfence {
  Lineage write;
};
struct Start {};  // through the gate, as what the fence and signal files allow
struct Stop {};   // clean and bounded; stays stopped until told to start
// Fence `closed`, fetch lineage set, standby.signal in place, running read-only and following.
struct StartStandby {
  std::vector<Lineage> fetch;
};
// After Fence: ships every file still `.ready`, in order, then the tail; then phase `closed`.
// Outcome: final_position.
struct ShipTail {};
// On the backup: records `fetch` (with its seals) in the fence file, then copies every file of it
// that is in a share but not in the copy destination. Outcome: bytes_copied.
struct CopyPendingLogs {
  std::vector<Lineage> fetch;
};
// Waits until the backup has applied the record at `until`. Outcome: final_position = what is
// applied.
struct ApplyPendingLogs {
  LogPosition until;
};
// Fence `unconfirmed` with `write`, promotes, looks that a new timeline takes writes, then `open`.
struct Recover {
  Lineage write;
};

// --- chat ---

// Looks: configuration readable, in the state wanted.
struct CheckChat {
  bool running = true;
};
struct Drain {};  // new clients refused first, then sessions ended
struct Deactivate {
};  // fence closed, process stopped: no listener, no session, no database connection
struct Activate {};  // fence open and confirmed, started through the gate, listener serves
// Which database instance to use from the next start on. Refused while the server runs.
struct PointAt {
  HostId instance;
};
// Posts a message in the reserved room and reads it back from history.
struct Canary {};

using Action = std::variant<CheckDatabase, EndConnections, Fence, Unfence, Start, Stop,
                            StartStandby, ShipTail, CopyPendingLogs, ApplyPendingLogs, Recover,
                            CheckChat, Drain, Deactivate, Activate, PointAt, Canary>;

// "ShipTail"
std::string_view ActionName(const Action& action);
// One line for people: "ShipTail", "ApplyPendingLogs until 1:0/3000060", "PointAt dr-sql1".
std::string Describe(const Action& action);

// An order to one agent. Valid only in the session that carried it; the same id never acts twice.
struct Command {
  CommandId id;
  PlanId plan;
  PoolId pool;
  ResourceId resource;
  Epoch epoch;             // refused if lower than what the agent has seen for the pool
  uint64_t sequence = 0;   // grows with each command of a pool
  absl::Duration timeout;  // relative, from the moment the agent accepts it
  Action action;
};

}  // namespace baton
