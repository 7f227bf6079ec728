// Deadlines towards other processes. Everything else takes a Clock (common/base/clock.h).
#pragma once

#include "absl/time/time.h"

namespace baton {

// Time since the host booted, suspend included.
absl::Duration MonotonicNow();

// Sleeps for `duration`, or less if a signal arrives. Only between looks at something that cannot
// be waited for otherwise.
void Pause(absl::Duration duration);

}  // namespace baton
