// The supervisor's end of its control socket.
#pragma once

#include <functional>
#include <map>
#include <poll.h>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/fd.h"
#include "common/protocol/supervisor_control.h"

namespace baton {

// Bounded in clients, bytes and time: what a client sends can neither block nor grow this process.
// Not thread-safe.
class ControlServer {
 public:
  using ClientId = int;
  using RequestFunction = std::function<void(ClientId, SupervisorVerb)>;

  static absl::StatusOr<ControlServer> Listen(const std::string& path);

  // Descriptors to poll; give what poll made of them to Handle.
  void AppendTo(std::vector<pollfd>* polled) const;
  // Accepts, reads, drops who sends nothing for too long or hangs up. `request` is called for each
  // whole request; it may Reply at once or later.
  void Handle(const std::vector<pollfd>& polled, absl::Duration now,
              const RequestFunction& request);
  // Answers and closes. Ignores a client that is gone.
  void Reply(ClientId client, const SupervisorReply& reply);
  bool has_clients() const { return !clients_.empty(); }

 private:
  struct Client {
    Fd fd;
    std::string text;
    bool asked = false;
    absl::Duration since = absl::ZeroDuration();
  };

  explicit ControlServer(Fd listener) : listener_(std::move(listener)) {}
  void Accept(absl::Duration now);
  // False: drop the client.
  bool Read(ClientId id, Client* client, const RequestFunction& request);

  Fd listener_;
  std::map<ClientId, Client> clients_;
  ClientId next_ = 1;
};

}  // namespace baton
