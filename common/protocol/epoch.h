// The fencing token of a pool.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

// Only grows: the counter with every move of the right to write, the generation when a coordinator
// adopts a pool anew (protocol.md "Epoch"). {0,0} is "none", lower than any real one.
// Written "generation.counter", e.g. "1.17".
struct Epoch {
  uint64_t generation = 0;
  uint64_t counter = 0;

  bool none() const { return generation == 0 && counter == 0; }
  Epoch Next() const { return {generation, counter + 1}; }
  std::string ToString() const;

  friend auto operator<=>(const Epoch&, const Epoch&) = default;
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

// INVALID_ARGUMENT when `text` is not two decimal numbers with a dot between.
absl::StatusOr<Epoch> ParseEpoch(std::string_view text);

}  // namespace baton
