// Tells what happened.
#pragma once

#include "grpcpp/support/server_callback.h"

#include "baton/v1/event_service.grpc.pb.h"
#include "common/base/scheduler.h"
#include "coordinator/api/watch_hub.h"

namespace baton {

// `hub` and `scheduler` outlive the service; the loop runs until the server was shut down.
class EventService : public v1::EventService::CallbackService {
 public:
  EventService(WatchHub& hub, Scheduler& scheduler) : hub_(hub), scheduler_(scheduler) {}

  grpc::ServerWriteReactor<v1::Event>* WatchEvents(grpc::CallbackServerContext* context,
                                                   const v1::WatchEventsRequest* request) override;

 private:
  WatchHub& hub_;
  Scheduler& scheduler_;
};

}  // namespace baton
