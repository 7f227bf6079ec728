// One thread that runs what is posted, in order.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/base/mutex.h"

namespace baton::chat {

// Thread-safe. The destructor runs what was posted and waits for it.
class Worker {
 public:
  Worker();
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void Post(std::function<void()> work);

 private:
  void Run();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

// Ends somebody's waiting. Thread-safe.
class Interruption {
 public:
  void Raise();
  void Clear();
  bool raised() const;
  // Returns after `duration`, or at once when raised.
  void Wait(absl::Duration duration);

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool raised_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::chat
