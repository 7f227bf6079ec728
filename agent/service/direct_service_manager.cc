#include "agent/service/direct_service_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"
#include "common/os/unix_socket.h"

namespace baton {
namespace {

constexpr absl::Duration kStatusTimeout = absl::Seconds(1);
constexpr absl::Duration kSupervisorStart = absl::Seconds(5);
constexpr absl::Duration kBetweenTries = absl::Seconds(2);
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(2);

}  // namespace

DirectServiceManager::DirectServiceManager(ResourceConfig config, std::string config_file,
                                           std::string guard_program)
    : config_(std::move(config)),
      config_file_(std::move(config_file)),
      guard_program_(std::move(guard_program)) {}

absl::StatusOr<SupervisorReply> DirectServiceManager::Ask(SupervisorVerb verb,
                                                          absl::Duration timeout) const {
  BATON_ASSIGN_OR_RETURN(
      const std::string text,
      AskUnix(SupervisorSocket(config_.run_directory, config_.resource),
              std::string(ToString(verb)) + "\n", timeout, kSupervisorReplyBytesMax));
  return ParseSupervisorReply(text);
}

bool DirectServiceManager::MayTry() {
  MutexLock lock(&mutex_);
  if (MonotonicNow() - last_try_ < kBetweenTries) return false;
  last_try_ = MonotonicNow();
  return true;
}

absl::Status DirectServiceManager::EnsureSupervisor(absl::Duration timeout) {
  const absl::Duration deadline = MonotonicNow() + timeout;
  const std::string log =
      absl::StrCat(config_.run_directory, "/", config_.resource.value(), ".supervisor.log");
  while (true) {
    const absl::Status answer = Ask(SupervisorVerb::kStatus, kStatusTimeout).status();
    if (answer.ok() || !absl::IsUnavailable(answer)) return answer;
    if (MayTry()) {
      BATON_RETURN_IF_ERROR(MakeDirectories(config_.run_directory, 0755));
      BATON_RETURN_IF_ERROR(StartDetached({guard_program_, "run", config_file_}, log));
    }
    if (MonotonicNow() >= deadline) {
      return absl::UnavailableError(absl::StrCat("the supervisor of ", config_.resource.value(),
                                                 " was started but does not answer (",
                                                 answer.message(), "); see ", log));
    }
    Pause(kBetweenLooks);
  }
}

absl::Status DirectServiceManager::Start(absl::Duration timeout) {
  BATON_RETURN_IF_ERROR(EnsureSupervisor(std::min(timeout, kSupervisorStart)));
  BATON_ASSIGN_OR_RETURN(const SupervisorReply reply, Ask(SupervisorVerb::kStart, timeout));
  if (reply.ok) return absl::OkStatus();
  const std::string message = absl::StrCat(config_.resource.value(), ": ", reply.error);
  if (reply.verdict == "refuse") return absl::FailedPreconditionError(message);
  return absl::UnavailableError(message);
}

absl::Status DirectServiceManager::Stop(StopMode mode, absl::Duration timeout) {
  BATON_RETURN_IF_ERROR(EnsureSupervisor(std::min(timeout, kSupervisorStart)));
  const SupervisorVerb verb =
      mode == StopMode::kClean ? SupervisorVerb::kStopClean : SupervisorVerb::kStopImmediate;
  const absl::StatusOr<SupervisorReply> reply = Ask(verb, timeout);
  if (absl::IsDeadlineExceeded(reply.status())) {
    return absl::DeadlineExceededError(
        absl::StrCat(config_.resource.value(), ": still runs ", absl::FormatDuration(timeout),
                     " after it was told to stop; the stop goes on, unless its "
                     "supervisor never read of it"));
  }
  if (!reply.ok()) return reply.status();
  return reply->ok ? absl::OkStatus() : absl::UnavailableError(reply->error);
}

absl::StatusOr<ServiceStatus> DirectServiceManager::Status() {
  ServiceStatus status;
  if (!EnsureSupervisor(kStatusTimeout).ok()) return status;
  BATON_ASSIGN_OR_RETURN(const SupervisorReply reply, Ask(SupervisorVerb::kStatus, kStatusTimeout));
  status.managed = true;
  status.running = reply.running;
  status.pid = reply.pid;
  status.refused = reply.refused;
  status.last_exit = reply.last_exit;
  return status;
}

}  // namespace baton
