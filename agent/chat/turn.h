// One thing that is used by one thread at a time, for longer than a lock should be held.
#pragma once

#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace baton::chat {

// Thread-safe.
class Turn {
 public:
  // False when it did not come before `deadline` (on `clock`), or when nobody wants it any more;
  // `cancelled` is asked, under the turn's lock, every 20 ms.
  bool Take(const Clock& clock, absl::Duration deadline, const std::function<bool()>& cancelled) {
    MutexLock lock(&mutex_);
    while (taken_) {
      if (cancelled() || clock.SinceBoot() >= deadline) return false;
      changed_.WaitFor(&mutex_, absl::Milliseconds(20));
    }
    taken_ = true;
    return true;
  }

  void GiveBack() {
    MutexLock lock(&mutex_);
    taken_ = false;
    changed_.SignalAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::chat
