// One stream, from Hello to its end.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

#include "agent/core/session.h"
#include "agent/transport/session_client.h"
#include "baton/v1/agent_session.grpc.pb.h"
#include "common/base/scheduler.h"
#include "common/rpc/outbox.h"

namespace baton::agent {

// Everything but the reactions runs on the loop; the reactions only post to it. Keeps itself alive
// until gRPC has told that the call is done.
class SessionStream : public grpc::ClientBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>,
                      public std::enable_shared_from_this<SessionStream> {
 public:
  SessionStream(Scheduler* scheduler, std::shared_ptr<grpc::Channel> channel,
                std::shared_ptr<StreamCount> streams, CoordinatorLink::Events events);

  void Start(const Hello& hello);
  void Send(const ToCoordinator& message);
  // Ends the call. `closed` tells `why`, unless it is OK: then what the call ended with.
  void End(absl::Status why);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  void Push(v1::AgentMessage message, int slot);
  void Read();
  void Wrote(bool ok);
  // What asks for an answer and cannot be read is answered: its sender must not wait for it, nor
  // lose the session, and ask again in the next.
  void Misread(const absl::Status& problem);

  Scheduler* scheduler_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<StreamCount> streams_;
  CoordinatorLink::Events events_;
  std::unique_ptr<v1::AgentSessionService::Stub> stub_;
  grpc::ClientContext context_;
  v1::CoordinatorMessage incoming_;  // gRPC's while a read is under way
  Outbox<v1::AgentMessage> outbox_;
  bool ended_ = false;
  absl::Status why_;
  std::shared_ptr<SessionStream> self_;
};

}  // namespace baton::agent
