#include "common/base/backoff.h"

#include <algorithm>

namespace baton {

absl::Duration Backoff::Next() {
  constexpr int kMostDoublings = 30;
  const absl::Duration whole =
      std::min(limit_, first_ * (int64_t{1} << std::min(tries_, kMostDoublings)));
  ++tries_;
  // SplitMix64 (Steele, Lea, Flood 2014): small, seedable, good enough to spread clients.
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  const double fraction = 0.5 + 0.5 * (static_cast<double>(z >> 11) / 9007199254740992.0);
  return whole * fraction;
}

}  // namespace baton
