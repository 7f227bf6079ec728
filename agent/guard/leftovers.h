// What is left of a server that has ended, killed say: its children lead sessions of their own, and
// go on until they notice.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "absl/status/status.h"

#include "common/os/fd.h"
#include "common/os/process.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Processes that hold the gate's lock and belong to a server that is no more. Those of PostgreSQL:
// its own processes in this data directory, while no live server leads them. Those of a chat
// server: the session that `ended` led (0: not known, then none). What merely inherited the lock, a
// helper or a shell say, is not among them. Not thread-safe.
class Leftovers {
 public:
  static Leftovers Find(const ResourceConfig& config, pid_t ended);

  bool empty() const { return processes_.empty(); }
  // Have all of them ended since?
  bool AllEnded() const;
  // "12 13", for people and for `kill`.
  std::string Pids() const;
  // To each that is still there, and to nothing else. The last error; OK where it is gone.
  absl::Status Signal(int signal) const;

 private:
  struct Process {
    pid_t pid = 0;
    Fd handle;  // polls readable when it has ended
  };
  std::vector<Process> processes_;
};

}  // namespace baton
