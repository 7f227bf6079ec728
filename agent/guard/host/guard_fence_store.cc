#include "agent/guard/host/guard_fence_store.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/guard/fence_file.h"
#include "common/base/status_macros.h"
#include "common/os/boot.h"
#include "common/os/file.h"
#include "common/os/lock.h"

namespace baton {

namespace {

bool IsStrict(const FenceRecord& record) {
  return record.phase == FencePhase::kClosing || record.phase == FencePhase::kClosed;
}

}  // namespace

void GuardFenceStore::Remember(const FenceRecord& record) {
  MutexLock lock(&mutex_);
  seen_ = record;
}

absl::Status GuardFenceStore::CheckSeen(const FenceRecord& before, const FenceRecord& next) {
  if (!IsStrict(before) || IsStrict(next)) return absl::OkStatus();
  MutexLock lock(&mutex_);
  if (seen_ == before) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(config_.fence_file, ": found it ", std::string(ToString(before.phase)),
                   " under epoch ", before.fence_epoch.ToString(),
                   ", written by someone else since it was last read; look at it "
                   "again before opening it"));
}

absl::StatusOr<FenceRecord> GuardFenceStore::Read() {
  absl::StatusOr<FenceRecord> record = ReadFenceFile(config_);
  if (record.ok()) Remember(*record);
  return record;
}

absl::Status GuardFenceStore::Write(const FenceRecord& record) {
  BATON_RETURN_IF_ERROR(MakeDirectories(DirectoryOf(config_.fence_file), 0755));
  // Not the lock that people and supervisors wait for: the ledger may take long. Without it the
  // later entry in the ledger could belong to the earlier file.
  absl::StatusOr<FileLock> in_order =
      FileLock::Take(config_.fence_file + ".store", LockMode::kExclusive, kFenceEditWait);
  if (absl::IsDeadlineExceeded(in_order.status())) {
    return absl::UnavailableError(
        absl::StrCat(config_.fence_file, " was not written: ", in_order.status().message()));
  }
  if (!in_order.ok()) return in_order.status();
  const ScopedFileLock writing(*std::move(in_order));
  BATON_RETURN_IF_ERROR(UpdateFenceFile(
      config_,
      [&](const absl::StatusOr<FenceRecord>& before) -> absl::StatusOr<FenceRecord> {
        if (before.ok()) BATON_RETURN_IF_ERROR(CheckSeen(*before, record));
        return record;
      },
      enter_in_ledger_));
  Remember(record);
  return absl::OkStatus();
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
