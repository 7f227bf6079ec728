// One WatchEvents call, read with a time limit.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/support/async_stream.h"

#include "baton/v1/event_service.grpc.pb.h"
#include "baton/v1/event_service.pb.h"

namespace baton {

// Used by one thread, but for Cancel.
class EventStream {
 public:
  EventStream(const std::shared_ptr<grpc::Channel>& channel, const v1::WatchEventsRequest& request);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  enum class Result { kEvent, kTimeout, kEnded };
  // Waits until `deadline` for the next event. After kEnded, status() tells why.
  Result Next(v1::Event* event, absl::Time deadline);

  // OK: the coordinator had no more to tell.
  const absl::Status& status() const { return status_; }
  // Ends the stream with CANCELLED. From any thread.
  void Cancel() { context_.TryCancel(); }

 private:
  // Waits for the operation under way. False on timeout.
  bool Await(absl::Time deadline, bool* ok);

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<v1::EventService::Stub> stub_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::Event>> reader_;
  v1::Event event_;
  grpc::Status grpc_status_;
  absl::Status status_;
  enum class Stage { kStarting, kReading, kFinishing, kEnded } stage_ = Stage::kStarting;
};

}  // namespace baton
