// One `direct` resource's service manager: `baton-guard run RESOURCE` (protocol.md "The
// supervisor").
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/guard/control_server.h"
#include "agent/guard/fence_watch.h"
#include "agent/guard/gated_start.h"
#include "agent/guard/leftovers.h"
#include "agent/guard/supervisor_state.h"
#include "common/base/backoff.h"
#include "common/os/lock.h"
#include "common/os/process.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Starts its server through the gate alone, restarts it when it crashed, stops it when the fence
// says so, ends what outlives it, and answers on its control socket. What it must not forget is on
// disk before it acts on it, so that a successor takes over the running server. One thread, no
// calls that block on others.
class Supervisor {
 public:
  // ALREADY_EXISTS: another one looks after this resource.
  static absl::StatusOr<std::unique_ptr<Supervisor>> Make(const ResourceConfig& config);

  // Returns when SIGTERM or SIGINT came and the server was stopped cleanly. What was desired stays:
  // the next one starts it again.
  absl::Status Run();

 private:
  enum class Stopping { kNo, kClean, kImmediate };

  explicit Supervisor(const ResourceConfig& config);
  absl::Status Prepare();

  // --- supervisor.cc: the loop and what comes in ---
  void Turn();
  absl::Duration NextWake() const;
  void OnSignals();
  void OnRequest(ControlServer::ClientId client, SupervisorVerb verb);
  SupervisorReply Status() const;
  void ReplyTo(std::vector<ControlServer::ClientId>* clients, const std::string& error);

  // --- supervisor_server.cc: the server's life ---
  void Adopt();
  void RecallServer();
  void FindLeftover();
  absl::Status Unconfirm();
  void LookAtFence();
  bool WasPromoted() const;
  void OnTimers();
  void StartServer();
  void OnStartReport();
  void StopServer(Stopping how);
  void OnServerEnded(const std::string& how);
  void ReapAll();
  void Save();

  // --- supervisor_leftovers.cc: what a server left behind when it ended ---
  void EndLeftovers();
  void OnLeftovers();
  // Is there something whose end a start waits for?
  bool WaitsForLeftovers() const;

  bool running() const { return state_.server.pid != 0 && !start_.has_value(); }

  const ResourceConfig config_;
  const std::string state_file_;
  const std::string log_file_;
  std::optional<FileLock> alone_;
  std::optional<ControlServer> control_;
  std::optional<FenceWatch> watch_;
  Fd signals_;

  SupervisorState state_;
  std::optional<FenceRecord> fence_;           // as last read
  std::optional<GatedStart> start_;            // a start under way
  std::optional<FenceRecord> fence_at_start_;  // as read before it
  // An open fence that this one found while nothing of its resource ran: to be unconfirmed before
  // anything is started.
  std::optional<FenceRecord> leftover_;
  // Told to end. What asks to stop the server is answered when they are gone, and nothing is
  // started meanwhile.
  std::optional<Leftovers> leftovers_;
  absl::Duration leftovers_since_;
  bool leftovers_killed_ = false;
  pid_t last_server_ = 0;     // that this one knew of; 0: none
  bool start_asked_ = false;  // ... because someone asked, not by itself
  Fd server_fd_;              // readable when an adopted server has ended
  bool leaving_ = false;
  Stopping stopping_ = Stopping::kNo;
  absl::Duration stop_since_;
  bool killed_ = false;
  bool overdue_said_ = false;
  std::optional<absl::Duration> restart_at_;
  absl::Duration started_at_;
  Backoff backoff_;
  std::string verdict_;
  std::string refused_;
  std::string last_exit_;
  std::vector<ControlServer::ClientId> start_waiters_;
  std::vector<ControlServer::ClientId> stop_waiters_;
};

}  // namespace baton
