// The fence file behind the agent's port.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "agent/core/host_ports.h"
#include "common/base/mutex.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Thread-safe. Besides the port's contract: a Write that loosens (open, unconfirmed) is refused
// with FAILED_PRECONDITION while the file holds a stricter fence that this store has neither read
// nor written: someone fenced by hand meanwhile, and whoever wants to open must have seen that.
class GuardFenceStore : public FenceStore {
 public:
  // Enters a record in the agent's ledger and returns when that is durable. Called before the file
  // changes, on the thread that called Write; its error keeps the file as it was.
  using LedgerFunction = std::function<absl::Status(const FenceRecord&)>;

  GuardFenceStore(ResourceConfig config, LedgerFunction enter_in_ledger)
      : config_(std::move(config)), enter_in_ledger_(std::move(enter_in_ledger)) {}

  absl::StatusOr<FenceRecord> Read() override;
  absl::Status Write(const FenceRecord& record) override;
  absl::Status PlaceStandbySignal() override;
  absl::Status ProveNothingRuns(absl::Duration timeout) override;
  absl::StatusOr<BootId> Boot() override;

 private:
  void Remember(const FenceRecord& record);
  absl::Status CheckSeen(const FenceRecord& before, const FenceRecord& next);

  const ResourceConfig config_;
  const LedgerFunction enter_in_ledger_;
  Mutex mutex_;
  std::optional<FenceRecord> seen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton
