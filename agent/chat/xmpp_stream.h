// The client listener of a chat server, as a stranger sees it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/base/clock.h"

namespace baton::chat {

struct ClientListener {
  std::string address;  // numeric
  uint16_t port = 0;
  std::string domain;
};

// OK: the server opened an XMPP stream for the domain and offered a way to log in. UNAVAILABLE:
// the connection was refused or cut. DEADLINE_EXCEEDED: no answer within `timeout`.
// FAILED_PRECONDITION: it answered, but not as a server of this domain that takes clients.
absl::Status OpenStream(const ClientListener& listener, absl::Duration timeout, const Clock& clock);

// OK: a connection is refused. FAILED_PRECONDITION: somebody accepts it. Anything else: cannot be
// told.
absl::Status RefusesClients(const ClientListener& listener, absl::Duration timeout,
                            const Clock& clock);

}  // namespace baton::chat
