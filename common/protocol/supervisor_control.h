// What is said over a supervisor's control socket: one line asked, a few "key=value" lines
// answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "common/protocol/ids.h"

namespace baton {

enum class SupervisorVerb { kStatus, kStart, kStopClean, kStopImmediate };
std::string_view ToString(SupervisorVerb verb);

inline constexpr size_t kSupervisorRequestBytesMax = 64;
inline constexpr size_t kSupervisorReplyBytesMax = 8192;

// "status", "start", "stop clean", "stop immediate", without the line's end. INVALID_ARGUMENT for
// anything else.
absl::StatusOr<SupervisorVerb> ParseSupervisorVerb(std::string_view line);

struct SupervisorReply {
  bool ok = false;
  std::string error;  // when not ok: found, wanted, what to do
  bool running = false;
  int64_t pid = 0;
  bool desired_up = false;
  bool could_write = false;   // started read-write, or its fence was open since
  bool stop_overdue = false;  // a clean stop has taken longer than stop_timeout; it goes on
  std::string verdict;        // the gate's last verdict, "read-write", "standby", "refuse"
  std::string refused;        // its reason when the last start was refused; empty: it was not
  std::string last_exit;      // "exit status 1", "signal 9"; empty: never ended

  friend bool operator==(const SupervisorReply&, const SupervisorReply&) = default;
};

// Values lose their line breaks and what is over a kilobyte; everything else survives the way there
// and back.
std::string FormatSupervisorReply(const SupervisorReply& reply);
// INVALID_ARGUMENT for an answer that is cut short or not understood.
absl::StatusOr<SupervisorReply> ParseSupervisorReply(std::string_view text);

// Where the supervisor of `resource` keeps its things.
std::string SupervisorSocket(const std::string& run_directory, const ResourceId& resource);

}  // namespace baton
