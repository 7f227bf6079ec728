// The effects of the agent's core, as narrow interfaces. `main` picks the implementations; the
// simulation brings its own. All completions may be called from any thread, exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/protocol/action.h"
#include "common/protocol/observation.h"

namespace baton {

// Looks at one resource and changes nothing.
class Probe {
 public:
  virtual ~Probe() = default;
  // Calls `done` within a bounded time, even if the resource hangs: what could not be seen is
  // kUnknown with the reason in `problem`. `age` is zero.
  virtual void Observe(std::function<void(Observation)> done) = 0;
};

// How far a command is; `done` never exceeds `total`; total 0: not known.
struct Progress {
  std::string what;  // "copying log files", for people
  uint64_t done = 0;
  uint64_t total = 0;
};

// Carries out the actions of one resource. One command at a time: the core never starts a second
// one before the first completed. Every action is idempotent and its outcome is what was seen
// afterwards.
class ActionRunner {
 public:
  virtual ~ActionRunner() = default;
  virtual void Start(const Command& command, std::function<void(Progress)> progress,
                     std::function<void(Outcome)> done) = 0;
  // Asks the running command to stop; `done` of Start still comes, with what was and wasn't done.
  virtual void Cancel(const CommandId& id) = 0;
  // Is the postcondition of `command` true now? Asked after a crash, when Accepted has no Finished:
  // kOk = it holds, kUnknown = it does not, or cannot be told. Changes nothing.
  virtual void Look(const Command& command, std::function<void(Outcome)> done) = 0;
  // Dry run: checks the real preconditions of `action` under the agent's own identity, changes
  // nothing.
  virtual void Check(const Action& action, std::function<void(Outcome)> done) = 0;
};

// A child process that acts for a command; what a restarted agent must end or await before it
// looks.
struct ChildProcess {
  int64_t pid = 0;
  uint64_t start_ticks = 0;  // /proc/PID/stat field 22: tells a recycled pid apart
  CommandId command;
};

struct LedgerCommand {
  Command command;
  std::optional<Outcome> outcome;  // none: Accepted only
};

// The agent's durable memory. Every write is on disk when its completion runs with OK; completions
// come in the order of the calls.
class Ledger {
 public:
  struct Contents {
    LedgerId id;
    bool fresh = false;  // made just now: there was none
    uint64_t session_counter = 0;
    std::vector<std::pair<PoolId, Epoch>> epochs;
    std::vector<std::pair<PoolId, JournalId>> journals;
    std::vector<std::pair<ResourceId, FenceRecord>> fences;  // last fence written per resource
    std::vector<LedgerCommand> commands;  // unfinished ones, and the finished of the last day
    std::vector<ChildProcess> children;
  };
  // One durable fact. Write applies all of a batch or none of it.
  struct CommandAccepted {
    Command command;
    JournalId journal;
  };
  struct CommandFinished {
    CommandId command;
    Outcome outcome;
  };
  struct EpochSeen {
    PoolId pool;
    Epoch epoch;
    JournalId journal;
  };
  struct FenceWritten {
    ResourceId resource;
    FenceRecord record;
  };
  struct SessionOpened {
    uint64_t counter;
  };
  using Entry =
      std::variant<CommandAccepted, CommandFinished, EpochSeen, FenceWritten, SessionOpened>;

  virtual ~Ledger() = default;
  virtual void Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) = 0;
};

// The fence file of one resource as the core uses it: FenceStore (host_ports.h) on a thread that
// may block.
class FenceFile {
 public:
  virtual ~FenceFile() = default;
  // `file` as FenceStore::Read, `boot` as FenceStore::Boot.
  virtual void Read(
      std::function<void(absl::StatusOr<FenceRecord> file, absl::StatusOr<BootId> boot)> done) = 0;
  // As FenceStore::Write. The core has entered `record` in the ledger before it asks. Of a database
  // that is closing or closed it puts standby.signal in place too, as far as it can.
  virtual void Write(const FenceRecord& record, std::function<void(absl::Status)> done) = 0;
  // Of a database whose file is closing or closed and still names a right: puts standby.signal in
  // place and has what runs stopped cleanly, for good. OK: nothing of it runs, or the file says
  // otherwise by now. In bounded time; what needs longer goes on stopping afterwards.
  virtual void Enforce(std::function<void(absl::Status)> done) = 0;
};

// The child processes that an agent before this one left behind.
class Children {
 public:
  virtual ~Children() = default;
  // Ends each and waits until it is gone, in bounded time. `done` gets those that no signal ended.
  virtual void End(std::vector<ChildProcess> children,
                   std::function<void(std::vector<ChildProcess> lingering)> done) = 0;
};

}  // namespace baton
