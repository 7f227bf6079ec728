// The resource that a command line names.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "common/protocol/resource_config.h"

namespace baton {

struct Resource {
  std::string config_file;  // absolute
  ResourceConfig config;
};

// `name` is a path if it holds a '/', else it stands for /etc/baton/resources.d/NAME.conf.
// NOT_FOUND, or INVALID_ARGUMENT with file and line.
absl::StatusOr<Resource> LoadResource(const std::string& name);

}  // namespace baton
