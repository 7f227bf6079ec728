// Reads one mapping of a topology file: what it may hold, what it must hold, and what is wrong.
#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "coordinator/config/problems.h"
#include "coordinator/config/yaml_tree.h"

namespace baton {

// "a, b or c"
std::string OneOf(const std::vector<std::string>& values);

// What to say of a known word that this version cannot run; nothing for words it can.
struct NotBuilt {
  std::string_view word;
  std::string_view sentence;  // "run mirrors" in "this version of Baton can't run mirrors"
};

// A view of one mapping node. `node` and `problems` outlive it. Every reader adds a problem and
// returns nothing (or the default) when the value is not of its kind. Thread-compatible.
class Fields {
 public:
  // Keys that are not in `known` are problems; so is a node that is no mapping. `what` names the
  // mapping in messages: "host hq-sql1".
  Fields(const YamlNode& node, std::string what, std::initializer_list<std::string_view> known,
         Problems& problems);

  const std::string& what() const { return what_; }
  int line() const { return node_.line; }
  // The line of a key's value, or of the mapping when it is absent.
  int LineOf(std::string_view key) const;
  bool Has(std::string_view key) const { return node_.Find(key) != nullptr; }

  // Null when absent; then a problem is added if it is required.
  const YamlNode* Optional(std::string_view key) const { return node_.Find(key); }
  const YamlNode* Required(std::string_view key, std::string_view wanted) const;

  // A scalar as it stands.
  std::optional<std::string> Text(std::string_view key, bool required) const;
  // A name that may stand in paths and messages: letters, digits, '.', '_', '-', at most 253.
  std::optional<std::string> Name(std::string_view key, bool required) const;
  // One of `values`; a word of `not_built` is refused in plain words.
  std::optional<std::string> Word(std::string_view key, bool required,
                                  const std::vector<std::string>& values,
                                  const std::vector<NotBuilt>& not_built = {}) const;
  bool Flag(std::string_view key) const;
  int Number(std::string_view key, int otherwise, int smallest, int largest) const;
  // More than nothing, at most a week.
  absl::Duration Time(std::string_view key, absl::Duration otherwise) const;
  // The items of a list, or nothing.
  std::vector<const YamlNode*> List(std::string_view key, bool required) const;
  // The entries of a mapping whose keys are names, or nothing.
  std::vector<std::pair<std::string, const YamlNode*>> Named(std::string_view key,
                                                             bool required) const;

  void Report(int line, std::string_view key, std::string found, std::string wanted,
              std::string remedy) const;

 private:
  const YamlNode& node_;
  std::string what_;
  Problems& problems_;
};

// Empty when `name` may stand in paths and messages; else what is wrong with it.
std::string WrongInName(std::string_view name);

}  // namespace baton
