// The agent's stream to the coordinator, over gRPC.
#pragma once

#include <functional>
#include <memory>

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
  SessionClient(Scheduler* scheduler, std::shared_ptr<grpc::Channel> channel);
  // Cancels what is open and waits until gRPC has let go of it.
  ~SessionClient() override;

  void Open(const Hello& hello, Events events) override;
  void Send(const ToCoordinator& message) override;
  void Close() override;

 private:
  Scheduler* scheduler_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<StreamCount> streams_;
  std::shared_ptr<SessionStream> current_;
};

}  // namespace baton::agent
