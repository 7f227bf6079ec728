// Reading the words of a story's line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/epoch.h"
#include "common/protocol/ids.h"
#include "common/protocol/position.h"

namespace baton::testing {

inline constexpr char kPool[] = "pool";
inline constexpr char kSystemId[] = "7001";
inline const absl::Time kNow = absl::FromUnixSeconds(1700000000);

// Ends the test program.
[[noreturn]] void Die(std::string_view line);

// The value of KEY=… among `words`.
std::string ValueOf(const std::vector<std::string>& words, const std::string& key,
                    std::string otherwise = "");
bool Has(const std::vector<std::string>& words, const std::string& word);
Epoch EpochOf(const std::string& text);
absl::Duration DurationOf(const std::string& text);
ResourceRef RefOf(const std::string& text);
LogPosition PositionOf(const std::string& text);
// The site before the first '-'.
SiteId SiteOfName(const HostId& host);

}  // namespace baton::testing
