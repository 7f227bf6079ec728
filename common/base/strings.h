// The border between std::string_view and Debian's absl::string_view, which is a type of its own
// and converts neither way. Everything of Baton speaks std; only calls into Abseil pass through
// here.
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace baton {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

// `text` in quotes, fit to be shown to a person wherever it came from: control characters and bytes
// outside ASCII become \xNN, and what is over `bytes_max` becomes "...".
std::string Printable(std::string_view text, size_t bytes_max = 120);

}  // namespace baton
