// Starting a server as a child, through the gate, so that the parent knows the verdict and can make
// the child's row durable before the server exists.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/os/fd.h"
#include "common/os/process.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"

namespace baton {

// One start under way. The child passes the gate, says its verdict, waits for Go, becomes the
// server. If this object or its process ends before Go, the child ends without having started
// anything. Not thread-safe; never blocks.
class GatedStart {
 public:
  // Forks. The server gets a session of its own, standard input from /dev/null, and appends what it
  // says to `log_file`.
  static absl::StatusOr<GatedStart> Fork(const ResourceConfig& config, const std::string& log_file);

  const ProcessId& child() const { return child_; }
  int fd() const { return report_.get(); }  // readable: call Read

  enum class Step { kWaiting, kJudged, kStarted, kRefused };
  // kJudged: `verdict` and `write_epoch` are known and the child waits for Go. kStarted: it is the
  // server now. kRefused: it is not and ends by itself; `reason` says why.
  Step Read();
  // Only after kJudged.
  absl::Status Go();

  // The gate's word. False with kRefused: something else failed, and may not fail next time.
  bool judged() const { return judged_; }
  GateVerdict verdict() const { return verdict_; }
  // Of the right in the fence file, less one that may be given while the server runs.
  const std::optional<Epoch>& write_epoch() const { return write_epoch_; }
  const std::string& reason() const { return reason_; }

 private:
  GatedStart() = default;
  Step TakeLine(const std::string& line);

  ProcessId child_;
  Fd report_;
  Fd go_;
  std::string text_;
  bool went_ = false;
  bool judged_ = false;
  GateVerdict verdict_ = GateVerdict::kRefuse;
  std::optional<Epoch> write_epoch_;
  std::string reason_;
};

}  // namespace baton
