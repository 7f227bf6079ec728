// From the tree of a topology file to the topology, part by part.
#pragma once

#include <map>
#include <set>
#include <string>

#include "coordinator/config/problems.h"
#include "coordinator/config/yaml_tree.h"
#include "coordinator/model/topology.h"

namespace baton {

// Where each part of a topology stands in its file. Parts are paths of keys and indexes:
// "pools/chat.example.com/databases/mgc/instances/0/share".
class Places {
 public:
  void Set(const std::string& path, int line) { lines_.emplace(path, line); }
  // The part's line, or that of the nearest part around it that has one.
  int LineOf(std::string path) const;

  // Something in this part could not be read: what seems to be missing may be that.
  void MarkIncomplete(const std::string& path) { incomplete_.insert(path); }
  bool Incomplete(const std::string& path) const { return incomplete_.count(path) > 0; }

 private:
  std::map<std::string, int> lines_;
  std::set<std::string> incomplete_;
};

// Everything that can be read; names that could not be are empty. Adds a problem for each wrong
// key, kind, word, number and time; what parts say of each other is not looked at here.
Topology ReadTopology(const YamlNode& root, Places& places, Problems& problems);

}  // namespace baton
