#include "agent/chat/prosody_server.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/chat/database_file.h"
#include "common/base/status_macros.h"

namespace baton::chat {
namespace {

std::string WhyDown(const ServiceStatus& service) {
  if (!service.refused.empty())
    return absl::StrCat("the last start was refused: ", service.refused);
  return "";
}

// Without an answer of its own, a server is down only if nothing of it is there.
void JudgeSilence(const ChatSight& sight, ChatObservation* seen) {
  const std::string silence(sight.control.status().message());
  if (!sight.service.ok()) {
    seen->problem = absl::StrCat("its manager does not answer (", sight.service.status().message(),
                                 "), nor does the server: ", silence);
  } else if (sight.service->running) {
    seen->problem =
        absl::StrCat("it runs (pid ", sight.service->pid, "), but does not answer: ", silence);
  } else if (!sight.refuses_clients.ok()) {
    seen->problem = absl::StrCat("its manager says that it does not run, but ",
                                 sight.refuses_clients.message());
  } else {
    seen->state = ChatState::kDown;
    seen->problem = WhyDown(*sight.service);
  }
}

}  // namespace

ChatObservation Judge(const ChatSight& sight) {
  ChatObservation seen;
  if (sight.in_file.ok()) {
    seen.points_at = *sight.in_file;
  } else if (!absl::IsNotFound(sight.in_file.status())) {
    seen.problem = std::string(sight.in_file.status().message());
  }
  if (!sight.control.ok()) {
    const std::string file_problem = std::exchange(seen.problem, "");
    JudgeSilence(sight, &seen);
    if (seen.problem.empty()) seen.problem = file_problem;
    return seen;
  }
  const ChatStatus& status = *sight.control;
  seen.state = status.accepting ? ChatState::kServing : ChatState::kDraining;
  seen.users = status.users;
  seen.sessions = status.sessions;
  seen.rooms = status.rooms;
  if (status.accepting && !status.database_connected) {
    seen.problem = "it has no connection to its database; it looks for it when somebody posts";
  }
  if (status.instance != seen.points_at.value()) {
    seen.problem = absl::StrCat("it was started with database instance \"", status.instance,
                                "\", but its database file now says \"", seen.points_at.value(),
                                "\"", seen.problem.empty() ? "" : ": ", seen.problem);
    seen.points_at = HostId(status.instance);
  }
  return seen;
}

absl::StatusOr<ProsodyServer> ProsodyServer::Create(const ProsodyHost& host) {
  BATON_ASSIGN_OR_RETURN(ProsodyConfig config, MakeProsodyConfig(host.config));
  return ProsodyServer(host, std::move(config));
}

ProsodyServer::ProsodyServer(const ProsodyHost& host, ProsodyConfig config)
    : host_(host),
      config_(std::move(config)),
      control_(config_.control_port, config_.token_file),
      listener_{config_.address, config_.c2s_port, config_.domain} {}

absl::StatusOr<FenceRecord> ProsodyServer::Fence() const {
  absl::StatusOr<FenceRecord> record = fences().Read();
  if (record.ok()) return record;
  if (!absl::IsNotFound(record.status()) && !absl::IsDataLoss(record.status())) return record;
  FenceRecord closed;
  closed.pool = config_.pool;
  closed.resource = config_.resource;
  return closed;
}

absl::Status ProsodyServer::IsDown(absl::Duration timeout) const {
  BATON_ASSIGN_OR_RETURN(const ServiceStatus status, service().Status());
  if (status.running) {
    return absl::FailedPreconditionError(
        absl::StrCat(config_.resource.value(), " runs (pid ", status.pid, ")"));
  }
  return RefusesClients(listener_, timeout, clock());
}

ChatObservation ProsodyServer::ObserveChat(const absl::StatusOr<ServiceStatus>& service,
                                           absl::Duration timeout) const {
  ChatSight sight{service, control_.Status(timeout), absl::OkStatus(), ReadInstance(config_)};
  if (!sight.control.ok()) sight.refuses_clients = RefusesClients(listener_, timeout, clock());
  return Judge(sight);
}

FenceSummary ProsodyServer::ObserveFence() const {
  FenceSummary summary;
  const absl::StatusOr<FenceRecord> record = fences().Read();
  if (!record.ok()) return summary;
  summary.file_readable = true;
  summary.fence_epoch = record->fence_epoch;
  if (record->write.has_value()) summary.write_epoch = record->write->epoch;
  const absl::StatusOr<BootId> boot = fences().Boot();
  summary.phase = boot.ok() ? EffectivePhase(*record, *boot) : FencePhase::kUnconfirmed;
  if (record->phase == FencePhase::kClosing || record->phase == FencePhase::kClosed) {
    // The gate refuses a chat server then, so taking the lock disturbs nobody.
    summary.phase = record->phase;
    summary.proven = fences().ProveNothingRuns(absl::ZeroDuration()).ok();
  }
  return summary;
}

Observation ProsodyServer::Observe(absl::Duration timeout) const {
  const absl::StatusOr<ServiceStatus> status = service().Status();
  Observation seen;
  seen.resource = config_.resource;
  seen.pool = config_.pool;
  seen.fence = ObserveFence();
  seen.detail = ObserveChat(status, timeout);
  seen.service_managed = status.ok() && status->managed;
  return seen;
}

}  // namespace baton::chat
