#include "agent/core/reconcile.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/base/strings.h"

namespace baton::agent {
namespace {

bool MayRunWritable(FencePhase phase) {
  return phase == FencePhase::kOpen || phase == FencePhase::kUnconfirmed;
}

// Someone fenced by hand where there was no file: it names neither a ledger nor a lineage.
bool IsMadeByHand(const FenceRecord& file) {
  return file.ledger.empty() && !MayRunWritable(file.phase) && !file.write.has_value() &&
         file.fetch.empty();
}

FenceRecord StricterOf(const FenceRecord& file, const FenceRecord& ledger, const BootId& boot) {
  const FencePhase in_file = PhaseInBoot(file, boot);
  const FencePhase in_ledger = PhaseInBoot(ledger, boot);
  FenceRecord stricter = in_file > in_ledger ? file : ledger;
  if (MayRunWritable(in_file) && MayRunWritable(in_ledger) && file.write != ledger.write) {
    // An agent that died between the two while it gave a running instance another right. What runs
    // goes on, and ships under the newer right, which alone will still be fetched from.
    const bool file_newer = file.write.has_value() &&
                            (!ledger.write.has_value() || file.write->epoch > ledger.write->epoch);
    stricter = file_newer ? file : ledger;
    stricter.phase = FencePhase::kUnconfirmed;
  }
  stricter.fence_epoch = std::max(file.fence_epoch, ledger.fence_epoch);
  return stricter;
}

}  // namespace

FencePhase PhaseInBoot(const FenceRecord& record, const BootId& boot) {
  if (boot.empty() && record.phase == FencePhase::kOpen) return FencePhase::kUnconfirmed;
  return EffectivePhase(record, boot);
}

std::optional<FenceRecord> WithoutFile(const std::optional<FenceRecord>& file,
                                       const std::optional<FenceRecord>& ledger) {
  if (!ledger.has_value() || (file.has_value() && !IsMadeByHand(*file))) return std::nullopt;
  FenceRecord holds = *ledger;
  holds.phase = FencePhase::kClosed;
  if (file.has_value()) holds.fence_epoch = std::max(file->fence_epoch, ledger->fence_epoch);
  return holds;
}

std::optional<Lineage> NewerRight(const std::optional<Lineage>& a,
                                  const std::optional<Lineage>& b) {
  const bool b_newer = b.has_value() && (!a.has_value() || b->epoch > a->epoch);
  return b_newer ? b : a;
}

bool OutdatesRevoke(const FenceRecord& record, const Epoch& epoch) {
  if (record.write.has_value() && record.write->epoch >= epoch) {
    return MayRunWritable(record.phase) || record.fence_epoch > epoch;
  }
  return MayRunWritable(record.phase) && record.fence_epoch > epoch;
}

FenceRecord TakeRight(FenceRecord record, const Epoch& epoch) {
  const bool ships = record.write.has_value() && !record.write->share.empty();
  if (record.write.has_value() && !ships) {
    record.write.reset();
    record.fetch.clear();
  }
  const bool unsealed = ships && !record.write->sealed.has_value();
  const bool closes = record.phase == FencePhase::kClosed || !unsealed;
  record.phase = closes ? FencePhase::kClosed : FencePhase::kClosing;
  record.fence_epoch = std::max(record.fence_epoch, epoch);
  return record;
}

FenceReconciliation ReconcileFence(const FenceFacts& facts) {
  FenceReconciliation result;
  if (!facts.file.has_value() && !facts.ledger.has_value()) return result;
  FenceRecord holds;
  if (!facts.file.has_value() || (facts.ledger.has_value() && IsMadeByHand(*facts.file))) {
    holds = *WithoutFile(facts.file, facts.ledger);
  } else if (!facts.ledger.has_value()) {
    holds = *facts.file;
    if (holds.phase == FencePhase::kOpen) holds.phase = FencePhase::kUnconfirmed;
  } else {
    holds = StricterOf(*facts.file, *facts.ledger, facts.boot);
  }
  if (holds.ledger != facts.ledger_id) {
    if (holds.phase == FencePhase::kOpen) holds.phase = FencePhase::kUnconfirmed;
    holds.ledger = facts.ledger_id;
  }
  holds.pool = facts.pool;
  holds.resource = facts.resource;
  result.write_ledger = facts.ledger != holds;
  result.write_file = facts.file != holds;
  if (result.write_ledger || result.write_file) {
    result.note = absl::StrCat(
        "fence of ", facts.resource.value(), ": file says ",
        facts.file.has_value() ? ToAbsl(ToString(facts.file->phase)) : "nothing readable",
        ", ledger says ",
        facts.ledger.has_value() ? ToAbsl(ToString(facts.ledger->phase)) : "nothing",
        "; now in both: ", ToAbsl(ToString(holds.phase)), ", fence epoch ",
        holds.fence_epoch.ToString());
  }
  result.record = std::move(holds);
  return result;
}

FenceSummary Summarize(const std::optional<FenceRecord>& record, const BootId& boot) {
  FenceSummary summary;
  if (!record.has_value()) return summary;
  summary.phase = PhaseInBoot(*record, boot);
  summary.fence_epoch = record->fence_epoch;
  if (record->write.has_value()) {
    summary.write_epoch = record->write->epoch;
    summary.sealed = record->write->sealed;
  }
  summary.file_readable = true;
  return summary;
}

FenceSummary Stricter(const FenceSummary& seen, const std::optional<FenceRecord>& ledger,
                      const BootId& boot) {
  FenceSummary stricter = seen;
  if (!ledger.has_value()) return stricter;
  stricter.fence_epoch = std::max(seen.fence_epoch, ledger->fence_epoch);
  // Where the file is lost, the right that it held is not forgotten.
  if (!seen.file_readable && ledger->write.has_value()) {
    stricter.write_epoch = ledger->write->epoch;
    stricter.sealed = ledger->write->sealed;
  }
  const FencePhase phase = PhaseInBoot(*ledger, boot);
  if (phase > seen.phase) {
    stricter.phase = phase;
    stricter.proven = false;
  }
  return stricter;
}

}  // namespace baton::agent
