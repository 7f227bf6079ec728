// Child processes: an argument vector, never a shell; bounded in time and in what they may say.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/fd.h"

namespace baton {

// A process that is not mistaken for a later one of the same pid.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // /proc/PID/stat field 22

  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

// NOT_FOUND: no process has that pid.
absl::StatusOr<ProcessId> IdentifyProcess(pid_t pid);

// Runs and is not a zombie.
bool IsAlive(const ProcessId& process);

// A descriptor that polls readable when the process has ended. NOT_FOUND: it is gone already.
absl::StatusOr<Fd> OpenProcess(const ProcessId& process);

// Sends `signal` to the process, or to its whole group; OK when it is gone already.
absl::Status SignalProcess(const ProcessId& process, int signal);
absl::Status SignalProcessGroup(const ProcessId& process, int signal);

struct RunOptions {
  std::vector<std::string> argv;         // argv[0] is an absolute path
  std::vector<std::string> environment;  // "NAME=value", added to the caller's own
  std::string working_directory;         // empty: the caller's
  std::string input;                     // what the child reads from its standard input
  absl::Duration timeout = absl::Seconds(30);
  size_t output_bytes_max = 1 << 20;  // of each stream; what is over that is read and dropped

  // Called while the child exists but has not started `argv` yet. An error: it never does, and Run
  // returns that error. If the caller dies meanwhile, the child ends without having acted.
  std::function<absl::Status(const ProcessId&)> before_start;
  // Pieces of standard output as they come.
  std::function<void(std::string_view)> on_output;
};

struct RunResult {
  int exit_status = -1;  // -1: ended by `signal`, or still there
  int signal = 0;
  bool timed_out = false;  // killed, with its process group, when the timeout passed
  bool stuck = false;      // ... and not even that ended it: it is left behind
  std::string output;
  std::string error;
  bool cut = false;  // a stream said more than `output_bytes_max`

  bool ok() const { return exit_status == 0 && !timed_out; }
  // "exit status 1", "signal 9", "no end within 30s".
  std::string Describe(absl::Duration timeout) const;
};

// Runs a program to its end as leader of a process group of its own. Thread-safe; blocks the
// calling thread for at most the timeout and one second. An error means that it was not started.
absl::StatusOr<RunResult> Run(const RunOptions& options);

// The program `name` in the folder of the running one. NOT_FOUND: there is none, or it can't be
// run.
absl::StatusOr<std::string> SiblingProgram(const std::string& name);

// Starts a program that outlives the caller: a session of its own, standard input from /dev/null,
// output appended to `log_file`. Its parent is the host's init.
absl::Status StartDetached(const std::vector<std::string>& argv, const std::string& log_file);

}  // namespace baton
