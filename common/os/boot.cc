#include "common/os/boot.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {

absl::StatusOr<std::string> ReadBootId(const std::string& path) {
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 256));
  const std::string word = text.substr(0, text.find_first_of(" \t\r\n"));
  if (word.empty()) {
    return absl::DataLossError(absl::StrCat(path, ": found no boot id, wanted one word"));
  }
  return word;
}

}  // namespace baton
