// Supervisors that a world did not start itself: an agent's direct service, or an action, starts
// one in the place of one that died.
#pragma once

#include <csignal>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"

#include "common/os/lock.h"
#include "common/protocol/resource_config.h"

namespace baton::test {

// Kills whoever supervises the resource; reaps it where it is the caller's child.
inline void KillStraySupervisors(const ResourceConfig& config) {
  const std::string lock =
      absl::StrCat(config.run_directory, "/", config.resource.value(), ".supervisor.lock");
  for (const LockHolder& holder : ProcessesWithFileOpen(lock)) {
    kill(holder.pid, SIGKILL);
    waitpid(holder.pid, nullptr, 0);
  }
}

}  // namespace baton::test
