#include "common/base/strings.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace baton {

std::string Printable(std::string_view text, size_t bytes_max) {
  const bool cut = text.size() > bytes_max;
  return absl::StrCat("\"", absl::CHexEscape(ToAbsl(text.substr(0, bytes_max))), cut ? "..." : "",
                      "\"");
}

}  // namespace baton
