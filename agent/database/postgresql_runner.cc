#include "agent/database/postgresql_runner.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "agent/database/action_context.h"
#include "agent/database/postgresql_actions.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

using postgresql::ActionContext;
using postgresql::PostgresqlInstance;

// A look and a dry run take no longer than this, whatever they look at.
constexpr absl::Duration kLookTimeout = absl::Seconds(15);

Outcome Finish(const ActionContext& context, absl::StatusOr<Outcome> outcome) {
  if (outcome.ok()) return *std::move(outcome);
  return context.OutcomeOf(outcome.status());
}

Outcome NotBegun(const CommandId& id) {
  Outcome outcome;
  outcome.code = OutcomeCode::kCancelled;
  outcome.reason = "CANCELLED";
  outcome.message = absl::StrCat("command ", id.value(), " was cancelled before it began");
  return outcome;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresqlRunner>> PostgresqlRunner::Create(
    const PostgresqlHost& host) {
  std::unique_ptr<PostgresqlRunner> runner(new PostgresqlRunner());
  BATON_ASSIGN_OR_RETURN(runner->instance_, PostgresqlInstance::Create(host, &runner->interrupt_));
  runner->thread_ = std::thread([self = runner.get()] { self->Work(); });
  return runner;
}

PostgresqlRunner::~PostgresqlRunner() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    for (Job& job : jobs_) job.cancelled = true;
    interrupt_.Raise();
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void PostgresqlRunner::Enqueue(Job job) {
  MutexLock lock(&mutex_);
  job.cancelled = ending_;
  jobs_.push_back(std::move(job));
  changed_.SignalAll();
}

void PostgresqlRunner::Work() {
  while (true) {
    Job job;
    {
      MutexLock lock(&mutex_);
      running_ = CommandId();
      while (jobs_.empty() && !ending_) changed_.Wait(&mutex_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      running_ = job.id;
      if (!ending_) interrupt_.Clear();
    }
    job.done(job.cancelled ? NotBegun(job.id) : job.work());
  }
}

void PostgresqlRunner::Start(const Command& command, std::function<void(Progress)> progress,
                             std::function<void(Outcome)> done) {
  Job job;
  job.id = command.id;
  job.done = std::move(done);
  job.work = [this, command, progress = std::move(progress)] {
    ActionContext context(instance_.get(), &command, &interrupt_, progress);
    return Finish(
        context,
        std::visit([&context](const auto& action) { return postgresql::Act(&context, action); },
                   command.action));
  };
  Enqueue(std::move(job));
}

void PostgresqlRunner::Cancel(const CommandId& id) {
  MutexLock lock(&mutex_);
  if (id.empty()) return;
  if (running_ == id) interrupt_.Raise();
  for (Job& job : jobs_) {
    if (job.id == id) job.cancelled = true;
  }
}

void PostgresqlRunner::Look(const Command& command, std::function<void(Outcome)> done) {
  Command look = command;
  look.timeout = kLookTimeout;
  Job job;
  job.done = std::move(done);
  job.work = [this, look = std::move(look)] {
    ActionContext context(instance_.get(), &look, &interrupt_, nullptr);
    absl::StatusOr<Outcome> seen = postgresql::LookForPostcondition(&context);
    if (seen.ok()) return *std::move(seen);
    Outcome outcome = context.OutcomeOf(seen.status());
    outcome.code = OutcomeCode::kUnknown;
    return outcome;
  };
  Enqueue(std::move(job));
}

void PostgresqlRunner::Check(const Action& action, std::function<void(Outcome)> done) {
  Job job;
  job.done = std::move(done);
  job.work = [this, action] {
    Command command;
    command.action = action;
    command.timeout = kLookTimeout;
    // A dry run carries no epoch; that of the fence file is never too old.
    if (const absl::StatusOr<FenceRecord> record = instance_->Fence(); record.ok()) {
      command.epoch = record->fence_epoch;
    }
    ActionContext context(instance_.get(), &command, &interrupt_, nullptr);
    const absl::Status checked = postgresql::CheckPreconditions(&context);
    return checked.ok() ? OkOutcome() : context.OutcomeOf(checked);
  };
  Enqueue(std::move(job));
}

}  // namespace baton
