#include "tests/unit/planner/story_words.h"

#include <cstdlib>
#include <iostream>

#include "absl/strings/str_split.h"

namespace baton::testing {

[[noreturn]] void Die(std::string_view line) {
  std::cerr << "a story has a line that nobody understands: " << line << std::endl;
  std::abort();
}

// The value of KEY=… among `words`.
std::string ValueOf(const std::vector<std::string>& words, const std::string& key,
                    std::string otherwise) {
  for (const std::string& word : words) {
    if (word.rfind(key + "=", 0) == 0) return word.substr(key.size() + 1);
  }
  return otherwise;
}
bool Has(const std::vector<std::string>& words, const std::string& word) {
  for (const std::string& each : words) {
    if (each == word) return true;
  }
  return false;
}
Epoch EpochOf(const std::string& text) { return *ParseEpoch(text); }
absl::Duration DurationOf(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) Die(text);
  return duration;
}
ResourceRef RefOf(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  return {HostId(parts.at(0)), ResourceId(parts.at(1))};
}
SiteId SiteOfName(const HostId& host) {
  return SiteId(host.value().substr(0, host.value().find('-')));
}
LogPosition PositionOf(const std::string& text) {
  const absl::StatusOr<LogPosition> position = ParseLogPosition(text);
  if (!position.ok()) Die(text);
  return *position;
}

}  // namespace baton::testing
