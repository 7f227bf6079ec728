#include "tests/unit/config/topology_text.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace baton {

std::string SampleTopology() {
  std::ifstream file(BATON_SOURCE_DIR "/deploy/config/topology.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Edited(const std::vector<std::pair<std::string_view, std::string_view>>& edits) {
  std::string text = SampleTopology();
  for (const auto& [from, to] : edits) {
    const size_t at = text.find(from);
    if (at == std::string::npos) {
      std::fprintf(stderr, "the sample topology has no \"%s\"\n", std::string(from).c_str());
      std::abort();
    }
    text.replace(at, from.size(), to);
  }
  return text;
}

absl::StatusOr<Topology> Parse(const std::string& text, const TopologyOptions& options) {
  return ParseTopology(text, "t.yaml", options);
}

std::string Complaint(const std::string& text, const TopologyOptions& options) {
  return std::string(Parse(text, options).status().message());
}

}  // namespace baton
