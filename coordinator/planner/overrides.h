// What an operator accepts against the refusals of a failover.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coordinator/planner/preflight.h"

namespace baton {

// What the operator accepted, as far as it was needed.
class Overrides {
 public:
  // RULE_NOT_OVERRIDABLE for names that no refusal of a failover listens to.
  explicit Overrides(const Inquiry& ask);
  // True when `rule` was overridden; then it is a line for history.
  bool Accepts(const std::string& rule, const std::string& quantity);
  // Of a loss that was accepted by its quantity.
  void Note(const std::string& rule, const std::string& quantity);
  // What to add to the command to go on against `rule`.
  static std::string Flag(const std::string& rule);
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  const Inquiry& ask_;
  std::vector<std::string> lines_;
};

}  // namespace baton
