// Time as an argument. Only common/runtime holds real clocks; the simulation brings its own.
#pragma once

#include "absl/time/time.h"

namespace baton {

// Tells the time. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for people and records. May jump; never used to measure how long something took.
  virtual absl::Time Now() const = 0;

  // Time since the host booted, suspend included. Never goes back; never compared across hosts.
  virtual absl::Duration SinceBoot() const = 0;
};

}  // namespace baton
