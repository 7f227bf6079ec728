#include "agent/chat/worker.h"

#include <utility>

namespace baton::chat {

Worker::Worker() : thread_([this] { Run(); }) {}

Worker::~Worker() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void Worker::Post(std::function<void()> work) {
  MutexLock lock(&mutex_);
  queue_.push_back(std::move(work));
  changed_.SignalAll();
}

void Worker::Run() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !ending_) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

void Interruption::Raise() {
  MutexLock lock(&mutex_);
  raised_ = true;
  changed_.SignalAll();
}

void Interruption::Clear() {
  MutexLock lock(&mutex_);
  raised_ = false;
}

bool Interruption::raised() const {
  MutexLock lock(&mutex_);
  return raised_;
}

void Interruption::Wait(absl::Duration duration) {
  MutexLock lock(&mutex_);
  // A wake-up without cause only makes the caller look once more.
  if (!raised_) changed_.WaitFor(&mutex_, duration);
}

}  // namespace baton::chat
