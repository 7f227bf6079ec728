// What the parts of a topology say of each other: the rules that refuse one (domain.md).
#pragma once

#include "coordinator/config/problems.h"
#include "coordinator/config/topology_config.h"
#include "coordinator/config/topology_reader.h"
#include "coordinator/model/topology.h"

namespace baton {

// Adds a problem for every rule that `topology` breaks. Parts that could not be read (empty names,
// incomplete places) are not complained of a second time.
void CheckTopology(const Topology& topology, const TopologyOptions& options, const Places& places,
                   Problems& problems);

}  // namespace baton
