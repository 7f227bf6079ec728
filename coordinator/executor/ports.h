// The effects of the executor. `main` picks the implementations; the simulation brings its own.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/protocol/action.h"
#include "coordinator/executor/record.h"

namespace baton {

// The durable sequence of records.
class Journal {
 public:
  virtual ~Journal() = default;
  // Makes `facts` durable, all or none, in order. `done` runs on the loop with the records,
  // numbered; calls complete in the order they were made. After an error the journal accepts
  // nothing more: the coordinator must end and replay.
  virtual void Append(std::vector<Fact> facts,
                      std::function<void(absl::StatusOr<std::vector<Record>>)> done) = 0;
};

// The agents, as the executor talks to them. Called and calling back on the loop.
class AgentGateway {
 public:
  virtual ~AgentGateway() = default;
  // Best effort, in the host's present session. Without one the command is dropped: the executor
  // learns of the next session and asks what became of it.
  virtual void Send(const HostId& host, const Command& command) = 0;
  virtual void Query(const HostId& host, const CommandId& command) = 0;
  // Stops the command if it runs; its answer says what was and wasn't done.
  virtual void Cancel(const HostId& host, const CommandId& command) = 0;
  // A session is open; its full report may not be in yet.
  virtual bool Connected(const HostId& host) const = 0;
};

}  // namespace baton
