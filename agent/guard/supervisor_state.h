// What a supervisor's successor must know.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/os/process.h"
#include "common/protocol/epoch.h"

namespace baton {

struct SupervisorState {
  bool desired_up = false;
  ProcessId server;                     // pid 0: none
  bool could_write = false;             // it started read-write, or its fence was open since
  std::optional<Epoch> write_at_start;  // the fence file's write epoch when it started

  friend bool operator==(const SupervisorState&, const SupervisorState&) = default;
};

std::string FormatSupervisorState(const SupervisorState& state);
// DATA_LOSS when it is cut short or altered.
absl::StatusOr<SupervisorState> ParseSupervisorState(const std::string& text);

// NOT_FOUND: none was ever saved.
absl::StatusOr<SupervisorState> LoadSupervisorState(const std::string& path);
// On disk when this returns OK.
absl::Status SaveSupervisorState(const std::string& path, const SupervisorState& state);

}  // namespace baton
