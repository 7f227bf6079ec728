// YAML text as a small tree in which every node knows its line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/config/problems.h"

namespace baton {

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  int line = 0;        // from 1
  std::string scalar;  // kScalar
  std::vector<YamlNode> items;
  std::vector<std::pair<YamlNode, YamlNode>> entries;  // keys are scalars, each once

  // Null when the key is absent.
  const YamlNode* Find(std::string_view key) const;
  // What it is, for messages: "'hq'", "a list", "a mapping", "nothing".
  std::string Describe() const;
};

// The single document in `text`. Bounded in time and memory whatever the text: at most 1 MiB, 16
// levels deep, 100 000 nodes; anchors, aliases, tags, keys that are no scalars and keys named twice
// are problems. Nothing, with at least one problem added, when the text is no YAML of this kind.
std::optional<YamlNode> ParseYaml(std::string_view text, Problems& problems);

}  // namespace baton
