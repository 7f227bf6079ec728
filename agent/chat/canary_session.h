// One user's errand through the chat protocol: log in, post, see it stored, read it back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

#include "common/base/clock.h"

namespace baton::chat {

struct CanaryErrand {
  std::string address;  // of the chat server, numeric
  uint16_t port = 0;
  std::string jid;  // the account, without resource
  std::string password;
  std::string room;     // full address
  std::string message;  // unique; letters, digits and "-": the message's id and part of its text
  absl::Duration timeout;
};

// How far the errand came. Each is what was tried and not reached, but for kDone.
enum class CanaryStep {
  kConnect,
  kLogIn,
  kJoin,       // enter the room
  kReflected,  // see the own message come back from the room
  kStored,     // …with the room's stanza-id: only then it was committed
  kRead,       // find it in the room's archive (XEP-0313)
  kDone,
};
// What a program reads: "CANARY_LOGIN_FAILED", …; empty for kDone.
std::string_view ReasonFor(CanaryStep step);

struct CanaryReport {
  CanaryStep step = CanaryStep::kConnect;
  std::string detail;     // what the server or library said
  std::string stanza_id;  // as stored; empty before
  bool timed_out = false;
  bool cancelled = false;
};

// Blocks, at most a second longer than twice `timeout`: errands of one process take turns. Encrypts
// where the server offers it. `cancelled` is asked every few milliseconds.
CanaryReport RunCanary(const CanaryErrand& errand, const Clock& clock,
                       const std::function<bool()>& cancelled);

}  // namespace baton::chat
