// The sample topology, and what is left of it after an edit.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "coordinator/config/topology_config.h"

namespace baton {

// deploy/config/topology.yaml.
std::string SampleTopology();

// The sample with the first occurrence of each `first` replaced by its `second`; aborts when one
// does not occur, so that a test cannot go stale.
std::string Edited(const std::vector<std::pair<std::string_view, std::string_view>>& edits);

absl::StatusOr<Topology> Parse(const std::string& text, const TopologyOptions& options = {});

// What is said of a text, "" when it is accepted.
std::string Complaint(const std::string& text, const TopologyOptions& options = {});

}  // namespace baton
