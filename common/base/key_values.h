// The one form of our small configuration files: `key = value` lines.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace baton {

inline constexpr size_t kKeyValuesBytesMax = 64 * 1024;

// Calls `set` for each `key = value` line of `text`, both without blanks around and neither empty. Lines
// that are blank or start with '#' are skipped. Stops at the first error: a line of another form, a key
// that comes twice, or whatever `set` returns, as INVALID_ARGUMENT with "FILE:LINE: " in front.
// `set` answers NOT_FOUND for a key it does not know; `sample` is where the reader finds the known ones.
absl::Status ParseKeyValues(
    std::string_view text, std::string_view file_name, std::string_view sample,
    const std::function<absl::Status(const std::string& key, const std::string& value, size_t line)>&
        set);

}  // namespace baton
