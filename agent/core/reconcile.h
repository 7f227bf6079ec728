// Which fence holds when an agent starts: the stricter of file and ledger (protocol.md "The fence
// file"). Pure.
#pragma once

#include <optional>
#include <string>

#include "common/protocol/fence_state.h"
#include "common/protocol/ids.h"
#include "common/protocol/observation.h"

namespace baton::agent {

struct FenceFacts {
  PoolId pool;
  ResourceId resource;
  std::optional<FenceRecord> file;    // none: missing, unreadable or not understood
  std::optional<FenceRecord> ledger;  // the last one entered; none: never
  LedgerId ledger_id;
  BootId boot;
};

struct FenceReconciliation {
  std::optional<FenceRecord> record;  // what holds; none: nothing is known, hence closed
  bool write_ledger = false;
  bool write_file = false;
  std::string note;  // what was changed and why, for people; empty: nothing
};

// Phases are ordered open < unconfirmed < closing < closed as effective in this boot; the stricter
// record holds as a whole, the ledger's where both are as strict, with the higher fence epoch.
// Writable in both but under different rights is unconfirmed under the newer one. `open` written
// under another ledger is unconfirmed.
FenceReconciliation ReconcileFence(const FenceFacts& facts);

// What holds where the file was lost, also if someone has fenced by hand since: closed, with the
// lineages that the ledger knows. None: the file stands for itself, or the ledger knows nothing.
std::optional<FenceRecord> WithoutFile(const std::optional<FenceRecord>& file,
                                       const std::optional<FenceRecord>& ledger);

// The one of the higher epoch; `a` where they are alike.
std::optional<Lineage> NewerRight(const std::optional<Lineage>& a, const std::optional<Lineage>& b);

// Does `record` show that Revoke under `epoch` comes too late: that a right was given under this one
// or a later one? A fence that was closed under a higher one, by hand say, only does more than it.
bool OutdatesRevoke(const FenceRecord& record, const Epoch& epoch);

// `record` after its right was taken under `epoch`: closing while it names a log that was not
// shipped to its end, else closed; never looser than it was. What ships no log, a chat server,
// names no right any more.
FenceRecord TakeRight(FenceRecord record, const Epoch& epoch);

// Like EffectivePhase, and unconfirmed where the boot is not known.
FencePhase PhaseInBoot(const FenceRecord& record, const BootId& boot);

// The fence of `record` as it is told. None: closed, not readable.
FenceSummary Summarize(const std::optional<FenceRecord>& record, const BootId& boot);

// `seen`, made stricter by what the ledger holds.
FenceSummary Stricter(const FenceSummary& seen, const std::optional<FenceRecord>& ledger,
                      const BootId& boot);

}  // namespace baton::agent
