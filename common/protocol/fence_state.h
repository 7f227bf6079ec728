// The fence of one resource and the gate's verdict on it: pure, shared by guard, agent, coordinator
// and simulation (protocol.md "The fence file", "The gate", "Archives have lineage").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "common/protocol/epoch.h"
#include "common/protocol/ids.h"
#include "common/protocol/position.h"

namespace baton {

enum class FencePhase {
  kOpen,         // may write
  kUnconfirmed,  // nothing starts writable; what runs goes on and ships
  kClosing,      // must stop; ships
  kClosed,       // must stop; does not ship either
};
std::string_view ToString(FencePhase phase);

// One directory of an archive: what one instance shipped under one right to write. Its path below a
// share's root is LineageDirectory(). Two promotions of one database never share a directory.
struct Lineage {
  std::string system_id;              // the database's own identity (PostgreSQL: system identifier)
  Epoch epoch;                        // under which the instance wrote
  HostId instance;                    // the host of the instance that wrote
  ShareId share;                      // the share it was written to
  std::optional<LogPosition> sealed;  // the last record that may be served; none: still growing

  friend bool operator==(const Lineage&, const Lineage&) = default;
};
// "POOL/RESOURCE/SYSTEM_ID/EPOCH-INSTANCE"
std::string LineageDirectory(const PoolId& pool, const ResourceId& resource,
                             const Lineage& lineage);

// What a fence file says. The phase as written; EffectivePhase() tells what it means in this boot.
struct FenceRecord {
  PoolId pool;
  ResourceId resource;
  FencePhase phase = FencePhase::kClosed;
  Epoch fence_epoch;             // the highest epoch ever seen here
  std::optional<Lineage> write;  // what it may write and ship (its epoch: the write epoch)
  std::vector<Lineage> fetch;    // what it may restore from, oldest first
  LedgerId ledger;               // the agent ledger that this file was written under
  BootId confirmed_boot;         // the boot in which `open` was last confirmed

  friend bool operator==(const FenceRecord&, const FenceRecord&) = default;
};

// `open` confirmed in another boot is kUnconfirmed; everything else is what it says.
FencePhase EffectivePhase(const FenceRecord& record, const BootId& boot);

// Text form: "key = value" lines, ending in a checksum line. Parse refuses (DATA_LOSS) text that is
// cut short, altered or of an unknown format; the caller then treats the resource as closed.
std::string FormatFenceRecord(const FenceRecord& record);
absl::StatusOr<FenceRecord> ParseFenceRecord(std::string_view text);

enum class GateVerdict { kReadWrite, kStandby, kRefuse };
std::string_view ToString(GateVerdict verdict);

// What the gate sees of its host. Everything is as observed while the shared lock is held.
struct GateFacts {
  std::optional<FenceRecord> fence;  // none: missing, unreadable or not understood
  BootId boot;
  bool is_database = false;          // false: a chat server, which knows no standby
  bool data_directory_whole = true;  // present and without a "half rewound/restored" marker
  bool standby_signal = false;
  bool recovery_signal = false;
  bool was_in_recovery = false;  // when it last ran it was a standby, not promoted to the end
};
struct GateDecision {
  GateVerdict verdict = GateVerdict::kRefuse;
  std::string reason;  // what was found, and what to do next; for people
};
// Pure. A database that is open and confirmed but carries standby.signal is kStandby: it can only
// start read-only, whatever its right.
GateDecision JudgeGate(const GateFacts& facts);

}  // namespace baton
