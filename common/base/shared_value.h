// A value, or none, that its copies share.
#pragma once

#include <memory>
#include <utility>

namespace baton {

// Reads like a std::optional<const T>, and is copied and moved like a pointer: for what is large
// and handed on often. What is held never changes; assigning holds another value, in this copy
// alone. Compares by value. Copies may be used in different threads.
template <class T>
class SharedValue {
 public:
  SharedValue() = default;
  SharedValue(T value) : held_(std::make_shared<const T>(std::move(value))) {}

  bool has_value() const { return held_ != nullptr; }
  const T& operator*() const { return *held_; }
  const T* operator->() const { return held_.get(); }
  void reset() { held_.reset(); }

  friend bool operator==(const SharedValue& one, const SharedValue& other) {
    if (one.held_ == other.held_) return true;
    return one.has_value() && other.has_value() && *one == *other;
  }

 private:
  std::shared_ptr<const T> held_;
};

}  // namespace baton
