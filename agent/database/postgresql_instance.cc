#include "agent/database/postgresql_instance.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kControlTimeout = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresqlInstance>> PostgresqlInstance::Create(
    const PostgresqlHost& host, const Interrupt* interrupt) {
  BATON_ASSIGN_OR_RETURN(PostgresqlEndpoint endpoint, EndpointOf(host.config));
  BATON_ASSIGN_OR_RETURN(std::string bin_directory, host.config.Engine("bin_directory"));
  return std::unique_ptr<PostgresqlInstance>(
      new PostgresqlInstance(host, std::move(endpoint), std::move(bin_directory), interrupt));
}

PostgresqlInstance::PostgresqlInstance(PostgresqlHost host, PostgresqlEndpoint endpoint,
                                       std::string bin_directory, const Interrupt* interrupt)
    : host_(std::move(host)),
      endpoint_(std::move(endpoint)),
      bin_directory_(std::move(bin_directory)),
      interrupt_(interrupt) {}

absl::StatusOr<ControlData> PostgresqlInstance::Control() const {
  return ReadControlData(bin_directory_, config().data_directory, kControlTimeout, before_start());
}

absl::StatusOr<bool> PostgresqlInstance::HasStandbySignal() const {
  return Exists(StandbySignalFile());
}

absl::StatusOr<bool> PostgresqlInstance::WroteLast(const ControlData& control) const {
  if (!control.wrote_last()) return false;
  BATON_ASSIGN_OR_RETURN(const bool copy, Exists(config().data_directory + "/backup_label"));
  return !copy;
}

absl::StatusOr<FenceRecord> PostgresqlInstance::Fence() const {
  absl::StatusOr<FenceRecord> record = fences().Read();
  if (!absl::IsNotFound(record.status()) && !absl::IsDataLoss(record.status())) return record;
  FenceRecord closed;
  closed.pool = config().pool;
  closed.resource = config().resource;
  return closed;
}

absl::StatusOr<PostgresqlConnection*> PostgresqlInstance::Connected(absl::Duration timeout) {
  if (connection_.has_value() && connection_->Usable()) return &*connection_;
  connection_.reset();
  BATON_ASSIGN_OR_RETURN(connection_,
                         PostgresqlConnection::Connect(endpoint_, timeout, interrupt_));
  return &*connection_;
}

absl::StatusOr<ServerView> PostgresqlInstance::View(absl::Duration timeout) {
  const bool was_open = connection_.has_value();
  BATON_ASSIGN_OR_RETURN(PostgresqlConnection * connection, Connected(timeout));
  absl::StatusOr<ServerView> view = ViewServer(connection, timeout);
  if (!absl::IsUnavailable(view.status()) || !was_open) return view;
  BATON_ASSIGN_OR_RETURN(connection, Connected(timeout));
  return ViewServer(connection, timeout);
}

}  // namespace baton::postgresql
