#include "tests/integration/coordinator/test_coordinator.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "common/rpc/endpoint.h"

namespace baton::testing {
namespace {

// Their agents dial again at once, or never.
constexpr absl::Duration kReconnectGraceInTests = absl::Seconds(1);

}  // namespace

TestCoordinator::TestCoordinator(absl::Duration report_interval)
    : report_interval_(report_interval) {
  char name[] = "/tmp/baton-coordinator-XXXXXX";
  directory_ = mkdtemp(name);
  journal_ = directory_ + "/journal.db";
}

TestCoordinator::~TestCoordinator() {
  Stop();
  std::filesystem::remove_all(directory_);
}

absl::Status TestCoordinator::Start() {
  thread_ = std::make_unique<LoopThread>(clock_);
  absl::StatusOr<std::unique_ptr<Coordinator>> opened =
      Coordinator::Open({.journal = journal_,
                         .report_interval = report_interval_,
                         .reconnect_grace = kReconnectGraceInTests},
                        clock_, thread_->loop(), [](const absl::Status&) {});
  if (!opened.ok()) {
    thread_.reset();
    return opened.status();
  }
  coordinator_ = *std::move(opened);
  grpc::ServerBuilder builder;
  ApplyServerDefaults(builder);
  coordinator_->Register(builder);
  OnLoop(thread_->loop(), [this] { coordinator_->Start(); });
  server_ = builder.BuildAndStart();
  MutexLock lock(&mutex_);
  channel_ = server_->InProcessChannel(ClientArguments());
  return absl::OkStatus();
}

void TestCoordinator::Stop() {
  if (thread_ == nullptr) return;
  {
    MutexLock lock(&mutex_);
    channel_.reset();
  }
  server_->Shutdown(std::chrono::system_clock::now());
  OnLoop(thread_->loop(), [this] { coordinator_.reset(); });
  server_.reset();
  thread_.reset();
}

std::shared_ptr<grpc::Channel> TestCoordinator::Channel() {
  MutexLock lock(&mutex_);
  return channel_;
}

void TestCoordinator::OnLoop(EventLoop& loop, const std::function<void()>& f) {
  Mutex mutex;
  CondVar wake;
  bool ran = false;
  loop.Post([&] {
    f();
    MutexLock lock(&mutex);
    ran = true;
    wake.SignalAll();
  });
  MutexLock lock(&mutex);
  while (!ran) wake.Wait(&mutex);
}

}  // namespace baton::testing
