#include "agent/worker_ports.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <utility>

#include "spdlog/spdlog.h"

#include "agent/core/reconcile.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"

namespace baton::agent {
namespace {

constexpr absl::Duration kEndMax = absl::Seconds(5);
// Commands wait for as long.
constexpr absl::Duration kEnforceMax = absl::Seconds(2);
constexpr absl::Duration kProofTimeout = absl::Seconds(1);

bool IsStrict(const FenceRecord& record) {
  return record.phase == FencePhase::kClosing || record.phase == FencePhase::kClosed;
}

// False: it is still there at `deadline`.
bool AwaitEnd(const ProcessId& process, absl::Duration deadline) {
  absl::StatusOr<Fd> fd = OpenProcess(process);
  while (fd.ok() && IsAlive(process)) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return false;
    pollfd ended = {fd->get(), POLLIN, 0};
    const int ready = poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready < 0 && errno != EINTR) return false;
  }
  return !IsAlive(process);
}

std::vector<ChildProcess> EndAll(const std::vector<ChildProcess>& children) {
  const absl::Duration deadline = MonotonicNow() + kEndMax;
  std::vector<ChildProcess> lingering;
  for (const ChildProcess& child : children) {
    const ProcessId process = {static_cast<pid_t>(child.pid), child.start_ticks};
    // Whatever it was doing is repeatable: every file is made under another name and renamed.
    if (IsAlive(process)) (void)SignalProcessGroup(process, SIGKILL);
  }
  for (const ChildProcess& child : children) {
    const ProcessId process = {static_cast<pid_t>(child.pid), child.start_ticks};
    if (!AwaitEnd(process, deadline)) lingering.push_back(child);
  }
  return lingering;
}

}  // namespace

absl::StatusOr<FenceRecord> LedgerFenceStore::Read() {
  absl::StatusOr<FenceRecord> file = behind_->Read();
  const bool lost = absl::IsNotFound(file.status()) || absl::IsDataLoss(file.status());
  if (entered_ == nullptr || !(file.ok() || lost)) return file;
  std::optional<FenceRecord> made_good =
      WithoutFile(file.ok() ? std::optional<FenceRecord>(*file) : std::nullopt, entered_());
  if (made_good.has_value()) return *std::move(made_good);
  return file;
}

absl::Status LedgerFenceStore::Write(const FenceRecord& record) {
  if (record.phase == FencePhase::kOpen && before_open_ != nullptr) before_open_();
  FenceRecord stamped = record;
  stamped.ledger = ledger_;
  return behind_->Write(stamped);
}

void FenceWorker::Read(
    std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) {
  worker_.Post([this, done = std::move(done)] { done(store_->Read(), store_->Boot()); });
}

void FenceWorker::Write(const FenceRecord& record, std::function<void(absl::Status)> done) {
  worker_.Post([this, record, done = std::move(done)] {
    const absl::Status written = store_->Write(record);
    if (written.ok()) PlaceStandbySignal(record);
    done(written);
  });
}

void FenceWorker::Enforce(std::function<void(absl::Status)> done) {
  worker_.Post([this, done = std::move(done)] { done(EnforceNow()); });
}

absl::Status FenceWorker::EnforceNow() const {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, store_->Read());
  if (!IsStrict(record) || !record.write.has_value()) return absl::OkStatus();
  PlaceStandbySignal(record);
  BATON_RETURN_IF_ERROR(service_->Stop(StopMode::kClean, kEnforceMax));
  return store_->ProveNothingRuns(kProofTimeout);
}

void FenceWorker::PlaceStandbySignal(const FenceRecord& record) const {
  if (!IsStrict(record) || data_directory_.empty()) return;
  if (!Exists(data_directory_ + "/PG_VERSION").value_or(false)) return;
  const absl::Status placed = store_->PlaceStandbySignal();
  if (!placed.ok()) {
    spdlog::warn("{}: fenced, but only by its fence file: {}", record.resource.value(),
                 std::string(placed.message()));
  }
}

void RunningCommand::Set(const CommandId& id) {
  MutexLock lock(&mutex_);
  id_ = id;
}

CommandId RunningCommand::Get() const {
  MutexLock lock(&mutex_);
  return id_;
}

void NotedRunner::Start(const Command& command, std::function<void(Progress)> progress,
                        std::function<void(Outcome)> done) {
  running_->Set(command.id);
  behind_->Start(command, std::move(progress),
                 [running = running_, done = std::move(done)](Outcome outcome) {
                   running->Set(CommandId());
                   done(std::move(outcome));
                 });
}

void LeftChildren::End(std::vector<ChildProcess> children,
                       std::function<void(std::vector<ChildProcess>)> done) {
  worker_.Post(
      [children = std::move(children), done = std::move(done)] { done(EndAll(children)); });
}

}  // namespace baton::agent
