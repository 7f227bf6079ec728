// Waits between tries that grow, and differ from one client to the next.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace baton {

// Exponential backoff with full jitter in its upper half: the n-th wait lies in [w/2, w) with
// w = min(limit, first × 2ⁿ). Deterministic for one seed. Thread-compatible.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration limit, uint64_t seed)
      : first_(first), limit_(limit), state_(seed) {}

  absl::Duration Next();
  // The next wait is a first one again.
  void Reset() { tries_ = 0; }

 private:
  absl::Duration first_;
  absl::Duration limit_;
  uint64_t state_;
  int tries_ = 0;
};

}  // namespace baton
