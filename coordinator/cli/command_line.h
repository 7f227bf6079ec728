// From words to Options. The only file that knows the library which reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/cli/command_tree.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/options.h"

namespace baton {

inline constexpr char kDefaultCoordinator[] = "127.0.0.1:7400";

struct ParsedLine {
  // Nothing: `text` is the answer already (help, version, or what is wrong with the words).
  std::optional<Options> options;
  std::string text;
  ExitCode code = ExitCode::kDone;  // kUsage: `text` belongs on standard error
};

// `arguments` without the program's name. `environment_coordinator` is BATON_COORDINATOR's value,
// empty when unset.
ParsedLine ParseCommandLine(const std::vector<std::string>& arguments,
                            const std::string& environment_coordinator);

// The program and its verbs.
CommandInfo CommandTree();

}  // namespace baton
