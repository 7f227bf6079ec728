#include "coordinator/cli/terminal.h"

#include <utility>

namespace baton {

Interrupt::Scope::Scope(Interrupt& interrupt, std::function<void()> f) : interrupt_(interrupt) {
  MutexLock lock(&interrupt_.mutex_);
  ++interrupt_.scopes_;
  outer_ = std::exchange(interrupt_.f_, std::move(f));
}

Interrupt::Scope::~Scope() {
  MutexLock lock(&interrupt_.mutex_);
  --interrupt_.scopes_;
  interrupt_.f_ = std::move(outer_);
}

bool Interrupt::Trigger() {
  MutexLock lock(&mutex_);
  if (scopes_ == 0) return false;
  triggered_ = true;
  changed_.SignalAll();
  // Called under the lock, so that no scope ends while its function runs.
  if (std::function<void()> f = std::exchange(f_, nullptr)) f();
  return true;
}

bool Interrupt::triggered() const {
  MutexLock lock(&mutex_);
  return triggered_;
}

bool Interrupt::WaitFor(absl::Duration duration) {
  MutexLock lock(&mutex_);
  // A wait that wakes without cause only makes the next look come sooner.
  if (!triggered_) changed_.WaitFor(&mutex_, duration);
  return triggered_;
}

}  // namespace baton
