// `baton-guard fence`: a fence where the agent is dead.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/protocol/epoch.h"
#include "common/protocol/resource_config.h"

namespace baton {

struct HandFence {
  Epoch epoch;
  bool immediate = false;  // don't wait for a clean stop: shipped log may then lack its end
  absl::Duration timeout;  // for the proof
  std::function<void(const std::string&)> say;  // a line for people after each step
};

// Writes phase closing (closed stays closed) under `epoch`, places standby.signal, sees the server
// stopped by its supervisor, and proves it by the lock. A server that runs read-only, and has since
// it started, is left running. FAILED_PRECONDITION: `epoch` is lower than what the fence file has,
// or a server runs past the gate. DEADLINE_EXCEEDED: the fence stands, but something still runs;
// the message names it and says how to end it.
absl::Status FenceByHand(const ResourceConfig& config, const HandFence& order);

}  // namespace baton
