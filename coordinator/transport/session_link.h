// One agent's stream, as the registry sees it.
#pragma once

#include <string>

#include "absl/status/status.h"

#include "baton/v1/agent_session.pb.h"

namespace baton {

// Called on the loop only.
class SessionLink {
 public:
  virtual ~SessionLink() = default;

  // Queues a message; never blocks. A peer that does not read what is queued is cut off.
  virtual void Send(v1::CoordinatorMessage message) = 0;

  // Ends the stream with `status`. The registry forgets the link before it calls this, and hears
  // nothing more of it.
  virtual void Close(const absl::Status& status) = 0;

  // Where the peer calls from, for people.
  virtual std::string Peer() const = 0;
};

}  // namespace baton
