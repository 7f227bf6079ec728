// A person with a chat client, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

#include "common/base/mutex.h"

namespace baton::test {

// The library's SCRAM keeps its state in static memory: wait until one client is in its room before
// the next one is made. Logs in and enters a room on a thread of its own, and stays until the
// server or the destructor ends it.
class ChatClient {
 public:
  ChatClient(std::string address, uint16_t port, std::string jid, std::string password,
             std::string room);
  ~ChatClient();

  // False when it did not happen in time.
  bool WaitUntilInRoom(absl::Duration timeout);
  bool WaitUntilGone(absl::Duration timeout);
  bool was_in_room();
  // The server said "system-shutdown" before it closed the stream.
  bool was_told();

 private:
  friend struct ChatClientHandlers;

  void Run();

  const std::string address_;
  const uint16_t port_;
  const std::string jid_;
  const std::string password_;
  const std::string room_;
  Mutex mutex_;
  CondVar changed_;
  bool in_room_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool told_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace baton::test
