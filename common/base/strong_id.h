// Names that cannot be mixed up: a HostId is no PoolId, though both are text.
#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace baton {

// A name of one kind. Ordered and hashable as its text; empty means "none". Thread-compatible.
template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string value) : value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  friend bool operator==(const StrongId&, const StrongId&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StrongId& id) {
    return out << id.value_;
  }
  template <class H>
  friend H AbslHashValue(H h, const StrongId& id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  std::string value_;
};

}  // namespace baton

template <class Tag>
struct std::hash<baton::StrongId<Tag>> {
  size_t operator()(const baton::StrongId<Tag>& id) const {
    return std::hash<std::string>()(id.value());
  }
};
