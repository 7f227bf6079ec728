// A host with one resource, two shares and the program baton-guard, all in a temporary folder.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "absl/status/statusor.h"

#include "common/os/process.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"
#include "common/protocol/supervisor_control.h"

namespace baton {

// Ends every process that it started, and removes its folder, when it goes. Not thread-safe.
class GuardWorld {
 public:
  // A database whose "server" is `command`, with the world's folder for "@ROOT@".
  struct Shape {
    bool database = true;
    std::string command = "/bin/sleep 1000";
    std::string more;           // further lines of the resource file
    bool unprivileged = false;  // everything of it runs as, and belongs to, an ordinary user
  };
  GuardWorld() : GuardWorld(Shape()) {}
  explicit GuardWorld(const Shape& shape);
  ~GuardWorld();

  const std::string& root() const { return root_; }
  const std::string& config_file() const { return config_file_; }
  const ResourceConfig& config() const { return config_; }
  std::string guard() const { return root_ + "/baton-guard"; }
  std::string run_file(const std::string& suffix) const;

  // Lineage `counter` of this generation, shipped by `host` to share "home" or "dr".
  static Lineage MakeLineage(uint64_t counter, const std::string& host, const std::string& share);
  // Open under `counter`, confirmed in this boot, writing lineage `counter` to "home".
  FenceRecord Open(uint64_t counter) const;
  FenceRecord InPhase(FencePhase phase, uint64_t counter) const;
  void Write(const FenceRecord& record);
  // What an agent does when its coordinator says who may write: unconfirmed becomes open.
  void Confirm();
  // Plays a reboot as far as boot ids go.
  void NextBoot();

  // Files.
  void Put(const std::string& path, const std::string& bytes) const;
  std::string Get(const std::string& path) const;
  std::string Log(const std::string& name, char fill) const;  // a 1 MiB segment; its path

  // Runs a program as the world's user.
  RunResult Run(std::vector<std::string> argv, absl::Duration timeout = absl::Seconds(60)) const;
  RunResult Guard(std::vector<std::string> arguments) const;
  // Starts one that goes on; its output goes to `log` in the world's folder.
  pid_t Spawn(std::vector<std::string> argv, const std::string& log);
  // Waits for its end; the wait status.
  int Wait(pid_t pid);
  void Kill(pid_t pid, int signal);

  // Supervisors.
  pid_t StartSupervisor();
  absl::StatusOr<SupervisorReply> Ask(SupervisorVerb verb) const;
  SupervisorReply Status() const;
  // Kills the server that the supervisor's state file names, and returns once it is gone.
  void KillServer() const;

  // True as soon as `holds` does; false if it doesn't for a very long time.
  static bool Eventually(const std::function<bool()>& holds);

 private:
  std::vector<std::string> AsUser(std::vector<std::string> argv) const;

  std::string root_;
  std::string config_file_;
  ResourceConfig config_;
  bool drop_ = false;
  int boots_ = 1;
  std::vector<pid_t> spawned_;
};

}  // namespace baton
