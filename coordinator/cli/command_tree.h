// The verbs and flags as data: what completion scripts are made of.
#pragma once

#include <string>
#include <vector>

namespace baton {

struct FlagInfo {
  std::vector<std::string> names;  // "-o", "--output"
  std::string description;         // first sentence
  bool takes_value = false;
  std::vector<std::string> values;  // allowed ones; empty: any
};

struct CommandInfo {
  std::string name;
  std::string description;
  std::vector<FlagInfo> flags;
  std::vector<std::string> values;  // allowed words as its first argument; empty: any
  bool takes_file = false;          // its argument is a file
  std::vector<CommandInfo> commands;
};

}  // namespace baton
