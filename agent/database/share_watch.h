// What the shares hold for a standby, looked at beside its probe: a share may be slow or frozen,
// and a look at it costs a process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "agent/core/host_ports.h"
#include "common/base/clock.h"
#include "common/protocol/fence_state.h"

namespace baton::postgresql {

struct ShareView {
  ArchivedLog log;      // shares and copy destination
  std::string problem;  // why a share cannot be read; `log` is then what was copied
};

// Thread-safe. Its one thread looks no more often than every kInterval, and only when asked. A look
// that hangs ends by the archive's own deadline; when the watch ends before, it is left behind with
// the archive, which then has to outlive it: the process is ending.
class ShareWatch {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(2);

  ShareWatch(ArchiveStore* archive, const Clock* clock);
  ~ShareWatch();

  // What was last seen of `fetch`; has it looked at again if that is old. None: not looked yet.
  std::optional<ShareView> Ask(const std::vector<Lineage>& fetch, const std::string& from);

 private:
  struct State;

  const Clock* const clock_;
  const std::shared_ptr<State> state_;
};

}  // namespace baton::postgresql
