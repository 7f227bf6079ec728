#include "agent/guard/resource.h"

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

constexpr size_t kConfigBytesMax = 128 * 1024;

}  // namespace

absl::StatusOr<Resource> LoadResource(const std::string& name) {
  const std::string path = name.find('/') == std::string::npos
                               ? absl::StrCat("/etc/baton/resources.d/", name, ".conf")
                               : name;
  Resource resource;
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kConfigBytesMax));
  BATON_ASSIGN_OR_RETURN(resource.config, ParseResourceConfig(text, path));
  const std::unique_ptr<char, void (*)(void*)> absolute(realpath(path.c_str(), nullptr), free);
  resource.config_file = absolute == nullptr ? path : absolute.get();
  return resource;
}

}  // namespace baton
