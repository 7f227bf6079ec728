// The server's life under its supervisor.
#include <algorithm>
#include <cstdio>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "agent/guard/fence_file.h"
#include "agent/guard/log_line.h"
#include "agent/guard/supervisor.h"
#include "agent/guard/supervisor_rules.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"

namespace baton {
namespace {

constexpr absl::Duration kImmediateGrace = absl::Seconds(5);
constexpr absl::Duration kLivedLong = absl::Seconds(30);
// Nothing starts before it is written, and it is tried again: nobody else may wait for it
// meanwhile.
constexpr absl::Duration kUnconfirmWait = absl::Milliseconds(50);
constexpr off_t kLogBytesMax = 16 << 20;

bool IsPostgresql(const ResourceConfig& config) { return config.engine_name == "postgresql"; }

std::string DescribeExit(int status) {
  if (WIFSIGNALED(status)) return absl::StrCat("signal ", WTERMSIG(status));
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

// Keeps one older log; a server that runs keeps writing to the one it has.
void TurnLog(const std::string& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) == 0 && found.st_size > kLogBytesMax) {
    rename(path.c_str(), (path + ".1").c_str());
  }
}

}  // namespace

void Supervisor::Save() {
  const absl::Status saved = SaveSupervisorState(state_file_, state_);
  if (!saved.ok()) LogLine(config_, std::string(saved.message()));
}

// Without a memory: what runs must still stop when the fence says so. It counts as a writer unless
// everything says that it follows.
void Supervisor::RecallServer() {
  const std::optional<ProcessId> server = FindServer(config_);
  if (!server.has_value()) return;
  const absl::StatusOr<FenceRecord> fence = ReadFenceFile(config_);
  const bool follows = config_.kind == ResourceKind::kDatabase && fence.ok() &&
                       !fence->write.has_value() && !fence->fetch.empty() &&
                       Exists(config_.data_directory + "/standby.signal").value_or(false);
  state_.server = *server;
  state_.could_write = !follows;
  state_.desired_up = true;
  Save();
}

void Supervisor::Adopt() {
  if (state_.server.pid == 0) return;
  absl::StatusOr<Fd> server = OpenProcess(state_.server);
  if (server.ok() && IsAlive(state_.server)) {
    LogLine(config_, absl::StrCat("takes over the running server, pid ", state_.server.pid));
    server_fd_ = *std::move(server);
    started_at_ = MonotonicNow();
    return;
  }
  last_exit_ = "ended while no supervisor looked";
  LogLine(config_, absl::StrCat("server ", state_.server.pid, " ", last_exit_));
  last_server_ = state_.server.pid;
  state_.server = ProcessId();
  state_.could_write = false;
  Save();
  if (state_.desired_up) restart_at_ = MonotonicNow();
}

// What is down may have gone down together with everything that knew who holds the right to write,
// and may have lost it since. An open fence of an earlier boot is not confirmed anyway.
void Supervisor::FindLeftover() {
  if (state_.server.pid != 0) return;
  const absl::StatusOr<FenceRecord> found = ReadFenceFile(config_);
  if (!found.ok() || found->phase != FencePhase::kOpen) return;
  const BootId boot = CurrentBoot(config_);
  if (!boot.empty() && found->confirmed_boot != boot) return;
  leftover_ = *found;
  const absl::Status unconfirmed = Unconfirm();
  if (!unconfirmed.ok()) LogLine(config_, std::string(unconfirmed.message()));
}

// OK: nothing starts writable that was not confirmed since this supervisor began.
absl::Status Supervisor::Unconfirm() {
  if (!leftover_.has_value()) return absl::OkStatus();
  const absl::Status written = UpdateFenceFile(
      config_,
      [this](const absl::StatusOr<FenceRecord>& before) -> absl::StatusOr<FenceRecord> {
        // Whoever wrote it since we looked knows better.
        if (!before.ok() || *before != *leftover_) return before;
        FenceRecord record = *before;
        record.phase = FencePhase::kUnconfirmed;
        return record;
      },
      nullptr, kUnconfirmWait);
  const absl::StatusOr<FenceRecord> now = ReadFenceFile(config_);
  if (now.ok() && *now == *leftover_) return written;
  leftover_.reset();
  if (written.ok()) {
    LogLine(config_, "nothing of it ran: its right to write waits to be confirmed");
  }
  return absl::OkStatus();
}

// A standby's signal goes when it is promoted, be it by hand and past every fence.
bool Supervisor::WasPromoted() const {
  return IsPostgresql(config_) && config_.kind == ResourceKind::kDatabase &&
         !Exists(config_.data_directory + "/standby.signal").value_or(true);
}

void Supervisor::LookAtFence() {
  const absl::StatusOr<FenceRecord> read = ReadFenceFile(config_);
  std::optional<FenceRecord> fence;
  if (read.ok()) fence = *read;
  const bool changed = fence != fence_;
  fence_ = std::move(fence);
  if (running() && !state_.could_write &&
      (WasOpenedSince(fence_, state_.write_at_start) || WasPromoted())) {
    state_.could_write = true;
    Save();
  }
  if (running() && stopping_ == Stopping::kNo && MustStop(fence_, state_.could_write)) {
    LogLine(config_,
            absl::StrCat("stops the server: ",
                         fence_.has_value()
                             ? absl::StrCat("the fence is ", std::string(ToString(fence_->phase)))
                             : std::string(read.status().message())));
    state_.desired_up = false;
    restart_at_.reset();
    Save();
    if (config_.kind == ResourceKind::kDatabase) {
      const absl::Status placed = PlaceStandbySignal(config_);
      if (!placed.ok()) LogLine(config_, std::string(placed.message()));
    }
    StopServer(Stopping::kClean);
  }
  if (changed && MustStop(fence_, true)) EndLeftovers();
  const bool idle = state_.server.pid == 0 && !start_.has_value() && !leaving_;
  if (changed && idle && state_.desired_up && MayStartUnasked(fence_)) {
    restart_at_ = MonotonicNow();
  }
}

void Supervisor::OnTimers() {
  OnLeftovers();
  const absl::Duration now = MonotonicNow();
  if (start_asked_ && state_.server.pid == 0 && !start_.has_value() && !WaitsForLeftovers()) {
    StartServer();
  }
  if (restart_at_.has_value() && now >= *restart_at_ && !WaitsForLeftovers()) {
    restart_at_.reset();
    const bool idle = state_.server.pid == 0 && !start_.has_value() && !leaving_;
    if (idle && state_.desired_up && MayStartUnasked(fence_)) StartServer();
  }
  if (!overdue_said_ && Status().stop_overdue) {
    overdue_said_ = true;
    LogLine(config_, "the stop takes longer than stop_timeout; it goes on");
  }
  const bool hangs = stopping_ == Stopping::kImmediate && !killed_ && state_.server.pid != 0 &&
                     now - stop_since_ > kImmediateGrace;
  if (hangs) {
    killed_ = true;
    LogLine(config_, "an immediate stop took too long: kills the server");
    static_cast<void>(SignalProcessGroup(state_.server, SIGKILL));
  }
}

void Supervisor::StartServer() {
  if (start_.has_value() || WaitsForLeftovers()) return;  // what is asked for comes then
  if (leftovers_.has_value()) {
    ReplyTo(&stop_waiters_,
            absl::StrCat("what the server left behind does not end: pid ", leftovers_->Pids()));
    leftovers_.reset();
  }
  if (const absl::Status unconfirmed = Unconfirm(); !unconfirmed.ok()) {
    refused_ = absl::StrCat("an open fence that was not confirmed since is in the way: ",
                            unconfirmed.message());
    start_asked_ = false;
    ReplyTo(&start_waiters_, refused_);
    if (state_.desired_up) restart_at_ = MonotonicNow() + backoff_.Next();
    return;
  }
  TurnLog(log_file_);
  fence_at_start_ = fence_;
  absl::StatusOr<GatedStart> start = GatedStart::Fork(config_, log_file_);
  if (!start.ok()) {
    refused_ = std::string(start.status().message());
    start_asked_ = false;
    ReplyTo(&start_waiters_, refused_);
    return;
  }
  start_ = *std::move(start);
}

void Supervisor::OnStartReport() {
  switch (start_->Read()) {
    case GatedStart::Step::kWaiting:
      return;
    case GatedStart::Step::kJudged: {
      verdict_ = std::string(ToString(start_->verdict()));
      state_.server = start_->child();
      state_.could_write = start_->verdict() == GateVerdict::kReadWrite;
      state_.write_at_start = start_->write_epoch();
      state_.desired_up = state_.desired_up || start_asked_;
      const absl::Status saved = SaveSupervisorState(state_file_, state_);
      const absl::Status gone = saved.ok() ? start_->Go() : saved;
      if (gone.ok()) return;
      refused_ = std::string(gone.message());
      break;
    }
    case GatedStart::Step::kStarted:
      LogLine(config_, absl::StrCat("started the server ", verdict_, ", pid ", state_.server.pid,
                                    ": ", start_->reason()));
      start_.reset();
      start_asked_ = false;
      refused_.clear();
      started_at_ = MonotonicNow();
      ReplyTo(&start_waiters_, "");
      return;
    case GatedStart::Step::kRefused:
      verdict_ = std::string(ToString(GateVerdict::kRefuse));
      refused_ = start_->reason();
      break;
  }
  // The gate's refusal stands until the fence changes, be it while it was being asked; other
  // failures may pass.
  const bool again = !start_->judged() || fence_ != fence_at_start_;
  LogLine(config_, absl::StrCat("did not start the server: ", refused_));
  start_.reset();
  start_asked_ = false;
  state_.server = ProcessId();
  state_.could_write = false;
  stopping_ = Stopping::kNo;  // nothing is left of what was to be stopped
  killed_ = false;
  overdue_said_ = false;
  Save();
  ReplyTo(&start_waiters_, refused_);
  ReplyTo(&stop_waiters_, "");
  if (again && state_.desired_up && !leaving_) restart_at_ = MonotonicNow() + backoff_.Next();
}

void Supervisor::StopServer(Stopping how) {
  if (start_.has_value() && state_.server.pid == 0) {
    // Not judged yet: without our word it ends by itself.
    start_.reset();
    start_asked_ = false;
    ReplyTo(&start_waiters_, "stopped before it had started");
  }
  if (state_.server.pid == 0) {
    start_asked_ = false;
    ReplyTo(&start_waiters_, "stopped before it had started");
    EndLeftovers();
    if (!leftovers_.has_value()) ReplyTo(&stop_waiters_, "");
    return;
  }
  if (how <= stopping_) return;
  stopping_ = how;
  stop_since_ = MonotonicNow();
  absl::Status sent;
  if (how == Stopping::kClean) {
    sent = SignalProcess(state_.server, IsPostgresql(config_) ? SIGINT : SIGTERM);
  } else if (IsPostgresql(config_)) {
    sent = SignalProcess(state_.server, SIGQUIT);
  } else {
    sent = SignalProcessGroup(state_.server, SIGKILL);
  }
  if (!sent.ok()) LogLine(config_, std::string(sent.message()));
}

void Supervisor::OnServerEnded(const std::string& how) {
  last_exit_ = how;
  LogLine(config_, absl::StrCat("server ", state_.server.pid, ": ", how));
  if (start_.has_value()) {
    // What it said of its end, if it said something, is there by now.
    const bool said = start_->Read() == GatedStart::Step::kRefused && !start_->reason().empty();
    refused_ = said ? start_->reason() : absl::StrCat("it ended at once: ", how);
    start_.reset();
    start_asked_ = false;
    ReplyTo(&start_waiters_, refused_);
  }
  const bool on_purpose = stopping_ != Stopping::kNo;
  stopping_ = Stopping::kNo;
  killed_ = false;
  overdue_said_ = false;
  last_server_ = state_.server.pid;
  state_.server = ProcessId();
  state_.could_write = false;
  server_fd_.Reset();
  Save();
  EndLeftovers();
  if (!leftovers_.has_value()) ReplyTo(&stop_waiters_, "");
  const bool asked = std::any_of(start_waiters_.begin(), start_waiters_.end(),
                                 [this](int client) { return control_->IsWaiting(client); });
  if (asked && !leaving_) {
    start_asked_ = true;
    StartServer();
    return;
  }
  start_waiters_.clear();
  if (on_purpose || !state_.desired_up || leaving_) return;
  if (MonotonicNow() - started_at_ > kLivedLong) backoff_.Reset();
  restart_at_ = MonotonicNow() + backoff_.Next();
}

void Supervisor::ReapAll() {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid == state_.server.pid) OnServerEnded(DescribeExit(status));
  }
}

}  // namespace baton
