// What every action of a PostgreSQL runner is given, and how its failures become outcomes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "agent/core/action_status.h"
#include "agent/core/ports.h"
#include "agent/database/interrupt.h"
#include "agent/database/postgresql_instance.h"
#include "common/protocol/action.h"
#include "common/protocol/observation.h"

namespace baton::postgresql {

using agent::Failure;
using agent::Refusal;
using agent::Unsure;

// Used by one thread, for one command. Unlike the outcome that it becomes, an absl::Status may say
// no more than what went wrong: OutcomeOf adds what had been done by then.
class ActionContext {
 public:
  ActionContext(PostgresqlInstance* instance, const Command* command, Interrupt* interrupt,
                std::function<void(Progress)> progress);

  PostgresqlInstance& instance() const { return *instance_; }
  const Command& command() const { return *command_; }

  // What remains of the command's timeout; never negative.
  absl::Duration Left() const;
  // CANCELLED or DEADLINE_EXCEEDED once the command is cancelled or out of time.
  absl::Status Live() const;
  // Waits about `duration`, then as Live().
  absl::Status Wait(absl::Duration duration);

  // A step that took effect, in words that complete "done: …".
  void Did(std::string what) { done_.push_back(std::move(what)); }
  void Report(std::string what, uint64_t done, uint64_t total) {
    if (progress_ != nullptr) progress_({std::move(what), done, total});
  }

  // STALE_EPOCH when the fence file has seen a higher epoch than the command's.
  absl::Status RefuseOlder(const FenceRecord& record) const;

  // kCancelled, kRefused (nothing done yet), kUnknown or kFailed, saying what had been done.
  Outcome OutcomeOf(const absl::Status& status) const;

 private:
  PostgresqlInstance* instance_;
  const Command* command_;
  Interrupt* interrupt_;
  std::function<void(Progress)> progress_;
  absl::Duration deadline_;
  std::vector<std::string> done_;
};

}  // namespace baton::postgresql
