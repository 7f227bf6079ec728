// Unary calls on the loop: gRPC's threads only post.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/support/server_callback.h"

#include "common/base/scheduler.h"
#include "common/rpc/status_proto.h"
#include "common/rpc/text.h"

namespace baton {

// Ends a call: once, on the loop. Until then request and response stay valid.
using Reply = std::function<void(const absl::Status&)>;

// Runs `handle` on the loop with the Reply of this call.
template <class Handle>
grpc::ServerUnaryReactor* OnLoop(Scheduler& scheduler, grpc::CallbackServerContext* context,
                                 Handle handle) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  scheduler.Post([reactor, handle = std::move(handle)] {
    handle([reactor](const absl::Status& status) { reactor->Finish(ToGrpc(status)); });
  });
  return reactor;
}

// What every call that changes the world must say: who asks is optional, why and under which
// request id is not.
inline absl::Status CheckChange(std::string_view request_id, std::string_view requested_by) {
  if (absl::Status status = CheckName("request_id", request_id); !status.ok()) return status;
  return CheckOptionalName("requested_by", requested_by);
}
inline absl::Status CheckReason(std::string_view reason) {
  if (reason.empty()) {
    return absl::InvalidArgumentError("reason: found none, wanted why this is done: --reason ...");
  }
  return CheckText("reason", reason);
}

}  // namespace baton
