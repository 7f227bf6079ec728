// The border between std::string_view and Debian's absl::string_view, which is a type of its own
// and converts neither way. Everything of Baton speaks std; only calls into Abseil pass through
// here.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace baton {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

}  // namespace baton
