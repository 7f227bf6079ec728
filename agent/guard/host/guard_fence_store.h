// The fence file behind the agent's port.
#pragma once

#include <functional>
#include <utility>

#include "agent/core/host_ports.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Thread-safe: all state is on disk, behind locks between processes.
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
  const ResourceConfig config_;
  const LedgerFunction enter_in_ledger_;
};

}  // namespace baton
