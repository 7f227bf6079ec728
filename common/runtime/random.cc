#include "common/runtime/random.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include <sys/random.h>

namespace baton {

uint64_t RandomSeed() {
  uint64_t seed = 0;
  // Eight bytes never come in parts once the generator is seeded (getrandom(2)).
  if (getrandom(&seed, sizeof(seed), 0) != static_cast<ssize_t>(sizeof(seed))) std::abort();
  return seed;
}

std::string RandomId() {
  const uint64_t high = RandomSeed();
  const uint64_t low = RandomSeed();
  return absl::StrCat(absl::Hex(high, absl::kZeroPad16), absl::Hex(low, absl::kZeroPad16));
}

}  // namespace baton
