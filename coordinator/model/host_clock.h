// What the coordinator knows of another host's wall clock. Two hosts' clocks are never compared:
// what is asked of this one is how long ago it dated something, in the coordinator's monotonic
// time.
#pragma once

#include "absl/time/time.h"

namespace baton {

// A value. `since_boot` is the coordinator's time since its boot (Clock::SinceBoot), at the moment
// of the call.
class HostClock {
 public:
  // The host says that it is `clock` there.
  void Tell(absl::Time clock, absl::Duration since_boot);

  // What it says now, if nobody set it since it was told. Past: never told.
  absl::Time At(absl::Duration since_boot) const { return at_boot_ + since_boot; }

  // How long ago that clock stood at `dated`, at most: a time that it showed twice, since it was
  // seen to be set back, counts from the first. Infinite where nobody can tell: it was never told,
  // or has not come to `dated` yet. A message's way here is not counted.
  absl::Duration Since(absl::Time dated, absl::Duration since_boot) const;

  friend bool operator==(const HostClock&, const HostClock&) = default;

 private:
  // Each as what that clock would have said at the coordinator's boot.
  absl::Time at_boot_ = absl::InfinitePast();
  absl::Time older_at_boot_ = absl::InfinitePast();  // as it was before it was set back
  absl::Time set_back_at_ = absl::InfinitePast();    // the latest time that was ever taken back
  absl::Duration told_ = absl::ZeroDuration();       // when it was told last
};

}  // namespace baton
