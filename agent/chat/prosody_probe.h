// Looks at a Prosody server.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"

#include "agent/chat/prosody_server.h"
#include "agent/chat/worker.h"
#include "agent/core/ports.h"

namespace baton {

// State: kDown when its manager says that nothing runs and clients are refused; kServing and
// kDraining are the server's own word; else kUnknown with the reason. `points_at` is what a running
// server was started with, else what the database file says. Looks come one after the other, each
// within about five seconds, on a thread of the probe's own; actions do not hold them up.
// Thread-safe. The destructor waits for looks that were asked for.
class ProsodyProbe : public Probe {
 public:
  // FAILED_PRECONDITION or INVALID_ARGUMENT naming the key of the resource file that is at fault.
  static absl::StatusOr<std::unique_ptr<ProsodyProbe>> Create(const ProsodyHost& host);

  void Observe(std::function<void(Observation)> done) override;

 private:
  explicit ProsodyProbe(chat::ProsodyServer server);

  chat::ProsodyServer server_;
  chat::Worker worker_;
};

}  // namespace baton
