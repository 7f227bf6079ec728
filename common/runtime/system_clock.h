// The real clock. Only mains create it.
#pragma once

#include "common/base/clock.h"

namespace baton {

// Wall time from CLOCK_REALTIME, time since boot from CLOCK_BOOTTIME. Thread-safe.
class SystemClock : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration SinceBoot() const override;
};

}  // namespace baton
