#include "agent/guard/host/guard_fence_store.h"

#include "agent/guard/fence_file.h"
#include "common/base/status_macros.h"
#include "common/os/boot.h"

namespace baton {

absl::StatusOr<FenceRecord> GuardFenceStore::Read() { return ReadFenceFile(config_); }

absl::Status GuardFenceStore::Write(const FenceRecord& record) {
  return UpdateFenceFile(
      config_, [&record](const absl::StatusOr<FenceRecord>&) { return record; }, enter_in_ledger_);
}

absl::Status GuardFenceStore::PlaceStandbySignal() { return baton::PlaceStandbySignal(config_); }

absl::Status GuardFenceStore::ProveNothingRuns(absl::Duration timeout) {
  return baton::ProveNothingRuns(config_, timeout);
}

absl::StatusOr<BootId> GuardFenceStore::Boot() {
  BATON_ASSIGN_OR_RETURN(std::string id, ReadBootId(config_.boot_id_file));
  return BootId(std::move(id));
}

}  // namespace baton
