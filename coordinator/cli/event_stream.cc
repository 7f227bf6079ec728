#include "coordinator/cli/event_stream.h"

#include "common/rpc/status_proto.h"

namespace baton {

EventStream::EventStream(const std::shared_ptr<grpc::Channel>& channel,
                         const v1::WatchEventsRequest& request)
    : stub_(v1::EventService::NewStub(channel)),
      reader_(stub_->PrepareAsyncWatchEvents(&context_, request, &queue_)) {
  reader_->StartCall(this);
}

EventStream::~EventStream() {
  Cancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool EventStream::Await(absl::Time deadline, bool* ok) {
  void* tag = nullptr;
  return queue_.AsyncNext(&tag, ok, absl::ToChronoTime(deadline)) ==
         grpc::CompletionQueue::GOT_EVENT;
}

EventStream::Result EventStream::Next(v1::Event* event, absl::Time deadline) {
  while (stage_ != Stage::kEnded) {
    bool ok = false;
    if (!Await(deadline, &ok)) return Result::kTimeout;
    if (stage_ == Stage::kFinishing) {
      status_ = FromGrpc(grpc_status_);
      stage_ = Stage::kEnded;
      break;
    }
    const bool received = ok && stage_ == Stage::kReading;
    if (received) event->Swap(&event_);
    if (ok) {
      stage_ = Stage::kReading;
      reader_->Read(&event_, this);
    } else {
      stage_ = Stage::kFinishing;
      reader_->Finish(&grpc_status_, this);
    }
    if (received) return Result::kEvent;
  }
  return Result::kEnded;
}

}  // namespace baton
