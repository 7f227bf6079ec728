// A piece of work that waits in between: what a runner does step by step, so that its process can
// die between any two.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "tests/simulation/event_queue.h"

namespace baton::sim {

// Owns its coroutine; destroying it ends the work where it stands, with all that it awaits.
template <class T>
class Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> waiting;
    std::function<void(T)> done;

    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        promise_type& promise = self.promise();
        if (promise.waiting) return promise.waiting;
        if (promise.done) promise.done(*std::move(promise.value));
        return std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_value(T result) { value = std::move(result); }
    void unhandled_exception() { std::terminate(); }
  };

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { Reset(); }

  // Begins the work; `done` must not destroy the task.
  void Begin(std::function<void(T)> done) {
    handle_.promise().done = std::move(done);
    handle_.resume();
  }
  void Reset() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) {
    handle_.promise().waiting = waiting;
    return handle_;
  }
  T await_resume() { return *std::move(handle_.promise().value); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

// co_await Sleep{…}: goes on as an event of `process`, or never if that is killed.
struct Sleep {
  EventQueue& queue;
  EventQueue::Process process;
  Nanos delay;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) {
    queue.At(process, delay, [self] { self.resume(); });
  }
  void await_resume() {}
};

}  // namespace baton::sim
