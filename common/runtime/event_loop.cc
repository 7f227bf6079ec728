#include "common/runtime/event_loop.h"

namespace baton {

void EventLoop::Run() {
  while (std::function<void()> f = Next()) f();
}

std::function<void()> EventLoop::Next() {
  MutexLock lock(&mutex_);
  while (!stopped_) {
    const absl::Duration now = clock_.SinceBoot();
    // Timers that are due go first, so that a stream of posts cannot starve them.
    if (!timers_.empty() && timers_.begin()->first.first <= now) {
      const auto first = timers_.begin();
      std::function<void()> f = std::move(first->second);
      due_.erase(first->first.second);
      timers_.erase(first);
      return f;
    }
    if (!ready_.empty()) {
      std::function<void()> f = std::move(ready_.front());
      ready_.pop_front();
      return f;
    }
    if (timers_.empty()) {
      wake_.Wait(&mutex_);
    } else {
      wake_.WaitFor(&mutex_, timers_.begin()->first.first - now);
    }
  }
  return nullptr;
}

void EventLoop::Stop() {
  MutexLock lock(&mutex_);
  stopped_ = true;
  wake_.SignalAll();
}

void EventLoop::Post(std::function<void()> f) {
  MutexLock lock(&mutex_);
  ready_.push_back(std::move(f));
  wake_.SignalAll();
}

TimerId EventLoop::After(absl::Duration delay, std::function<void()> f) {
  const absl::Duration due = clock_.SinceBoot() + delay;
  MutexLock lock(&mutex_);
  const TimerId id = ++last_timer_;
  timers_.emplace(std::pair(due, id), std::move(f));
  due_.emplace(id, due);
  wake_.SignalAll();
  return id;
}

void EventLoop::Cancel(TimerId id) {
  MutexLock lock(&mutex_);
  const auto it = due_.find(id);
  if (it == due_.end()) return;
  timers_.erase({it->second, id});
  due_.erase(it);
}

}  // namespace baton
