// What the programs that run in the foreground under a service manager have in common.
#pragma once

#include <csignal>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"

namespace baton {

// Exit statuses, the same for every such program; those from 64 on as sysexits.h has them.
inline constexpr int kExitOk = 0;  // ended as asked
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 64;    // the command line is wrong
inline constexpr int kExitBadData = 65;  // a configuration or data file is wrong
inline constexpr int kExitInUse = 69;    // another one has what this one needs

// The configuration file to run with, or, when there is nothing to run, the exit status.
// Understands
// --config FILE, --help and --version; whatever else is told on standard error, with what was
// wanted.
std::variant<std::string, int> ReadCommandLine(std::string_view program, std::string_view help,
                                               int argc, char** argv);

// Says "PROGRAM: message" on standard error and gives `code` back.
int ExitWith(int code, std::string_view program, const absl::Status& status);

// SIGTERM and SIGINT, blocked in this thread and those that it makes from now on, for whoever calls
// sigwait. SIGPIPE is ignored. Before the first thread.
sigset_t BlockEndSignals();

}  // namespace baton
