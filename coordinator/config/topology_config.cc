#include "coordinator/config/topology_config.h"

#include <optional>
#include <utility>

#include "common/base/status_macros.h"
#include "coordinator/config/problems.h"
#include "coordinator/config/topology_reader.h"
#include "coordinator/config/topology_rules.h"
#include "coordinator/config/yaml_tree.h"

namespace baton {

absl::StatusOr<Topology> ParseTopology(std::string_view text, std::string_view file_name,
                                       const TopologyOptions& options) {
  Problems problems{std::string(file_name)};
  Topology topology;
  if (const std::optional<YamlNode> root = ParseYaml(text, problems)) {
    Places places;
    topology = ReadTopology(*root, places, problems);
    CheckTopology(topology, options, places, problems);
  }
  BATON_RETURN_IF_ERROR(problems.ToStatus());
  return topology;
}

}  // namespace baton
