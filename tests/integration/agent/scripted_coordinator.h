// A coordinator whose every word a test speaks: a real gRPC server on loopback.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/server.h"

#include "baton/v1/agent_session.grpc.pb.h"
#include "common/base/mutex.h"

namespace baton {

// One stream of an agent. Thread-safe.
class ScriptedSession {
 public:
  using Stream = grpc::ServerReaderWriter<v1::CoordinatorMessage, v1::AgentMessage>;
  explicit ScriptedSession(Stream* stream, grpc::ServerContext* context)
      : stream_(stream), context_(context) {}

  const v1::Hello& hello() const { return hello_; }
  void Welcome(const std::string& journal = "journal-1");
  void Send(const v1::CoordinatorMessage& message);
  void Send(const v1::Command& command);
  // Ends the stream, as a coordinator that dies or refuses.
  void End(grpc::Status status);
  // The first message, from the last one returned on, that `wanted` takes; none: not within 10 s.
  std::optional<v1::AgentMessage> Await(const std::function<bool(const v1::AgentMessage&)>& wanted);
  std::optional<v1::Outcome> AwaitFinished(const std::string& command);
  bool AwaitAccepted(const std::string& command);

 private:
  friend class ScriptedCoordinator;
  grpc::Status Serve(const std::function<void()>& opened);

  Mutex mutex_;
  CondVar changed_;
  Stream* stream_ ABSL_GUARDED_BY(mutex_);  // null once it ended
  grpc::ServerContext* context_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AgentMessage> heard_ ABSL_GUARDED_BY(mutex_);
  v1::Hello hello_;
};

class ScriptedCoordinator : public v1::AgentSessionService::Service {
 public:
  ScriptedCoordinator();
  ~ScriptedCoordinator() override;

  const std::string& address() const { return address_; }
  // Every new stream ends with this until it is OK again.
  void Refuse(grpc::Status status);
  int refused() const;
  // The next session that said Hello; null: none within 10 s.
  std::shared_ptr<ScriptedSession> AwaitSession();

  grpc::Status OpenSession(grpc::ServerContext* context, ScriptedSession::Stream* stream) override;

 private:
  std::string address_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::shared_ptr<ScriptedSession>> sessions_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<ScriptedSession>> all_ ABSL_GUARDED_BY(mutex_);
  grpc::Status refuse_ ABSL_GUARDED_BY(mutex_);
  int refused_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A command as the wire has it.
v1::Command WireCommand(const std::string& id, uint64_t epoch_counter = 1);

}  // namespace baton
