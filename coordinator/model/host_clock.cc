#include "coordinator/model/host_clock.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace baton {
namespace {

// Less than this is the way of a message, and what a clock is slewed by between two of them.
constexpr absl::Duration kSetBack = absl::Seconds(1);
// A clock loses at most one part in this many.
constexpr int64_t kSlowest = 5000;

}  // namespace

void HostClock::Tell(absl::Time clock, absl::Duration since_boot) {
  const absl::Duration back = At(since_boot) - clock;
  const absl::Duration elapsed = since_boot - std::exchange(told_, since_boot);
  if (back > absl::ZeroDuration() && back <= kSetBack) {
    // Ways that grow longer, one after the other, are not to add up; a clock that runs slow is.
    at_boot_ -= std::min(back, elapsed / kSlowest);
    return;
  }
  // A message that was held up on its way looks the same, and is harmless: the older time is right.
  if (back > kSetBack) {
    older_at_boot_ = std::max(older_at_boot_, at_boot_);
    set_back_at_ = std::max(set_back_at_, At(since_boot));
  }
  at_boot_ = clock - since_boot;
}

absl::Duration HostClock::Since(absl::Time dated, absl::Duration since_boot) const {
  if (at_boot_ == absl::InfinitePast() || dated == absl::InfinitePast()) {
    return absl::InfiniteDuration();
  }
  const absl::Time at_boot = dated <= set_back_at_ ? std::max(at_boot_, older_at_boot_) : at_boot_;
  const absl::Duration since = at_boot + since_boot - dated;
  return since < absl::ZeroDuration() ? absl::InfiniteDuration() : since;
}

}  // namespace baton
