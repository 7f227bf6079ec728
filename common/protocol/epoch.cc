#include "common/protocol/epoch.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/strings.h"

namespace baton {

std::string Epoch::ToString() const { return absl::StrCat(generation, ".", counter); }

absl::StatusOr<Epoch> ParseEpoch(std::string_view text) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(ToAbsl(text), absl::MaxSplits('.', 1));
  Epoch epoch;
  if (!absl::SimpleAtoi(parts.first, &epoch.generation) ||
      !absl::SimpleAtoi(parts.second, &epoch.counter)) {
    return absl::InvalidArgumentError(
        absl::StrCat("epoch: found \"", ToAbsl(text), "\", wanted GENERATION.COUNTER, e.g. 1.17"));
  }
  return epoch;
}

}  // namespace baton
