// How the runners carry out a command, whatever it is, and the pieces that both engines share.
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/core/reconcile.h"
#include "tests/simulation/agent.h"
#include "tests/simulation/oracle.h"

namespace baton::sim {

Outcome Refuse(const Run& run, const char* reason, const char* message) {
  return run.did ? FailedOutcome(reason, message) : RefusedOutcome(reason, message);
}

Outcome Fail(const char* reason, const char* message) { return FailedOutcome(reason, message); }

Outcome Unsure(const char* reason, const char* message) {
  Outcome outcome = FailedOutcome(reason, message);
  outcome.code = OutcomeCode::kUnknown;
  return outcome;
}

FenceRecord FenceOrClosed(Run* run) {
  const std::optional<FenceRecord>& file = run->unit.fence.visible;
  if (file.has_value()) run->agent.seen_by_runner[run->unit.index] = file;
  // A lost file is read as the ledger knows it.
  const std::optional<FenceRecord> made_good =
      agent::WithoutFile(file, run->agent.ledger.FenceOf(run->unit.ref.resource));
  if (made_good.has_value()) return *made_good;
  if (file.has_value()) return *file;
  FenceRecord closed;
  closed.pool = run->agent.world.pool;
  closed.resource = run->unit.ref.resource;
  return closed;
}

bool StaleEpoch(const Run& run, const FenceRecord& record) {
  return record.fence_epoch > run.command.epoch &&
         !run.agent.world.Is(Mutation::kAgentForgetsEpochs);
}

void Pause::await_suspend(std::coroutine_handle<> self) {
  World& world = run->agent.world;
  Sleep{world.queue, run->agent.process, world.Jitter(low, high)}.await_suspend(self);
}

Interrupt Pause::await_resume() const {
  if (run->cancelled) return Interrupt::kCancelled;
  const bool over = run->agent.world.queue.now() >= run->deadline;
  return over ? Interrupt::kTimeOver : Interrupt::kNone;
}

Outcome Interrupted(Interrupt why) {
  if (why == Interrupt::kTimeOver) return Fail("DEADLINE_EXCEEDED", "its time is over");
  Outcome outcome = FailedOutcome("CANCELLED", "cancelled");
  outcome.code = OutcomeCode::kCancelled;
  return outcome;
}

Task<Outcome> StopAndProve(Run* run) {
  Unit& unit = run->unit;
  World& world = run->agent.world;
  if (world.Is(Mutation::kFenceWithoutStop) && unit.is_database()) co_return OkOutcome();
  const auto asker = std::make_shared<Unit::Asker>();
  if (!unit.RequestStop(false, asker))
    co_return Fail("NOT_MANAGED", "its supervisor does not answer");
  const Nanos limit = std::min(run->deadline, world.queue.now() + 2 * kSecond);
  Nanos wait = kMilli;
  do {
    SIM_PAUSE(run, wait, wait * 2);
    wait = std::min(wait * 2, 50 * kMilli);
    if (world.queue.now() > limit) {
      co_return unit.Runs() ? Fail("STOP_TIMED_OUT", "it did not stop in time and is stopping")
                            : Fail("STILL_ALIVE", "something of it holds the lock");
    }
  } while (!unit.LockFree());
  run->did = true;
  co_return OkOutcome();
}

void UnitRunner::Start(const Command& command, std::function<void(Progress)>,
                       std::function<void(Outcome)> done) {
  World& world = agent_.world;
  const Nanos timeout = absl::ToInt64Nanoseconds(command.timeout);
  run_ = std::make_unique<Run>(Run{agent_, unit_, command, world.queue.now() + timeout});
  world.oracle->OnAct(unit_, command, agent_.ledger.EpochOf(command.pool),
                      agent_.ledger.Accepted(command.id));
  world.oracle->OnSession(command, agent_.CarriedBy(command.id), agent_.core()->state().stream);
  world.Tell([&] {
    return absl::StrCat("agent of ", agent_.host.id.value(), " begins ", Describe(command.action),
                        " on ", unit_.ref.resource.value(), " (", command.id.value(), ", epoch ",
                        command.epoch.ToString(), ")");
  });
  task_ = unit_.is_database() ? ActOnDatabase(run_.get()) : ActOnChat(run_.get());
  task_.Begin([this, done = std::move(done)](Outcome outcome) {
    agent_.world.Tell([&] {
      return absl::StrCat("agent of ", agent_.host.id.value(), ": ", Describe(run_->command.action),
                          " ended ", std::string(ToString(outcome.code)), " ", outcome.reason);
    });
    agent_.world.oracle->OnActed(unit_, run_->command, outcome);
    agent_.hook(run_->command.id, Point::kActed);
    done(std::move(outcome));
  });
}

void UnitRunner::Cancel(const CommandId& id) {
  if (run_ != nullptr && run_->command.id == id) run_->cancelled = true;
}

void UnitRunner::Look(const Command& command, std::function<void(Outcome)> done) {
  World& world = agent_.world;
  world.queue.At(agent_.process, world.Jitter(1, 5) * kMilli,
                 [this, command, done = std::move(done)] {
                   Run run{agent_, unit_, command, INT64_MAX};
                   Outcome seen = unit_.is_database() ? LookAtDatabase(&run) : LookAtChat(&run);
                   if (!seen.ok()) seen.code = OutcomeCode::kUnknown;
                   done(std::move(seen));
                 });
}

void UnitRunner::Check(const Action&, std::function<void(Outcome)> done) {
  agent_.world.queue.At(agent_.process, kMilli, [done = std::move(done)] { done(OkOutcome()); });
}

}  // namespace baton::sim
