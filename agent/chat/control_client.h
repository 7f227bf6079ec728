// Talks to mod_baton, the chat server's own endpoint on loopback
// (agent/chat/prosody/mod_baton.lua).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace baton::chat {

// What a running chat server says of itself.
struct ChatStatus {
  bool accepting = false;  // its client listener is open
  uint64_t users = 0;      // distinct accounts online
  uint64_t sessions = 0;   // client connections, logged in or not
  uint64_t authenticated = 0;
  uint64_t rooms = 0;  // in memory; rooms that nobody entered since the start are not counted
  uint64_t occupants = 0;
  std::string instance;  // the database instance that it was started with
  std::string database_host;
  std::string database_port;
  bool database_connected = false;

  friend bool operator==(const ChatStatus&, const ChatStatus&) = default;
};

// "key=value" lines; keys that are not known are passed over. DATA_LOSS naming the key that is
// missing or whose value is not understood.
absl::StatusOr<ChatStatus> ParseChatStatus(std::string_view text);

// Each call is one request on a connection of its own, over within `timeout`. UNAVAILABLE: nobody
// listens. DEADLINE_EXCEEDED: no answer in time; whether the request took effect is not known.
// PERMISSION_DENIED: another secret. DATA_LOSS: the answer is not understood or too long.
// Thread-safe.
class ControlClient {
 public:
  ControlClient(uint16_t port, std::string token_file);

  absl::StatusOr<ChatStatus> Status(absl::Duration timeout) const;
  // Refuses new clients, then ends the sessions of all; those that an earlier call told to end are
  // cut off. Answers at once: look until no session is left.
  absl::StatusOr<ChatStatus> Drain(absl::Duration timeout) const;
  absl::StatusOr<ChatStatus> Accept(absl::Duration timeout) const;

 private:
  absl::StatusOr<ChatStatus> Call(bool post, std::string_view path, absl::Duration timeout) const;

  uint16_t port_;
  std::string token_file_;
};

}  // namespace baton::chat
