// Who runs the pool: asks for moves, mends what a refusal names, goes on with what waits, and gives
// up where that is all that is left.
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "coordinator/executor/options.h"
#include "tests/simulation/simulation.h"

namespace baton::sim {
namespace {

constexpr Nanos kOperatorTick = 200 * kMilli;
// How often a plan is resumed before it is let go on without a step, or aborted.
constexpr int kTriesMax = 12;
constexpr int kTriesHealed = 6;
constexpr int kTriesDead = 1;
// With nothing in the way, who came back is fenced by then.
constexpr Nanos kReturnDue = 15 * kSecond;

bool IsMove(PlanKind kind) {
  return kind == PlanKind::kSwitchover || kind == PlanKind::kFailover ||
         kind == PlanKind::kFailback;
}

}  // namespace

void Simulation::OperatorTick() {
  world_->queue.At(world_->outside(), kOperatorTick, [this] { OperatorTick(); });
  if (!coordinator_->running()) return;
  const CoordinatorState& state = *coordinator_->state();
  for (; counted_ < state.admitted.size(); ++counted_) {
    const Execution& execution = *state.FindExecution(state.admitted[counted_]);
    if (!Terminal(execution.state)) break;
    CountEnded(execution);
  }
  coordinator_->AcceptLedgers();
  coordinator_->CheckBounds();
  for (const auto& agent : agents_) agent->CheckBounds();
  if (healed_ && world_->queue.now() - calm_since_ > kReturnDue) oracle_.CheckReturned();
  const Execution* running = Running();
  if (running == nullptr) return AskForMove();
  if (coordinator_->journal().idle()) oracle_.CheckGoesOn(*running);
  if (running->state == PlanState::kWaiting) OperateOn(*running);
}

// A move counts for another where the operator had to do it in another way; adoptions and seedings
// on the way do not.
void Simulation::CountEnded(const Execution& execution) {
  if (execution.state != PlanState::kSucceeded || moves_ >= wanted_moves_) return;
  const PlanKind kind = execution.plan->kind;
  const PlanKind wanted = WantedKind();
  if (kind == wanted || (IsMove(kind) && IsMove(wanted))) ++moves_;
}

PlanKind Simulation::WantedKind() const {
  const size_t move = static_cast<size_t>(moves_);
  return move < scenario_.course.size() ? scenario_.course[move] : PlanKind::kSwitchover;
}

// Resumes what waits, as somebody who mends what the reason names; what goes on waiting is let go
// on without a step where that is allowed, else aborted.
void Simulation::OperateOn(const Execution& waiting) {
  const Nanos now = world_->queue.now();
  const bool due = now - resumed_ > kSecond;
  if (!due || (!healed_ && !world_->rng.Chance(30))) return;
  resumed_ = now;
  if (absl::StrContains(waiting.waiting_for, "DATA_LOSS")) MoveDamagedAside();
  no_room_ |= absl::StrContains(waiting.waiting_for, "NO_ROOM");
  const PlanId& plan = waiting.plan->id;
  if (plan != tried_) tries_ = 0;
  tried_ = plan;
  const bool tired = ++tries_ > (healed_                     ? kTriesHealed
                                 : WaitsForDeadChat(waiting) ? kTriesDead
                                                             : kTriesMax);
  const std::vector<PlanOption> options = OptionsFor(waiting);
  const auto find = [&](Verb verb) {
    return std::find_if(options.begin(), options.end(), [verb](const PlanOption& option) {
      return option.verb == verb && option.allowed;
    });
  };
  for (const Verb verb : {Verb::kSkip, Verb::kAbort, Verb::kResume, Verb::kRetry}) {
    const bool last_resort = verb == Verb::kSkip || verb == Verb::kAbort;
    if (last_resort && !tired) continue;
    const auto option = find(verb);
    if (option != options.end()) return coordinator_->Operate(plan, verb, option->step);
  }
  oracle_.Fail(Checker::kEndsOrWaits,
               absl::StrCat("plan ", plan.value(), " waits, and nothing is allowed"));
}

// A chat host is down, and the site has another: nobody waits for it.
bool Simulation::WaitsForDeadChat(const Execution& waiting) const {
  if (!scenario_.spares) return false;
  for (size_t i = 0; i < waiting.steps.size(); ++i) {
    const StepState state = waiting.steps[i].state;
    if (state == StepState::kPending || state == StepState::kSucceeded) continue;
    const Unit* unit = world_->Find(waiting.plan->steps[i].target);
    if (unit != nullptr && !unit->is_database() && !unit->host.up) return true;
  }
  return false;
}

// The word that a refusal asks for, of a chat host that does not answer.
bool Simulation::AskWithoutDeadChat(PlanKind kind) {
  if (!scenario_.spares || !refused_by_.contains("NO_WORD")) return false;
  if (kind != PlanKind::kSwitchover && kind != PlanKind::kFailback) return false;
  Goal goal = NextGoal(kind);
  for (const auto& unit : world_->units) {
    const HostId& host = unit->host.id;
    if (!unit->is_database() && !coordinator_->Connected(host)) goal.lost_hosts.push_back(host);
  }
  return Ask(std::move(goal));
}

// With the word that a refusal asks for, of chat hosts that are down.
bool Simulation::AskToAdopt() {
  if (Ask(NextGoal(PlanKind::kAdopt))) return true;
  Goal goal = NextGoal(PlanKind::kAdopt);
  for (const auto& unit : world_->units) {
    const HostId& host = unit->host.id;
    if (unit->is_database() || unit->host.up || coordinator_->Connected(host)) continue;
    const std::string flag = absl::StrCat("--lost-host ", host.value(), " ");
    const bool told =
        std::any_of(remedies_.begin(), remedies_.end(),
                    [&flag](const std::string& remedy) { return absl::StrContains(remedy, flag); });
    if (told) goal.lost_hosts.push_back(host);
  }
  return !goal.lost_hosts.empty() && Ask(std::move(goal));
}

Goal Simulation::NextGoal(PlanKind kind) {
  Goal goal;
  const PoolState* pool = coordinator_->state()->FindPool(world_->pool);
  const bool adopted = pool != nullptr && pool->adopted;
  goal.kind = adopted || kind == PlanKind::kProtect ? kind : PlanKind::kAdopt;
  goal.pool = world_->pool;
  goal.reason = "simulation";
  goal.requested_by = "operator";
  goal.plan_id = PlanId(absl::StrCat("p", ++plans_));
  const bool seeds = goal.kind == PlanKind::kProtect || goal.kind == PlanKind::kFailback;
  if (seeds && world_->rng.Chance(10)) goal.discard_orphans = 1u << 20;
  // What there is no room for may be little.
  if (seeds && no_room_ && world_->late_rng.Chance(50)) goal.discard_orphans = 1u << 12;
  return goal;
}

bool Simulation::PoolServes() const {
  const bool chat = std::any_of(world_->units.begin(), world_->units.end(), [](const auto& unit) {
    return !unit->is_database() && unit->Answers() && unit->accepting;
  });
  return chat && EveryDatabaseServes();
}

// Somebody is seen to follow no further, since a log file is missing.
bool Simulation::SeesGap() const {
  const Snapshot seen = coordinator_->Look();
  return std::any_of(seen.resources.begin(), seen.resources.end(), [](const auto& resource) {
    const DatabaseObservation* database = resource.second.observation.database();
    return database != nullptr && !database->gap.empty();
  });
}

bool Simulation::Protected() const {
  if (log_spoilt_ && SeesGap()) return false;
  const PoolState* pool = coordinator_->state()->FindPool(world_->pool);
  return pool == nullptr ||
         std::none_of(pool->rights.begin(), pool->rights.end(),
                      [](const auto& right) { return right.second.followers.empty(); });
}

void Simulation::AskForMove() {
  refused_by_.clear();
  remedies_.clear();
  if (moves_ < wanted_moves_) {
    const PlanKind wanted = WantedKind();
    if (wanted == PlanKind::kRemoveQuarantine) return AskToRemove();
    const bool asked = wanted == PlanKind::kFailover ? AskForFailover() : Ask(NextGoal(wanted));
    if (asked || AskWithoutDeadChat(wanted)) return;
  } else if (healed_ && !Protected() && Ask(NextGoal(PlanKind::kProtect))) {
    return;
  }
  if (!healed_ && !world_->rng.Chance(20)) return;
  const std::set<std::string> why = refused_by_;
  const bool there = (WantedKind() == PlanKind::kProtect && why.contains("ALREADY_PROTECTED")) ||
                     (WantedKind() == PlanKind::kAdopt && why.contains("POOL_ALREADY_ADOPTED"));
  if (there && moves_ < wanted_moves_) ++moves_;
  if (why.contains("ALREADY_HOME") && Ask(NextGoal(PlanKind::kSwitchover))) return;
  const PoolState* pool = coordinator_->state()->FindPool(world_->pool);
  if (pool == nullptr || !pool->adopted) return;
  // Where a right was lost on the way, `adopt` gives it back.
  const bool lost = !PoolServes() || why.contains("FENCE_EPOCH_AHEAD") ||
                    why.contains("FENCE_STATE") || why.contains("WRITE_EPOCH_DIFFERS");
  if (lost && AskToAdopt()) return;
  if (!PoolServes() && AskToGoOn()) return;
  const bool told = std::any_of(remedies_.begin(), remedies_.end(), [](const std::string& remedy) {
    return remedy.find("baton protect ") != std::string::npos;
  });
  if ((!Protected() || told) && Ask(NextGoal(PlanKind::kProtect))) return;
  FenceAsTold();
}

// A move that was given up may have promoted the other side, or brought a part of the pool there:
// where nothing can be given back, that one goes on from there, at the loss that it names and above
// a fence that was put there by hand.
bool Simulation::AskToGoOn() {
  if (!refused_by_.contains("DATABASE_ROLE") && !refused_by_.contains("DATABASES_SPLIT")) {
    return false;
  }
  Goal goal = NextGoal(PlanKind::kFailover);
  if (Ask(goal)) return true;
  for (const char* rule : {"FENCE_EPOCH_AHEAD", "UNPROTECTED"}) {
    if (refused_by_.contains(rule)) goal.override_rules.insert(rule);
  }
  const bool loses = refused_by_.contains("LOSS_OVER_LIMIT");
  if (loses) goal.allow_loss = absl::InfiniteDuration();
  return (loses || !goal.override_rules.empty()) && Ask(std::move(goal));
}

// "baton-guard fence RESOURCE EPOCH on HOST", where a refusal says so.
void Simulation::FenceAsTold() {
  for (const std::string& remedy : remedies_) {
    const size_t at = remedy.find("baton-guard fence ");
    if (at == std::string::npos) continue;
    const std::vector<std::string> words = absl::StrSplit(remedy.substr(at), ' ');
    if (words.size() < 6 || words[4] != "on") continue;
    const std::vector<std::string> numbers = absl::StrSplit(words[3], '.');
    const std::string host = words[5].substr(0, words[5].find_first_of(",;"));
    Unit* unit = world_->Find({HostId(host), ResourceId(words[2])});
    Epoch epoch;
    if (unit == nullptr || !unit->host.up || numbers.size() != 2 ||
        !absl::SimpleAtoi(numbers[0], &epoch.generation) ||
        !absl::SimpleAtoi(numbers[1], &epoch.counter)) {
      continue;
    }
    world_->Tell([&] { return absl::StrCat("operator on ", host, ": ", remedy.substr(at)); });
    GuardFence(*unit, epoch);
  }
}

bool Simulation::Ask(Goal goal) {
  Planned planned = coordinator_->PlanMove(goal);
  if (!planned.plan.has_value()) {
    for (const Refusal& refusal : planned.refusals) {
      refused_by_.insert(refusal.rule);
      remedies_.push_back(refusal.remedy);
    }
    // Only what is still refused in the end is told.
    if (!healed_ && !scenario_.told) return false;
    last_refusal_ = Describe(planned.refusals.front());
    if (told_refusals_.insert(last_refusal_).second) {
      world_->Tell([&] {
        return absl::StrCat(std::string(ToString(goal.kind)), " is refused: ", last_refusal_);
      });
    }
    return false;
  }
  oracle_.OnPlanned(*planned.plan, goal, coordinator_->Look());
  coordinator_->AdmitPlan(*std::move(planned.plan), [](const absl::StatusOr<PlanId>&) {});
  return true;
}

void Simulation::AskToRemove() {
  for (const auto& unit : world_->units) {
    if (unit->quarantine.empty()) continue;
    Goal goal = NextGoal(PlanKind::kRemoveQuarantine);
    goal.quarantine_of = unit->ref;
    goal.quarantine = unit->quarantine.front().name;
    Ask(std::move(goal));
    return;
  }
  ++moves_;  // nothing is there
}

}  // namespace baton::sim
