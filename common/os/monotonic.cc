#include "common/os/monotonic.h"

#include <ctime>

namespace baton {

absl::Duration MonotonicNow() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

void Pause(absl::Duration duration) {
  const timespec wanted = absl::ToTimespec(duration);
  nanosleep(&wanted, nullptr);
}

}  // namespace baton
