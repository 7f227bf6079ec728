#include "agent/transport/session_stream.h"

#include <utility>

#include "agent/transport/session_proto.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/report_merge.h"
#include "common/rpc/status_proto.h"

namespace baton::agent {
namespace {

constexpr OutboxLimits kLimits = {1 << 20, 2048};
constexpr int kReportSlot = 1;
constexpr int kHeartbeatSlot = 2;

int SlotOf(const ToCoordinator& message) {
  if (std::holds_alternative<Report>(message)) return kReportSlot;
  if (std::holds_alternative<Heartbeat>(message)) return kHeartbeatSlot;
  return Outbox<v1::AgentMessage>::kOwnSlot;
}

}  // namespace

SessionStream::SessionStream(Scheduler* scheduler, std::shared_ptr<grpc::Channel> channel,
                             std::shared_ptr<StreamCount> streams, CoordinatorLink::Events events)
    : scheduler_(scheduler),
      channel_(std::move(channel)),
      streams_(std::move(streams)),
      events_(std::move(events)),
      stub_(v1::AgentSessionService::NewStub(channel_)),
      outbox_(kLimits) {}

void SessionStream::Start(const Hello& hello) {
  self_ = shared_from_this();
  streams_->Add();
  stub_->async()->OpenSession(&context_, this);
  // Held until the stream ends: writes begin on the loop, outside of any reaction.
  AddHold();
  StartRead(&incoming_);
  Push(ToProto(hello), Outbox<v1::AgentMessage>::kOwnSlot);
  StartCall();
}

void SessionStream::Send(const ToCoordinator& message) { Push(ToProto(message), SlotOf(message)); }

void SessionStream::Push(v1::AgentMessage message, int slot) {
  if (ended_) return;
  const Outbox<v1::AgentMessage>::Merge merge =
      slot == kReportSlot ? Outbox<v1::AgentMessage>::Merge(MergeReports) : nullptr;
  absl::StatusOr<const v1::AgentMessage*> next = outbox_.Push(std::move(message), slot, merge);
  if (!next.ok()) return End(next.status());
  if (*next != nullptr) StartWrite(*next);
}

void SessionStream::End(absl::Status why) {
  if (ended_) return;
  ended_ = true;
  why_ = std::move(why);
  context_.TryCancel();
  RemoveHold();
}

void SessionStream::OnReadDone(bool ok) {
  scheduler_->Post([self = shared_from_this(), ok] {
    if (ok) return self->Read();
    // The call ends by itself, with the status that the other side gave.
    if (self->ended_) return;
    self->ended_ = true;
    self->RemoveHold();
  });
}

void SessionStream::Read() {
  if (ended_) return;
  absl::StatusOr<FromCoordinator> message = FromProto(incoming_);
  if (message.ok()) {
    events_.message(*std::move(message));
  } else {
    Misread(message.status());
  }
  if (!ended_) StartRead(&incoming_);
}

void SessionStream::Misread(const absl::Status& problem) {
  if (incoming_.kind_case() == v1::CoordinatorMessage::kCommand &&
      !incoming_.command().id().empty()) {
    return Send(Finished{CommandId(incoming_.command().id()),
                         RefusedOutcome("INVALID_COMMAND", std::string(problem.message()))});
  }
  if (incoming_.kind_case() == v1::CoordinatorMessage::kDryRun) {
    return Send(DryRunResult{incoming_.dry_run().id(),
                             RefusedOutcome("INVALID_COMMAND", std::string(problem.message()))});
  }
  if (incoming_.kind_case() == v1::CoordinatorMessage::kRevoke) {
    return Send(Revoked{PoolId(incoming_.revoke().pool()),
                        ResourceId(incoming_.revoke().resource()),
                        baton::FromProto(incoming_.revoke().epoch()),
                        RefusedOutcome("INVALID_COMMAND", std::string(problem.message()))});
  }
  // A newer coordinator may say what this agent need not know.
  if (problem.code() != absl::StatusCode::kUnimplemented) End(problem);
}

void SessionStream::OnWriteDone(bool ok) {
  scheduler_->Post([self = shared_from_this(), ok] { self->Wrote(ok); });
}

void SessionStream::Wrote(bool ok) {
  // After a failed write the read fails too, and the call's status tells why.
  if (!ok || ended_) return;
  const v1::AgentMessage* next = outbox_.WriteDone();
  if (next != nullptr) StartWrite(next);
}

void SessionStream::OnDone(const grpc::Status& status) {
  scheduler_->Post([self = shared_from_this(), status] {
    self->events_.closed(self->why_.ok() ? FromGrpc(status) : self->why_);
  });
  std::shared_ptr<StreamCount> streams = streams_;
  // What was posted holds this object now.
  self_.reset();
  streams->Remove();
}

}  // namespace baton::agent
