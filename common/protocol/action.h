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
// quick. Fails unless the instance is in `role`, healthy, and of `system_id` (empty: any). Without
// `checkpoint` a primary whose fence lets it ship nothing need not ship.
struct CheckDatabase {
  InstanceRole role = InstanceRole::kPrimary;
  std::string system_id;
  bool checkpoint = false;
  bool running = true;  // false: one that is stopped, or waits in a gap of its log, is fine too
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
  // Of a log that nobody ended in order (failover): enough is everything that is served, up to
  // `until`; the last record in it may be cut off.
  bool to_end = false;
};
// Fence `unconfirmed` with `write`, promotes, looks that a new timeline takes writes, then `open`.
struct Recover {
  Lineage write;
  // Of a fenced instance that wrote before and takes its right back: it replays its own log to the
  // end under standby.signal, and is promoted from there (protocol.md "Undo after the tail").
  bool own_log = false;
  // Of one that followed: what it is to have replayed, to where the last is sealed, before it is
  // promoted, whatever its fence file says; that may be lost. Empty with own_log.
  std::vector<Lineage> fetch = {};
};
// On the backup (domain.md F1): the last of `fetch` takes no more. Outcome: position = where it is
// sealed, the end of the last log file that a share or the copy destination has without a gap
// before it. From then on nothing that a late push brings is served. Refused, and nothing sealed,
// where that keeps less than `announced`.
struct StopLogShipping {
  std::vector<Lineage> fetch;
  bool without_share =
      false;  // an operator's word that the share is gone: only what was copied counts
  LogPosition announced = {};  // what the plan said would be kept; none: nothing
};
// On the backup: log that a dead instance wrote and never shipped goes from its data directory, as
// this host can read it, to the copy destination of `from`. Outcome: bytes.
struct SalvageLogs {
  Lineage from;
  std::string data_directory;
};
// The settings of log shipping, the same on both sides: role is standby.signal and fence file
// alone.
struct ConfigureLogShipping {
  bool prepare_share = false;  // an empty share gets its marker
};
// Fills an empty data directory with a copy of `source`, which serves meanwhile. The gate refuses
// what is half filled. Outcome: bytes.
struct Seed {
  HostId source;
  std::string system_id;  // of the source; another one is refused
};
// Of a fenced, stopped instance: makes room for Seed. What goes beyond `fork` is kept: data and log
// move to the quarantine as `name`; what holds nothing beyond it is removed. With `discard_bytes`,
// so is what goes at most that far beyond (an operator's word). Outcome: bytes = log beyond `fork`,
// position = the end of its log.
struct Quarantine {
  std::string system_id;  // of the data that may be moved; another one is left alone
  LogPosition fork;       // none: everything counts as beyond
  std::string name;
  std::optional<uint64_t> discard_bytes;
};
// Removes what a Quarantine kept, for good.
struct RemoveQuarantine {
  std::string name;
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

using Action =
    std::variant<CheckDatabase, EndConnections, Fence, Unfence, Start, Stop, StartStandby, ShipTail,
                 CopyPendingLogs, ApplyPendingLogs, Recover, StopLogShipping, SalvageLogs,
                 ConfigureLogShipping, Seed, Quarantine, RemoveQuarantine, CheckChat, Drain,
                 Deactivate, Activate, PointAt, Canary>;

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
