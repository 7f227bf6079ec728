// The event loop as its users see it: one thread that runs what is posted, in order.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace baton {

using TimerId = uint64_t;

// Runs functions one at a time on one thread. Post and After may be called from any thread; the
// functions themselves always run on the loop, and must not block.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Runs `f` after everything posted before it.
  virtual void Post(std::function<void()> f) = 0;

  // Runs `f` once, no sooner than `delay` from now. The id is never reused and never 0.
  virtual TimerId After(absl::Duration delay, std::function<void()> f) = 0;

  // Drops a timer that has not run yet; unknown or spent ids are ignored. Called on the loop, it
  // guarantees that the function will not run.
  virtual void Cancel(TimerId id) = 0;
};

}  // namespace baton
