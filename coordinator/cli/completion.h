// Shell completion scripts, made from the command tree so that they cannot drift from it.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "coordinator/cli/command_tree.h"

namespace baton {

// A script for "bash", "zsh" or "fish". INVALID_ARGUMENT for another shell. `root` is the program;
// its flags are accepted after every verb.
absl::StatusOr<std::string> CompletionScript(std::string_view shell, const CommandInfo& root);

}  // namespace baton
