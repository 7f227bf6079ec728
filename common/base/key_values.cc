#include "common/base/key_values.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/strings.h"

namespace baton {
namespace {

absl::Status AtLine(std::string_view file_name, size_t line, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(file_name), ":", line, ": ", ToAbsl(what)));
}

}  // namespace

absl::Status ParseKeyValues(
    std::string_view text, std::string_view file_name, std::string_view sample,
    const std::function<absl::Status(const std::string& key, const std::string& value, size_t line)>&
        set) {
  if (text.size() > kKeyValuesBytesMax) {
    return AtLine(file_name, 1,
                  absl::StrCat("found ", text.size(), " bytes, wanted at most ", kKeyValuesBytesMax));
  }
  std::set<std::string> seen;
  const std::vector<std::string> lines = absl::StrSplit(ToAbsl(text), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string line(absl::StripAsciiWhitespace(lines[i]));
    if (line.empty() || line.front() == '#') continue;
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits('=', 1));
    const std::string key(absl::StripAsciiWhitespace(parts.first));
    const std::string value(absl::StripAsciiWhitespace(parts.second));
    if (key.empty() || value.empty()) {
      return AtLine(file_name, i + 1, absl::StrCat("found ", Printable(line), ", wanted key = value"));
    }
    if (!seen.insert(key).second) {
      return AtLine(file_name, i + 1, absl::StrCat("found ", Printable(key), " again, wanted it once"));
    }
    const absl::Status done = set(key, value, i + 1);
    if (absl::IsNotFound(done)) {
      return AtLine(file_name, i + 1,
                    absl::StrCat("found unknown key ", Printable(key), ", wanted one that ",
                                 ToAbsl(sample), " shows"));
    }
    if (!done.ok()) return AtLine(file_name, i + 1, std::string(done.message()));
  }
  return absl::OkStatus();
}

}  // namespace baton
