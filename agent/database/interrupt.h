// Waiting that somebody else can end.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/base/mutex.h"

namespace baton::postgresql {

// A flag that wakes whoever waits on it. Thread-safe.
class Interrupt {
 public:
  void Raise() {
    MutexLock lock(&mutex_);
    raised_ = true;
    changed_.SignalAll();
  }
  void Clear() {
    MutexLock lock(&mutex_);
    raised_ = false;
  }
  bool raised() const {
    MutexLock lock(&mutex_);
    return raised_;
  }
  // Waits about `duration`, less when woken. CANCELLED once raised.
  absl::Status Wait(absl::Duration duration) {
    MutexLock lock(&mutex_);
    if (!raised_) changed_.WaitFor(&mutex_, duration);
    return raised_ ? absl::CancelledError("asked to stop") : absl::OkStatus();
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool raised_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::postgresql
