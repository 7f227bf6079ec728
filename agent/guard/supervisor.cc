#include "agent/guard/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "agent/guard/log_line.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"

namespace baton {
namespace {

// The fence is also looked at without a hint: not every filesystem gives one.
constexpr absl::Duration kLookInterval = absl::Seconds(1);
constexpr absl::Duration kLeftoversInterval = absl::Milliseconds(20);
// A start that a killed predecessor had begun holds its lock until it ends, which is soon.
constexpr absl::Duration kPredecessorGrace = absl::Seconds(2);
constexpr absl::Duration kBackoffFirst = absl::Milliseconds(200);
constexpr absl::Duration kBackoffMax = absl::Seconds(10);

std::string InRunDirectory(const ResourceConfig& config, const char* suffix) {
  return absl::StrCat(config.run_directory, "/", config.resource.value(), suffix);
}

absl::StatusOr<Fd> CatchSignals() {
  sigset_t caught;
  sigemptyset(&caught);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&caught, signal);
  sigprocmask(SIG_BLOCK, &caught, nullptr);
  for (const int ignored : {SIGPIPE, SIGHUP}) signal(ignored, SIG_IGN);
  Fd fd(signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot catch", "signals");
  return fd;
}

}  // namespace

Supervisor::Supervisor(const ResourceConfig& config)
    : config_(config),
      state_file_(InRunDirectory(config, ".state")),
      log_file_(InRunDirectory(config, ".log")),
      backoff_(kBackoffFirst, kBackoffMax, static_cast<uint64_t>(getpid())) {}

absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Make(const ResourceConfig& config) {
  std::unique_ptr<Supervisor> supervisor(new Supervisor(config));
  BATON_RETURN_IF_ERROR(supervisor->Prepare());
  return supervisor;
}

absl::Status Supervisor::Prepare() {
  BATON_RETURN_IF_ERROR(MakeDirectories(config_.run_directory, 0755));
  BATON_RETURN_IF_ERROR(MakeDirectories(DirectoryOf(config_.fence_file), 0755));
  absl::StatusOr<FileLock> alone = FileLock::Take(InRunDirectory(config_, ".supervisor.lock"),
                                                  LockMode::kExclusive, kPredecessorGrace);
  if (absl::IsDeadlineExceeded(alone.status())) {
    return absl::AlreadyExistsError(absl::StrCat(
        config_.resource.value(), ": found another supervisor: ", alone.status().message()));
  }
  if (!alone.ok()) return alone.status();
  alone_ = *std::move(alone);
  BATON_ASSIGN_OR_RETURN(signals_, CatchSignals());
  // Servers' orphans come here, so that they never linger as zombies.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  BATON_ASSIGN_OR_RETURN(watch_, FenceWatch::Make(DirectoryOf(config_.fence_file)));
  absl::StatusOr<SupervisorState> state = LoadSupervisorState(state_file_);
  if (state.ok()) {
    state_ = *state;
  } else {
    if (!absl::IsNotFound(state.status())) {
      LogLine(config_, absl::StrCat(state_file_, ": ", state.status().message(),
                                    "; nothing is started until someone asks"));
    }
    RecallServer();
  }
  Adopt();
  EndLeftovers();
  FindLeftover();
  BATON_ASSIGN_OR_RETURN(
      control_, ControlServer::Listen(SupervisorSocket(config_.run_directory, config_.resource)));
  return absl::OkStatus();
}

absl::Status Supervisor::Run() {
  LookAtFence();
  while (!leaving_ || state_.server.pid != 0 || WaitsForLeftovers()) Turn();
  ReplyTo(&start_waiters_, "the supervisor was told to leave");
  unlink(SupervisorSocket(config_.run_directory, config_.resource).c_str());
  return absl::OkStatus();
}

void Supervisor::Turn() {
  std::vector<pollfd> polled = {{signals_.get(), POLLIN, 0},
                                {watch_->fd(), POLLIN, 0},
                                {start_.has_value() ? start_->fd() : -1, POLLIN, 0},
                                {server_fd_.valid() ? server_fd_.get() : -1, POLLIN, 0}};
  control_->AppendTo(&polled);
  const absl::Duration wait = NextWake() - MonotonicNow();
  const int64_t milliseconds = std::clamp<int64_t>(absl::ToInt64Milliseconds(wait) + 1, 0, 1000);
  if (poll(polled.data(), polled.size(), static_cast<int>(milliseconds)) < 0) return;
  if (polled[0].revents != 0) OnSignals();
  if (polled[1].revents != 0) watch_->Drain();
  if (polled[2].revents != 0 && start_.has_value()) OnStartReport();
  if (polled[3].revents != 0 && server_fd_.valid()) {
    OnServerEnded("ended; how is not known, since an earlier supervisor had started it");
  }
  LookAtFence();
  OnTimers();
  control_->Handle(
      polled, MonotonicNow(),
      [this](ControlServer::ClientId client, SupervisorVerb verb) { OnRequest(client, verb); });
}

absl::Duration Supervisor::NextWake() const {
  absl::Duration wake = MonotonicNow() + kLookInterval;
  if (leftovers_.has_value()) wake = std::min(wake, MonotonicNow() + kLeftoversInterval);
  if (restart_at_.has_value() && !WaitsForLeftovers()) wake = std::min(wake, *restart_at_);
  return wake;
}

void Supervisor::OnSignals() {
  signalfd_siginfo info = {};
  while (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGCHLD) continue;
    LogLine(config_, "told to leave: stops the server cleanly first");
    leaving_ = true;
    restart_at_.reset();
    StopServer(Stopping::kClean);
  }
  ReapAll();
}

SupervisorReply Supervisor::Status() const {
  SupervisorReply reply;
  reply.ok = true;
  reply.running = running();
  reply.pid = reply.running ? state_.server.pid : 0;
  reply.desired_up = state_.desired_up;
  reply.could_write = reply.running && state_.could_write;
  reply.stop_overdue =
      stopping_ != Stopping::kNo && MonotonicNow() - stop_since_ > config_.stop_timeout;
  reply.verdict = verdict_;
  reply.refused = refused_;
  reply.last_exit = last_exit_;
  return reply;
}

void Supervisor::ReplyTo(std::vector<ControlServer::ClientId>* clients, const std::string& error) {
  SupervisorReply reply = Status();
  reply.ok = error.empty();
  reply.error = error;
  for (const ControlServer::ClientId client : *clients) control_->Reply(client, reply);
  clients->clear();
}

void Supervisor::OnRequest(ControlServer::ClientId client, SupervisorVerb verb) {
  std::vector<ControlServer::ClientId> now = {client};
  switch (verb) {
    case SupervisorVerb::kStatus:
      ReplyTo(&now, "");
      return;
    case SupervisorVerb::kStart:
      if (leaving_) {
        ReplyTo(&now, "the supervisor was told to leave; start it again when the next one runs");
      } else if (stopping_ != Stopping::kNo) {
        start_waiters_.push_back(client);  // its turn comes when the server is gone
      } else if (running()) {
        state_.desired_up = true;
        Save();
        ReplyTo(&now, "");
      } else {
        start_waiters_.push_back(client);
        start_asked_ = true;
        StartServer();
      }
      return;
    case SupervisorVerb::kStopClean:
    case SupervisorVerb::kStopImmediate:
      stop_waiters_.push_back(client);
      state_.desired_up = false;
      restart_at_.reset();
      Save();
      StopServer(verb == SupervisorVerb::kStopClean ? Stopping::kClean : Stopping::kImmediate);
      return;
  }
}

}  // namespace baton
