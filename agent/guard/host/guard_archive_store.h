// The archive behind the agent's port.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/core/host_ports.h"
#include "common/os/process.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Every access to a share is a run of baton-guard: a frozen filesystem then holds a process that
// holds none of the agent's locks. Thread-safe.
class GuardArchiveStore : public ArchiveStore {
 public:
  // As RunOptions::before_start.
  using BeforeStart = std::function<absl::Status(const ProcessId&)>;

  // `config_file` is what `config` was read from; `guard_program` the path of baton-guard.
  GuardArchiveStore(ResourceConfig config, std::string config_file, std::string guard_program,
                    BeforeStart before_start = nullptr)
      : config_(std::move(config)),
        config_file_(std::move(config_file)),
        guard_program_(std::move(guard_program)),
        before_start_(std::move(before_start)) {}

  absl::Status Push(const std::string& file) override;
  absl::StatusOr<uint64_t> CopyPending(const std::vector<Lineage>& fetch,
                                       const CopyWatch& watch) override;
  absl::Status CheckShares() override;
  absl::StatusOr<ArchivedLog> List(const std::vector<Lineage>& fetch, const std::string& from,
                                   ArchivePlace place) override;
  absl::StatusOr<uint64_t> Salvage(const std::vector<Lineage>& fetch,
                                   const std::string& data_directory, const std::string& from,
                                   const CopyWatch& watch) override;
  absl::Status PrepareShare() override;
  absl::StatusOr<ShippingCommands> Commands() override;

 private:
  absl::StatusOr<RunResult> RunGuard(RunOptions options) const;
  // A run that copies, whose last line is "copied BYTES".
  absl::StatusOr<uint64_t> RunCopying(RunOptions options, const CopyWatch& watch) const;
  std::string InputOf(const std::vector<Lineage>& fetch) const;
  absl::Duration ShareTimeout() const;

  const ResourceConfig config_;
  const std::string config_file_;
  const std::string guard_program_;
  const BeforeStart before_start_;
};

}  // namespace baton
