// The one thread that owns a program's state.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/time/time.h"

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/scheduler.h"

namespace baton {

// Runs posted functions in order and timers when they are due. Run() is called by one thread and
// returns after Stop(); what is still queued then is dropped. `clock` must outlive the loop.
class EventLoop : public Scheduler {
 public:
  explicit EventLoop(const Clock& clock) : clock_(clock) {}
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Run();
  // From any thread; Run() returns after the function that runs now.
  void Stop();

  void Post(std::function<void()> f) override;
  TimerId After(absl::Duration delay, std::function<void()> f) override;
  void Cancel(TimerId id) override;

 private:
  // Waits for the next function that is due; null after Stop.
  std::function<void()> Next();

  const Clock& clock_;
  Mutex mutex_;
  CondVar wake_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  TimerId last_timer_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::function<void()>> ready_ ABSL_GUARDED_BY(mutex_);
  // Ordered by (due, id): timers due at the same moment run in the order they were set.
  std::map<std::pair<absl::Duration, TimerId>, std::function<void()>> timers_
      ABSL_GUARDED_BY(mutex_);
  std::map<TimerId, absl::Duration> due_ ABSL_GUARDED_BY(mutex_);
};

// An EventLoop on a thread of its own, stopped and joined by the destructor.
class LoopThread {
 public:
  explicit LoopThread(const Clock& clock) : loop_(clock), thread_([this] { loop_.Run(); }) {}
  ~LoopThread() {
    loop_.Stop();
    thread_.join();
  }
  EventLoop& loop() { return loop_; }

 private:
  EventLoop loop_;
  std::thread thread_;
};

}  // namespace baton
