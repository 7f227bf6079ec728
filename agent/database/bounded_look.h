// Looking at something that may hang, from a thread that may not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace baton::postgresql {

// Runs `look` on a thread of its own, one run at a time. A run that hangs is left behind, with what
// `look` holds; until it ends, every later Look gives nothing. Thread-safe.
template <class Seen>
class BoundedLook {
 public:
  // `clock` must outlive the thread, as must whatever `look` refers to: End() waits for both where
  // it can.
  static std::shared_ptr<BoundedLook> Make(const Clock* clock, std::function<Seen()> look) {
    std::shared_ptr<BoundedLook> bounded(new BoundedLook(clock, std::move(look)));
    std::thread([bounded] { bounded->Work(); }).detach();
    return bounded;
  }

  // What a run saw that began after this call. None: it, or one before it, took longer than
  // `timeout`.
  std::optional<Seen> Look(absl::Duration timeout) {
    const absl::Duration deadline = clock_->SinceBoot() + timeout;
    MutexLock lock(&mutex_);
    if (!WaitUntil(&busy_, false, deadline)) return std::nullopt;
    busy_ = true;
    seen_.reset();
    changed_.SignalAll();
    if (!WaitUntil(&busy_, false, deadline)) return std::nullopt;
    return std::exchange(seen_, std::nullopt);
  }

  // No further run begins. True when the thread is done with `look`, waited for `timeout` at most.
  bool End(absl::Duration timeout) {
    const absl::Duration deadline = clock_->SinceBoot() + timeout;
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
    return WaitUntil(&ended_, true, deadline);
  }

 private:
  BoundedLook(const Clock* clock, std::function<Seen()> look)
      : clock_(clock), look_(std::move(look)) {}

  bool WaitUntil(const bool* flag, bool wanted, absl::Duration deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (*flag != wanted) {
      const absl::Duration left = deadline - clock_->SinceBoot();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitFor(&mutex_, left);
    }
    return true;
  }

  void Work() {
    while (true) {
      {
        MutexLock lock(&mutex_);
        while (!busy_ && !ending_) changed_.Wait(&mutex_);
        if (ending_) {
          ended_ = true;
          changed_.SignalAll();
          return;
        }
      }
      Seen seen = look_();
      MutexLock lock(&mutex_);
      seen_ = std::move(seen);
      busy_ = false;
      changed_.SignalAll();
    }
  }

  const Clock* const clock_;
  const std::function<Seen()> look_;
  Mutex mutex_;
  CondVar changed_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<Seen> seen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::postgresql
