// The guard's own words, for whoever reads its log.
#pragma once

#include <string>

#include "common/protocol/resource_config.h"

namespace baton {

// "baton-guard RESOURCE: TEXT" to standard error, in one write.
void LogLine(const ResourceConfig& config, const std::string& text);

}  // namespace baton
