#include "coordinator/cli/value_words.h"

#include <array>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace baton {
namespace {

absl::Status Wrong(const std::string& typed, const std::string& wanted) {
  return absl::InvalidArgumentError(absl::StrCat("found \"", typed, "\", wanted ", wanted));
}

struct ByteUnit {
  const char* name;  // lower case
  double bytes;
};

constexpr std::array kByteUnits = {
    ByteUnit{"", 1},         ByteUnit{"b", 1},        ByteUnit{"kb", 1e3},
    ByteUnit{"mb", 1e6},     ByteUnit{"gb", 1e9},     ByteUnit{"tb", 1e12},
    ByteUnit{"kib", 1024.0}, ByteUnit{"mib", 0x1p20}, ByteUnit{"gib", 0x1p30},
    ByteUnit{"tib", 0x1p40},
};

// Above it, a double no longer tells one byte from the next.
constexpr double kBytesMax = 0x1p53;

}  // namespace

absl::StatusOr<absl::Duration> ParseTime(const std::string& typed) {
  absl::Duration time;
  if (!absl::ParseDuration(typed, &time) || time < absl::ZeroDuration() ||
      time == absl::InfiniteDuration()) {
    return Wrong(typed, "a time from 0 on with its unit; write 500ms, 90s, 5m, 1h30m");
  }
  return time;
}

absl::StatusOr<absl::Duration> ParseTimeOrAny(const std::string& typed) {
  if (typed == "any") return absl::InfiniteDuration();
  absl::StatusOr<absl::Duration> time = ParseTime(typed);
  if (!time.ok()) {
    return Wrong(typed, "a time from 0 on with its unit, or any; write 500ms, 90s, 5m, 1h30m");
  }
  return time;
}

absl::StatusOr<uint64_t> ParseByteCount(const std::string& typed) {
  const size_t end = std::min(typed.find_first_not_of("0123456789."), typed.size());
  std::string unit = absl::AsciiStrToLower(typed.substr(end));
  absl::StripAsciiWhitespace(&unit);
  double count = 0;
  if (end > 0 && absl::SimpleAtod(typed.substr(0, end), &count)) {
    for (const ByteUnit& known : kByteUnits) {
      const double bytes = std::ceil(count * known.bytes);
      if (unit == known.name && bytes <= kBytesMax) return static_cast<uint64_t>(bytes);
    }
  }
  return Wrong(typed, "a number of bytes, with or without a unit; write 4096, 16MB, 1.5GiB");
}

absl::StatusOr<uint64_t> ParseCount(const std::string& typed, uint64_t most) {
  uint64_t count = 0;
  if (!absl::SimpleAtoi(typed, &count) || count > most) {
    return Wrong(typed, absl::StrCat("a whole number from 0 to ", most));
  }
  return count;
}

absl::StatusOr<uint32_t> ParseStepNumber(const std::string& typed) {
  uint32_t number = 0;
  if (!absl::SimpleAtoi(typed, &number) || number == 0) {
    return Wrong(typed, "a step's number from 1 on; see them with: baton plan show PLAN");
  }
  return number;
}

absl::StatusOr<SalvageSource> ParseSalvage(const std::string& typed) {
  const size_t equals = typed.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 >= typed.size() ||
      typed[equals + 1] != '/') {
    return Wrong(typed,
                 "HOST=DIRECTORY, the lost host's data directory as the host that takes over sees "
                 "it; write hq-sql1=/mnt/hq-sql1/pgdata");
  }
  return SalvageSource{typed.substr(0, equals), typed.substr(equals + 1)};
}

absl::StatusOr<InstanceName> ParseInstanceName(const std::string& typed) {
  const size_t slash = typed.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 >= typed.size() ||
      typed.find('/', slash + 1) != std::string::npos) {
    return Wrong(typed, "HOST/RESOURCE as baton status names it; write hq-sql1/mgc");
  }
  return InstanceName{typed.substr(0, slash), typed.substr(slash + 1)};
}

}  // namespace baton
