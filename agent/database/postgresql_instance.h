// One PostgreSQL instance of this host, as probe and runner see it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/database/control_data.h"
#include "agent/database/interrupt.h"
#include "agent/database/postgresql_connection.h"
#include "agent/database/postgresql_host.h"
#include "agent/database/server_view.h"
#include "agent/database/wal_files.h"

namespace baton::postgresql {

// Thread-compatible: one for each worker thread. Keeps one connection open between calls.
class PostgresqlInstance {
 public:
  // FAILED_PRECONDITION or INVALID_ARGUMENT naming the key of the resource file that is at fault.
  // `interrupt` must outlive the instance.
  static absl::StatusOr<std::unique_ptr<PostgresqlInstance>> Create(const PostgresqlHost& host,
                                                                    const Interrupt* interrupt);

  const ResourceConfig& config() const { return host_.config; }
  FenceStore& fences() const { return *host_.fences; }
  ServiceManager& service() const { return *host_.service; }
  ArchiveStore& archive() const { return *host_.archive; }
  const Clock& clock() const { return *host_.clock; }
  const std::string& bin_directory() const { return bin_directory_; }
  // As PostgresqlHost's, for the programs of `bin_directory`.
  const std::function<absl::Status(const ProcessId&)>& before_start() const {
    return host_.before_start;
  }
  std::string StandbySignalFile() const { return config().data_directory + "/standby.signal"; }

  // RunOptions::before_start of a child that acts for the running command.
  absl::Status EnterChild(const ProcessId& child) const {
    return host_.enter_child == nullptr ? absl::OkStatus() : host_.enter_child(child);
  }

  absl::StatusOr<ControlData> Control() const;
  WalFolder Wal(const ControlData& control) const {
    return WalFolder(config().data_directory, control.segment_bytes);
  }
  absl::StatusOr<bool> HasStandbySignal() const;
  // What ran last on the data directory took writes. Not so of a base backup that was never started
  // (it holds a backup_label), whatever its control file says.
  absl::StatusOr<bool> WroteLast(const ControlData& control) const;

  // The fence file; what is missing or not understood is closed, with epoch 0.0.
  absl::StatusOr<FenceRecord> Fence() const;

  // The open connection, or a new one. Errors as PostgresqlConnection::Connect. The pointer is good
  // until the next call of this or of View.
  absl::StatusOr<PostgresqlConnection*> Connected(absl::Duration timeout);
  // One look at the server; tried again on a new connection if the open one turns out to be stale.
  absl::StatusOr<ServerView> View(absl::Duration timeout);
  void Disconnect() { connection_.reset(); }

 private:
  PostgresqlInstance(PostgresqlHost host, PostgresqlEndpoint endpoint, std::string bin_directory,
                     const Interrupt* interrupt);

  PostgresqlHost host_;
  PostgresqlEndpoint endpoint_;
  std::string bin_directory_;
  const Interrupt* interrupt_;
  std::optional<PostgresqlConnection> connection_;
};

}  // namespace baton::postgresql
