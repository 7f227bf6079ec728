// Carries out the actions on a Prosody server.
//
// action      | precondition              | postcondition = what is looked at       | undo
// ------------+---------------------------+-----------------------------------------+-------------
// CheckChat   | none; changes nothing     | it serves (a client can open a stream,  | nothing
//             |                           | the database of its file is connected), |
//             |                           | or it is stopped and could be started   |
// Drain       | its control answers, or   | listener closed (a connection is        | Activate
//             | it is down                | refused), then no session left          |
// Deactivate  | none                      | fence closed under the command's epoch, | Activate
//             |                           | no right to write; stopped (killed if   | (new epoch)
//             |                           | it hangs: what was acknowledged is      |
//             |                           | committed); connection refused; lock    |
//             |                           | free: nothing of it lives, hence no     |
//             |                           | database connection either              |
// PointAt     | it is down; the instance  | the database file, read back, is the    | PointAt the
//             | is in the resource file   | one for that instance                   | former one
// Activate    | pointed; supervised       | fence open under the command's epoch,   | Deactivate
//             |                           | confirmed in this boot; a client can    |
//             |                           | open a stream; the database of its file |
//             |                           | is connected                            |
// Start       | as Activate; the gate     | as Activate, less the fence             | Stop
//             | lets it                   |                                         |
// Stop        | none                      | stopped; connection refused; lock free  | Start
// Canary      | it serves                 | message reflected with the room's       | nothing
//             |                           | stanza-id (committed), and found in the |
//             |                           | room's archive                          |
//
// Every action but CheckChat and Canary is refused (STALE_EPOCH) when the fence file has seen a
// higher epoch. Every one may be repeated. UNKNOWN: Drain and Deactivate: the server or its port
// did not answer, sessions may be left: look, or Deactivate, which needs no answer. Activate:
// cannot be told whether clients are served; the fence is open, so a Deactivate under a new epoch
// comes before anybody else is activated. After a crash: Canary, whose only trace is a message in
// its own room: send another.
#pragma once

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "agent/chat/action_context.h"
#include "agent/chat/prosody_server.h"
#include "agent/chat/worker.h"
#include "agent/core/ports.h"
#include "common/base/mutex.h"

namespace baton {

// Runs one action at a time, on a thread of its own. Thread-safe. The destructor cancels what runs
// and waits for it; all completions have come by then.
class ProsodyRunner : public ActionRunner {
 public:
  // FAILED_PRECONDITION or INVALID_ARGUMENT naming the key of the resource file that is at fault.
  static absl::StatusOr<std::unique_ptr<ProsodyRunner>> Create(const ProsodyHost& host);
  ~ProsodyRunner() override;

  void Start(const Command& command, std::function<void(Progress)> progress,
             std::function<void(Outcome)> done) override;
  void Cancel(const CommandId& id) override;
  void Look(const Command& command, std::function<void(Outcome)> done) override;
  void Check(const Action& action, std::function<void(Outcome)> done) override;

 private:
  explicit ProsodyRunner(chat::ProsodyServer server);

  Outcome Run(const Command& command, std::function<void(Progress)> progress);

  chat::ProsodyServer server_;
  chat::Interruption interruption_;
  Mutex mutex_;
  CommandId running_ ABSL_GUARDED_BY(mutex_);
  chat::Worker worker_;  // last: it uses all of the above
};

}  // namespace baton
