// The agent's stream to the coordinator, over gRPC.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "grpcpp/channel.h"

#include "agent/core/session.h"
#include "common/base/mutex.h"
#include "common/base/scheduler.h"

namespace baton::agent {

class SessionStream;

// How many streams still have calls under way: none may outlive the loop that they post to.
class StreamCount {
 public:
  void Add();
  void Remove();
  void WaitForNone();

 private:
  Mutex mutex_;
  CondVar changed_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Used on the loop. gRPC's own threads only post to it; the next message is read when the one
// before was handed over. `scheduler` outlives it.
class SessionClient : public CoordinatorLink {
 public:
  // `channels`, at least one: where a coordinator may be. The one that welcomed last is tried
  // again, every other one gives its turn to the next.
  SessionClient(Scheduler* scheduler, std::vector<std::shared_ptr<grpc::Channel>> channels);
  // Cancels what is open and waits until gRPC has let go of it.
  ~SessionClient() override;

  void Open(const Hello& hello, Events events) override;
  void Send(const ToCoordinator& message) override;
  void Close() override;

 private:
  Scheduler* scheduler_;
  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  size_t turn_ = 0;
  std::shared_ptr<bool> welcomed_;  // on the stream opened last; null: none was
  std::shared_ptr<StreamCount> streams_;
  std::shared_ptr<SessionStream> current_;
};

}  // namespace baton::agent
