#include "coordinator/transport/session_service.h"

#include <string>
#include <utility>

#include "common/base/mutex.h"
#include "common/rpc/status_proto.h"
#include "common/runtime/logging.h"

namespace baton {
namespace {

// A peer that was told why gets this long to take it in before the stream is torn down.
constexpr absl::Duration kFarewellMax = absl::Seconds(1);

// One stream. Made and called by gRPC's threads, which only post; everything else happens on the
// loop. Deletes itself there, after everything that was posted before OnDone.
class SessionStream : public grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>,
                      public SessionLink {
 public:
  SessionStream(grpc::CallbackServerContext* context, SessionRegistry& registry,
                Scheduler& scheduler, OutboxLimits limits)
      : context_(context),
        peer_(context->peer()),
        registry_(registry),
        scheduler_(scheduler),
        outbox_(limits) {
    scheduler_.Post([this] {
      registry_.OnOpened(this);
      StartRead(&incoming_);
    });
  }

  void OnReadDone(bool ok) override {
    scheduler_.Post([this, ok] { HandleRead(ok); });
  }
  void OnWriteDone(bool ok) override {
    scheduler_.Post([this, ok] { HandleWritten(ok); });
  }
  void OnCancel() override {
    scheduler_.Post([this] { Leave(absl::CancelledError("the stream was cancelled")); });
  }
  void OnDone() override {
    {
      MutexLock lock(&context_mutex_);
      context_ = nullptr;  // gRPC's, and about to go
    }
    scheduler_.Post([this] {
      scheduler_.Cancel(farewell_);
      if (!closed_) registry_.OnClosed(this);
      delete this;
    });
  }

  void Send(v1::CoordinatorMessage message) override {
    if (closed_) return;
    const absl::StatusOr<const v1::CoordinatorMessage*> next = outbox_.Push(std::move(message));
    if (!next.ok()) {
      // Not told to the registry from within its own call: the read that fails now does that.
      spdlog::warn("session from {} cut: {}", peer_, next.status().ToString());
      TryCancel();
    } else if (*next != nullptr) {
      StartWrite(*next);
    }
  }

  void Close(const absl::Status& status) override { FinishOnce(status); }

  std::string Peer() const override { return peer_; }

 private:
  void HandleRead(bool ok) {
    if (closed_) return;
    if (!ok) return Leave(absl::OkStatus());
    v1::AgentMessage message;
    message.Swap(&incoming_);
    registry_.OnMessage(this, std::move(message));
    if (!closed_) StartRead(&incoming_);
  }

  void HandleWritten(bool ok) {
    if (closed_ || !ok) return;
    const v1::CoordinatorMessage* next = outbox_.WriteDone();
    if (next != nullptr) StartWrite(next);
  }

  // The peer ended the stream, or it broke.
  void Leave(const absl::Status& status) {
    if (closed_) return;
    registry_.OnClosed(this);
    FinishOnce(status);
  }

  void FinishOnce(const absl::Status& status) {
    if (closed_) return;
    closed_ = true;
    Finish(ToGrpc(status));
    farewell_ = scheduler_.After(kFarewellMax, [this] { TryCancel(); });
  }

  void TryCancel() {
    MutexLock lock(&context_mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }

  Mutex context_mutex_;
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(context_mutex_);
  const std::string peer_;
  SessionRegistry& registry_;
  Scheduler& scheduler_;
  Outbox<v1::CoordinatorMessage> outbox_;
  v1::AgentMessage incoming_;
  bool closed_ = false;
  TimerId farewell_ = 0;
};

}  // namespace

grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>* SessionService::OpenSession(
    grpc::CallbackServerContext* context) {
  return new SessionStream(context, registry_, scheduler_, limits_);
}

}  // namespace baton
