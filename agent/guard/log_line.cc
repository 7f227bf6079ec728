#include "agent/guard/log_line.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "common/os/fd.h"

namespace baton {

void LogLine(const ResourceConfig& config, const std::string& text) {
  static_cast<void>(WriteAll(
      STDERR_FILENO, absl::StrCat("baton-guard ", config.resource.value(), ": ", text, "\n"),
      "standard error"));
}

}  // namespace baton
