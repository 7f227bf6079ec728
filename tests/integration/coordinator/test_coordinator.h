// A coordinator on a loop of its own behind an in-process server: it can be cut off at any moment
// and opened again on the same journal.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/server.h"

#include "common/base/mutex.h"
#include "common/runtime/event_loop.h"
#include "common/runtime/system_clock.h"
#include "coordinator/coordinator.h"

namespace baton::testing {

// Thread-safe.
class TestCoordinator {
 public:
  explicit TestCoordinator(absl::Duration report_interval = absl::Milliseconds(500));
  ~TestCoordinator();

  absl::Status Start();
  // Ends it as abruptly as one process allows: calls are cancelled, nothing is said to anyone.
  void Stop();

  // Null while it is down.
  std::shared_ptr<grpc::Channel> Channel();
  const std::string& journal() const { return journal_; }

 private:
  // Runs `f` on the loop and waits for it.
  static void OnLoop(EventLoop& loop, const std::function<void()>& f);

  const absl::Duration report_interval_;
  SystemClock clock_;
  std::string directory_;
  std::string journal_;
  std::unique_ptr<LoopThread> thread_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<grpc::Server> server_;
  Mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::testing
