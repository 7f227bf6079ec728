// What the oracle makes of the coordinator's words.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/oracle.h"
#include "tests/simulation/trace.h"

namespace baton::sim {

void Oracle::OnDurable(const Record& record) {
  if (const auto* admitted = std::get_if<PlanAdmitted>(&record.fact)) OnAdmitted(*admitted->plan);
  if (std::holds_alternative<EpochRaised>(record.fact)) raised_ = world_.queue.now();
  Evolve(durable_, record);
  if (const auto* returned = std::get_if<ReturnFenced>(&record.fact)) OnReturned(*returned);
  if (const auto* noted = std::get_if<ReturnNoted>(&record.fact)) OnNoted(*noted);
  NoteContacts();
  if (const auto* ended = std::get_if<PlanEnded>(&record.fact)) {
    const Execution* execution = durable_.FindExecution(ended->plan);
    if (ended->state == PlanState::kUndone && execution != nullptr) CheckUndone(*execution->plan);
  }
  if (const auto* started = std::get_if<StepStarted>(&record.fact)) {
    durable_commands_.insert(started->command);
  } else if (const auto* raised = std::get_if<EpochRaised>(&record.fact)) {
    if (!durable_epochs_.empty() && raised->epoch <= *durable_epochs_.rbegin()) {
      Fail(Checker::kEpochsOnlyGrow,
           absl::StrCat("plan ", raised->plan.value(), " raises the epoch of its pool to ",
                        raised->epoch.ToString(), ", and ", durable_epochs_.rbegin()->ToString(),
                        " was raised before"));
    }
    durable_epochs_.insert(raised->epoch);
  }
  if (!tracing_) return;
  for (const std::string& line : TraceRecord(record)) Trace(line);
}

void Oracle::OnSent(const Command& command) {
  if (tracing_) {
    Trace(absl::StrCat("sent ", command.id.value(), " ", command.epoch.ToString()));
  }
  if (!durable_commands_.contains(command.id)) {
    Fail(Checker::kDurableBeforeSent,
         absl::StrCat(command.id.value(), " is sent before the record of it is durable"));
  }
  if (!durable_epochs_.empty() && command.epoch > *durable_epochs_.rbegin()) {
    Fail(Checker::kDurableBeforeSent, absl::StrCat(command.id.value(), " carries epoch ",
                                                   command.epoch.ToString(), ", not durable yet"));
  }
  if (!sent_.insert(command.id).second) {
    Fail(Checker::kAcceptedBeforeActing,
         absl::StrCat(command.id.value(), " is sent a second time: a retry is a new id"));
  }
}

void Oracle::OnConfirmSent(const Unit& unit, const Epoch& epoch, const Execution* running) {
  // The record is durable a moment before the coordinator knows; what follows it in the session
  // takes the right again.
  if (Absent(unit) && world_.queue.now() - raised_ > kSecond) {
    Fail(Checker::kFencedOnReturn,
         absl::StrCat("the right of ", unit.ref.ToString(),
                      " is confirmed though it was taken while it was away"));
  }
  confirmations_[unit.index] = {epoch, unit.host.boot};
  if (running == nullptr || running->undoing || !running->EpochRaisedFor(false)) return;
  if (epoch >= running->plan->epoch) return;
  // A database that no step is about is left where it is.
  const std::vector<Step>& steps = running->plan->steps;
  const bool moved = std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return step.database == DatabaseId(unit.ref.resource.value());
  });
  if (unit.is_database() && !moved) return;
  Fail(Checker::kGate,
       absl::StrCat("the right of ", unit.ref.ToString(), " under epoch ", epoch.ToString(),
                    " is confirmed while plan ", running->plan->id.value(), " takes it away"));
}

void Oracle::OnRecorded(const Record& record, const Execution& execution) {
  world_.Tell([&] { return DescribeFact(record, execution); });
  if (const auto* finished = std::get_if<StepFinished>(&record.fact)) {
    if (finished->outcome.ok()) {
      const Step& step = execution.plan->steps[finished->step];
      CheckHolds(step, finished->outcome);
      const Unit* unit = world_.Find(step.target);
      const bool moves = unit != nullptr && std::holds_alternative<Recover>(*step.action());
      if (moves && execution.plan->kind == PlanKind::kFailover) {
        CheckLossOfGivenUp(*unit, *execution.plan);
      }
    }
  }
}

// Holds what the step brings about, now that it counts as done?
void Oracle::CheckHolds(const Step& step, const Outcome& outcome) {
  const Unit* unit = world_.Find(step.target);
  if (unit == nullptr || damaged_.contains(unit->index)) return;
  bool holds = true;
  if (std::holds_alternative<Fence>(*step.action())) {
    const auto& fence = unit->fence.visible;
    holds = !unit->Writable() && fence.has_value() && fence->phase >= FencePhase::kClosing;
  } else if (const auto* point = std::get_if<PointAt>(step.action())) {
    holds = unit->points_at == world_.HostIndex(point->instance);
  } else if (std::holds_alternative<Deactivate>(*step.action())) {
    const auto& fence = unit->fence.visible;
    holds = fence.has_value() && fence->phase == FencePhase::kClosed && !unit->accepting;
  } else if (std::holds_alternative<Recover>(*step.action()) ||
             std::holds_alternative<Unfence>(*step.action())) {
    const auto& fence = unit->fence.visible;
    holds = fence.has_value() && fence->write.has_value() && !unit->data.standby_signal;
    if (fenced_by_hand_.contains(unit->index)) holds = true;
  } else if (std::holds_alternative<ShipTail>(*step.action())) {
    const auto& fence = unit->fence.visible;
    holds =
        outcome.position.has_value() && fence.has_value() && fence->phase == FencePhase::kClosed;
  }
  if (holds) return;
  Fail(Checker::kNeverAssumes,
       absl::StrCat("\"", step.title, "\" is recorded as done, and is not"));
}

void Oracle::CheckGoesOn(const Execution& execution) {
  if (execution.state != PlanState::kRunning && execution.state != PlanState::kUndoing) return;
  for (const StepExecution& step : execution.steps) {
    if (step.state == StepState::kRunning) return;
  }
  Fail(Checker::kEndsOrWaits, absl::StrCat("plan ", execution.plan->id.value(),
                                           " neither waits nor has a step under way"));
}

void Oracle::OnFencedByHand(const Unit& unit) {
  fenced_by_hand_.insert(unit.index);
  closed_by_others_.insert(unit.index);
}

void Oracle::OnHandFenceDue(const Unit& unit) {
  const auto& fence = unit.fence.visible;
  if (!fence.has_value() || fence->phase < FencePhase::kClosing || !unit.Writable()) return;
  Fail(Checker::kSupervisor,
       absl::StrCat(unit.ref.ToString(), " was fenced by hand long ago and still accepts writes"));
}

void Oracle::OnReplayed(const CoordinatorState& replayed, const CoordinatorState& memory) {
  bool same = replayed.pools == memory.pools && replayed.running == memory.running &&
              replayed.admitted == memory.admitted;
  for (const auto& [id, execution] : memory.executions) {
    const Execution* other = replayed.FindExecution(id);
    if (!same || other == nullptr) break;
    same = other->state == execution.state && other->undoing == execution.undoing &&
           other->waiting_for == execution.waiting_for &&
           other->goes_on_by_itself == execution.goes_on_by_itself &&
           other->told_silent == execution.told_silent && other->fence_due == execution.fence_due &&
           other->returned == execution.returned;
    for (size_t i = 0; same && i < execution.steps.size(); ++i) {
      same = other->steps[i].state == execution.steps[i].state &&
             other->steps[i].attempt == execution.steps[i].attempt &&
             other->steps[i].attempts_since_resume == execution.steps[i].attempts_since_resume;
    }
  }
  if (same && replayed.executions.size() == memory.executions.size()) return;
  Fail(Checker::kReplayIsMemory, "the journal tells another story than the coordinator's memory");
}

void Oracle::CheckServed(const CoordinatorState& state) {
  const PoolState* pool = state.FindPool(world_.pool);
  for (const Database& database : world_.topology->FindPool(world_.pool)->databases) {
    const auto right = pool->rights.find(database.id);
    if (right == pool->rights.end()) continue;
    const Unit* unit = world_.Find({right->second.writer, ResourceId(database.id.value())});
    if (unit == nullptr || unit->state() != ServerState::kPrimary) {
      Fail(Checker::kEndsOrWaits, absl::StrCat("everything is mended and no instance of ",
                                               database.id.value(), " accepts writes"));
      return;
    }
    CheckAcknowledged(*unit, "at the end");
    CheckOrphansKept();
    for (const auto& other : world_.units) {
      if (other->database != unit->database || other.get() == unit) continue;
      if (!other->problem.empty()) OnDiverged(*other);
    }
  }
}

const char* Describe(ReturnState state) {
  switch (state) {
    case ReturnState::kAnswers:
      return " answers";
    case ReturnState::kSilent:
      return " is silent again";
    case ReturnState::kTakenForLost:
      return " is taken for lost once more";
    case ReturnState::kAwaited:
      return " may have answered before this coordinator started";
    case ReturnState::kStayedAway:
      return " had the time to answer and did not";
  }
  return " is in no known state";
}

std::string DescribeFact(const Record& record, const Execution& execution) {
  const auto title = [&](int step) { return execution.plan->steps[step].title; };
  if (const auto* admitted = std::get_if<PlanAdmitted>(&record.fact)) {
    return absl::StrCat("plan ", admitted->plan->id.value(), " (",
                        std::string(ToString(admitted->plan->kind)), ") is admitted");
  }
  if (const auto* raised = std::get_if<EpochRaised>(&record.fact)) {
    return absl::StrCat("the pool's epoch is ", raised->epoch.ToString());
  }
  if (const auto* started = std::get_if<StepStarted>(&record.fact)) {
    return absl::StrCat("step ", started->command.value(), ": ", title(started->step));
  }
  if (const auto* finished = std::get_if<StepFinished>(&record.fact)) {
    return absl::StrCat("step ", finished->plan.value(), "/", finished->step, "/",
                        finished->attempt, " is recorded ",
                        std::string(ToString(finished->outcome.code)),
                        finished->outcome.reason.empty() ? "" : ", ", finished->outcome.reason);
  }
  if (const auto* waiting = std::get_if<PlanWaiting>(&record.fact)) {
    return absl::StrCat("plan ", waiting->plan.value(), " waits: ", waiting->reason);
  }
  if (const auto* resumed = std::get_if<PlanResumed>(&record.fact)) {
    return absl::StrCat("plan ", resumed->plan.value(), " is resumed by ", resumed->by);
  }
  if (const auto* paused = std::get_if<PlanPaused>(&record.fact)) {
    return absl::StrCat("plan ", paused->plan.value(), " is paused by ", paused->by);
  }
  if (const auto* skipped = std::get_if<StepSkipped>(&record.fact)) {
    return absl::StrCat("plan ", skipped->plan.value(), " goes on without step ", skipped->step,
                        ": ", title(skipped->step));
  }
  if (const auto* aborted = std::get_if<AbortStarted>(&record.fact)) {
    return absl::StrCat("plan ", aborted->plan.value(), " is aborted by ", aborted->by);
  }
  if (const auto* noted = std::get_if<ReturnNoted>(&record.fact)) {
    return absl::StrCat(noted->host.value(), Describe(noted->state), ", says plan ",
                        noted->plan.value());
  }
  if (const auto* undo = std::get_if<UndoStarted>(&record.fact)) {
    return absl::StrCat("plan ", undo->plan.value(), " is undone: ", undo->reason);
  }
  if (const auto* ended = std::get_if<PlanEnded>(&record.fact)) {
    return absl::StrCat("plan ", ended->plan.value(), " ", std::string(ToString(ended->state)),
                        ": ", ended->text);
  }
  return "a record of no plan";
}

}  // namespace baton::sim
