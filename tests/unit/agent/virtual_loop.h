// A scheduler and a clock of one thread, whose time passes only when a test says so.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"

#include "common/base/clock.h"
#include "common/base/scheduler.h"

namespace baton {

class VirtualLoop : public Scheduler, public Clock {
 public:
  void Post(std::function<void()> f) override { ready_.push_back(std::move(f)); }
  TimerId After(absl::Duration delay, std::function<void()> f) override {
    timers_[{now_ + delay, ++last_}] = std::move(f);
    return last_;
  }
  void Cancel(TimerId id) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second != id) continue;
      timers_.erase(it);
      return;
    }
  }
  absl::Time Now() const override { return absl::UnixEpoch() + now_; }
  absl::Duration SinceBoot() const override { return now_; }

  // Everything that is due now.
  void RunReady() {
    while (RunOne()) {
    }
  }
  void Advance(absl::Duration by) {
    const absl::Duration end = now_ + by;
    RunReady();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = std::max(now_, timers_.begin()->first.first);
      RunReady();
    }
    now_ = end;
  }
  // What a process that ended had under way.
  void Clear() {
    ready_.clear();
    timers_.clear();
  }

 private:
  bool RunOne() {
    std::function<void()> f;
    if (!ready_.empty()) {
      f = std::move(ready_.front());
      ready_.pop_front();
    } else if (!timers_.empty() && timers_.begin()->first.first <= now_) {
      f = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    } else {
      return false;
    }
    f();
    return true;
  }

  absl::Duration now_ = absl::Hours(1);
  TimerId last_ = 0;
  std::deque<std::function<void()>> ready_;
  std::map<std::pair<absl::Duration, TimerId>, std::function<void()>> timers_;
};

}  // namespace baton
