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

struct HandFenced {
  bool stands = false;  // the fence file says so: nothing starts writable any more
  absl::Status proof;   // OK: and nothing that could write runs
};

// Writes phase closing (closed stays closed) under `epoch`, places standby.signal, sees the server
// stopped by its supervisor, and proves it by the lock. A server that runs read-only, and has since
// it started, is left running. Where the fence does not stand, the proof is FAILED_PRECONDITION
// (`epoch` is lower than what the fence file has) or UNAVAILABLE (others hold the file), among
// other errors; where it stands, the error names what still runs and says how to end it.
HandFenced FenceByHand(const ResourceConfig& config, const HandFence& order);

}  // namespace baton
