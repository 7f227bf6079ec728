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
  // whole request that is read while its client waits for an answer; it may Reply at once or later.
  void Handle(const std::vector<pollfd>& polled, absl::Duration now,
              const RequestFunction& request);
  // Answers and closes. Ignores a client that is gone.
  void Reply(ClientId client, const SupervisorReply& reply);
  // Is it still there to hear an answer?
  bool IsWaiting(ClientId client) const { return clients_.count(client) != 0; }

 private:
  struct Client {
    Fd fd;
    std::string text;
    bool asked = false;
    absl::Duration since = absl::ZeroDuration();
  };

  explicit ControlServer(Fd listener) : listener_(std::move(listener)) {}
  void Accept(absl::Duration now);
  // Makes room by the client that has been silent longest; false: all wait for an answer.
  bool DropSilent();
  // False: drop the client.
  bool Read(ClientId id, Client* client, const RequestFunction& request);

  Fd listener_;
  std::map<ClientId, Client> clients_;
  ClientId next_ = 1;
};

}  // namespace baton
