// What the oracle makes of failovers, of who comes back from one, of undone moves, and of data that
// is removed.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/simulation/oracle.h"

namespace baton::sim {
namespace {

bool Said(const Goal& goal, const World& world, const HostId& host) {
  const std::vector<HostId>& named = goal.lost_hosts;
  return std::find(named.begin(), named.end(), host) != named.end() ||
         (!goal.lost_site.empty() && world.topology->SiteOf(host) == goal.lost_site);
}

// The messages of some logs: sorted once, then looked up.
class Messages {
 public:
  void Add(const std::vector<LogEntry>& log) {
    held_.reserve(held_.size() + log.size());
    for (const LogEntry& entry : log) held_.push_back(entry.message);
  }
  void Sort() { std::sort(held_.begin(), held_.end()); }
  bool Contain(int64_t message) const {
    return std::binary_search(held_.begin(), held_.end(), message);
  }

 private:
  std::vector<int64_t> held_;
};

// By then an agent that can has noticed that its stream is dead, and has dialled again.
constexpr Nanos kDialsAgain = 9 * kSecond;

bool Covers(const LogPosition& kept, const LogPosition& position) {
  return position.timeline == kept.timeline ? position.lsn < kept.lsn
                                            : position.timeline < kept.timeline;
}

}  // namespace

bool Oracle::Absent(const Unit& unit) const {
  const PoolState* pool = durable_.FindPool(world_.pool);
  return pool != nullptr && pool->fence_due.contains(unit.ref);
}

bool Oracle::Excused(const Unit& unit) const {
  return Absent(unit) && !contacted_.contains(unit.index);
}

// From the record of the first Recover on, it is too late to wait for anybody.
bool Oracle::Recovers(const Fact& fact) const {
  const auto* started = std::get_if<StepStarted>(&fact);
  const Execution* execution = started == nullptr ? nullptr : durable_.FindExecution(started->plan);
  return execution != nullptr && !execution->plan->steps[started->step].raises_epoch() &&
         std::holds_alternative<Recover>(*execution->plan->steps[started->step].action());
}

void Oracle::OnAppended(const std::vector<Fact>& facts) {
  for (const Fact& fact : facts) recover_asked_ |= Recovers(fact);
}

// What was not on the disk yet is lost.
void Oracle::OnStarts() {
  open_.clear();
  heard_.clear();
  started_ = world_.queue.now();
  recover_asked_ = false;
  const Execution* running = durable_.FindRunning(world_.pool);
  for (size_t i = 0; running != nullptr && i < running->steps.size(); ++i) {
    if (running->steps[i].attempt == 0) continue;
    recover_asked_ |= Recovers(StepStarted{running->plan->id, static_cast<int>(i), 1, CommandId()});
  }
}

void Oracle::OnSessionOpened(const HostId& host) {
  open_.insert(host);
  heard_.insert(host);
  std::erase_if(said_again_, [&host](const auto& word) { return word.second == host; });
  NoteContacts();
}

void Oracle::OnResumed(const PlanId& plan) {
  const Execution* execution = durable_.FindExecution(plan);
  if (execution == nullptr || execution->state != PlanState::kWaiting) return;
  for (const auto& [host, how] : execution->returned) {
    const std::string told = absl::StrCat(host.value(), " answered and is silent again");
    const bool shown = execution->waiting_for.find(told) != std::string::npos;
    if (how == ReturnState::kSilent && shown) said_again_.insert({plan, host});
  }
}

void Oracle::NoteContacts() {
  if (recover_asked_ || durable_.FindRunning(world_.pool) == nullptr) return;
  const PoolState* pool = durable_.FindPool(world_.pool);
  if (pool == nullptr || pool->fence_due.empty()) return;
  for (const auto& unit : world_.units) {
    if (Absent(*unit) && open_.contains(unit->host.id)) contacted_.insert(unit->index);
  }
}

void Oracle::OnNoted(const ReturnNoted& fact) {
  const Nanos since = world_.queue.now() - started_;
  if (fact.state == ReturnState::kSilent && !heard_.contains(fact.host) && since < kDialsAgain) {
    Fail(Checker::kRefuses,
         absl::StrCat(fact.host.value(), " answered and is said to be silent again ",
                      since / kMilli, " ms after the coordinator started, and nobody had the time ",
                      "to open a session with it"));
  }
  if (fact.state != ReturnState::kTakenForLost) return;
  if (!said_again_.contains({fact.plan, fact.host})) {
    Fail(Checker::kRefuses,
         absl::StrCat(fact.host.value(),
                      " counts as lost once more, and nobody who was told of it has said so"));
  }
  for (const auto& unit : world_.units) {
    if (unit->host.id == fact.host) contacted_.erase(unit->index);
  }
}

void Oracle::OnPlanned(const Plan& plan, const Goal& said, const Snapshot& seen) {
  CheckChatChosen(plan, seen);
  CheckGapNamed(plan, said, seen);
  CheckWordGiven(plan, said, seen);
  CheckNobodyAwaited(plan, seen);
  if (plan.kind != PlanKind::kFailover) return;
  planned_ = world_.queue.now();
  const absl::Duration limit = std::min(world_.topology->FindPool(world_.pool)->limits.loss,
                                        said.max_loss.value_or(absl::InfiniteDuration()));
  const bool own_log = said.override_rules.contains("UNPROTECTED");
  for (const AnnouncedLoss& loss : plan.losses) {
    if (loss.window <= limit || loss.window <= said.allow_loss || own_log) continue;
    Fail(Checker::kRefuses, absl::StrCat("a failover is planned that may lose the last ",
                                         absl::FormatDuration(loss.window), " of ",
                                         loss.database.value(), ", and nobody accepted that"));
  }
}

// A planned move that would wait for a fence takes no chat down before it.
void Oracle::CheckNobodyAwaited(const Plan& plan, const Snapshot& seen) {
  if (plan.kind != PlanKind::kSwitchover && plan.kind != PlanKind::kFailback) return;
  const PoolState* pool = seen.FindPoolState(world_.pool);
  for (const auto& [ref, epoch] : pool->fence_due) {
    const Unit* unit = world_.Find(ref);
    if (unit == nullptr || unit->is_database() || !seen.Connected(ref.host)) continue;
    Fail(Checker::kRefuses, absl::StrCat(ref.ToString(), " is back and not fenced yet, and a ",
                                         std::string(ToString(plan.kind)), " is planned"));
  }
}

// Nobody who may write or serve by the journal counts as lost before someone has said so. An
// adoption leaves others out as they are, and fences them on return for good measure.
void Oracle::CheckWordGiven(const Plan& plan, const Goal& said, const Snapshot& seen) {
  const PoolState* pool = seen.FindPoolState(world_.pool);
  for (const ResourceRef& ref : plan.fence_on_return) {
    const bool idle =
        plan.kind == PlanKind::kAdopt && (pool == nullptr || !pool->active_chat.contains(ref));
    if (idle) continue;
    if (seen.Connected(ref.host)) {
      Fail(Checker::kRefuses,
           absl::StrCat(ref.ToString(), " counts as lost, and its agent answers"));
    } else if (!Said(said, world_, ref.host)) {
      Fail(Checker::kRefuses,
           absl::StrCat(ref.ToString(), " counts as lost, and nobody has said so"));
    }
  }
}

void Oracle::OnReopened(const Unit& unit, const FenceRecord& record) {
  const auto told = confirmations_.find(unit.index);
  const bool asked = told != confirmations_.end() && record.write.has_value() &&
                     told->second.first == record.write->epoch &&
                     told->second.second == unit.host.boot;
  if (asked) OnConfirmed(unit, unit.host.boot);
}

void Oracle::OnUnattended(const Unit& unit) { confirmed_.erase(unit.index); }

// The message that was acknowledged out of this instance's log.
Oracle::Acknowledged Oracle::Find(int64_t message, const Unit& unit) const {
  const std::vector<LogEntry>& log = unit.data.log;
  for (auto entry = log.rbegin(); entry != log.rend(); ++entry) {
    if (entry->message != message) continue;
    return {message, unit.database, {unit.data.timeline, entry->lsn}, entry->at};
  }
  return {message, unit.database, {}, world_.queue.now()};
}

// Everything that is missing lies within what was announced; from now on it counts as lost.
void Oracle::CheckLoss(const Unit& unit, const Plan& plan) {
  const DatabaseId id(unit.ref.resource.value());
  const auto loss = std::find_if(plan.losses.begin(), plan.losses.end(),
                                 [&](const AnnouncedLoss& one) { return one.database == id; });
  Messages held;
  held.Add(unit.data.log);
  held.Sort();
  std::vector<Acknowledged> kept;
  for (const Acknowledged& acked : acked_) {
    if (acked.database != unit.database || held.Contain(acked.message)) {
      kept.push_back(acked);
      continue;
    }
    lost_.push_back(acked);
    if (loss == plan.losses.end() || Covers(loss->kept, acked.position)) {
      Fail(Checker::kLoss,
           absl::StrCat("message ", acked.message, " at ", acked.position.ToString(),
                        " is lost by a failover that announced to keep all up to ",
                        loss == plan.losses.end() ? "any" : loss->kept.ToString()));
      continue;
    }
    if (loss->window == absl::InfiniteDuration() || reports_late_) continue;
    const Nanos planned = planned_at_.at(plan.id);
    // A report's way here is not part of its age.
    if (absl::Nanoseconds(planned - acked.at) <= loss->window + absl::Milliseconds(500)) continue;
    Fail(Checker::kLoss,
         absl::StrCat("message ", acked.message, ", acknowledged at ", acked.at / kMilli,
                      " ms, is lost by a failover that announced to lose the last ",
                      absl::FormatDuration(loss->window), " before ", planned / kMilli, " ms"));
  }
  acked_ = std::move(kept);
}

// What an earlier failover that was given up counts as lost, its old primary has until that one's
// right goes for good: a later one that announces to keep it must have it.
void Oracle::CheckLossOfGivenUp(const Unit& unit, const Plan& plan) {
  const DatabaseId id(unit.ref.resource.value());
  const auto right = before_.rights.find(id);
  const auto loss = std::find_if(plan.losses.begin(), plan.losses.end(),
                                 [&](const AnnouncedLoss& one) { return one.database == id; });
  if (lost_.empty() || right == before_.rights.end() || right->second.lineages.empty() ||
      loss == plan.losses.end()) {
    return;
  }
  const Unit* old = world_.Find({right->second.lineages.back().instance, unit.ref.resource});
  if (old == nullptr || old == &unit) return;
  Messages held;
  held.Add(unit.data.log);
  held.Sort();
  Messages old_holds;
  old_holds.Add(old->data.log);
  old_holds.Sort();
  for (const Acknowledged& lost : lost_) {
    if (lost.database != unit.database || lost.position.none() || held.Contain(lost.message) ||
        !old_holds.Contain(lost.message) || !Covers(loss->kept, lost.position)) {
      continue;
    }
    Fail(Checker::kLoss,
         absl::StrCat("message ", lost.message, " at ", lost.position.ToString(), " is left on ",
                      old->ref.ToString(), " by a failover that announced to keep all up to ",
                      loss->kept.ToString()));
    return;
  }
}

void Oracle::OnDataGone(const Unit& unit, const DataDirectory& data, bool named) {
  shipped_.erase(unit.index);
  if (data.log.empty()) return;
  Messages elsewhere;
  for (const auto& other : world_.units) {
    if (other->database != unit.database || other.get() == &unit) continue;
    elsewhere.Add(other->data.log);
  }
  for (const KeptData& kept : unit.quarantine) elsewhere.Add(kept.data.log);
  elsewhere.Sort();
  for (const LogEntry& entry : data.log) {
    if (entry.message == 0 || elsewhere.Contain(entry.message)) continue;
    if (named) {
      discarded_.insert(entry.message);
      continue;
    }
    Fail(Checker::kOrphans, absl::StrCat("message ", entry.message, " was on ", unit.ref.ToString(),
                                         " alone, and is removed with its data"));
    return;
  }
}

// What nobody serves any more is still somewhere, unless somebody named it to be thrown away.
void Oracle::CheckOrphansKept() {
  if (lost_.empty()) return;
  Messages held;
  for (const auto& unit : world_.units) {
    held.Add(unit->data.log);
    for (const KeptData& kept : unit->quarantine) held.Add(kept.data.log);
  }
  held.Sort();
  for (const Acknowledged& lost : lost_) {
    if (held.Contain(lost.message) || discarded_.contains(lost.message)) continue;
    Fail(Checker::kOrphans, absl::StrCat("message ", lost.message,
                                         " was lost by a failover, and is in no quarantine"));
    return;
  }
}

void Oracle::OnReturned(const ReturnFenced& fact) {
  const Unit* unit = world_.Find(fact.resource);
  if (unit == nullptr || (!unit->Writable() && !unit->accepting)) return;
  Fail(Checker::kFencedOnReturn,
       absl::StrCat(unit->ref.ToString(), " counts as fenced since it came back, and serves"));
}

void Oracle::CheckReturned() {
  for (const auto& unit : world_.units) {
    if (!Absent(*unit) || (!unit->Writable() && !unit->accepting)) continue;
    Fail(Checker::kFencedOnReturn,
         absl::StrCat(unit->ref.ToString(),
                      " lost its right while it was away, is long back, and serves"));
  }
}

// What the pool was before the plan.
void Oracle::OnAdmitted(const Plan& plan) {
  const PoolState* pool = durable_.FindPool(plan.pool);
  if (pool != nullptr) before_ = *pool;
  planned_at_[plan.id] = planned_;
  contacted_.clear();
  recover_asked_ = false;
}

void Oracle::CheckUndone(const Plan& plan) {
  const PoolState& now = *durable_.FindPool(plan.pool);
  for (const auto& [database, right] : before_.rights) {
    const auto still = now.rights.find(database);
    if (still != now.rights.end() && still->second.writer == right.writer) {
      const Unit* unit = world_.Find({right.writer, ResourceId(database.value())});
      if (unit != nullptr) CheckAcknowledged(*unit, "after an undo,");
      continue;
    }
    Fail(Checker::kUndo, absl::StrCat("plan ", plan.id.value(), " is undone, and ",
                                      database.value(), " is not written where it was"));
  }
  for (const auto& [ref, epoch] : before_.active_chat) {
    const bool lost = std::find(plan.fence_on_return.begin(), plan.fence_on_return.end(), ref) !=
                      plan.fence_on_return.end();
    if (lost || now.active_chat.contains(ref)) continue;
    Fail(Checker::kUndo, absl::StrCat("plan ", plan.id.value(), " is undone, and ", ref.ToString(),
                                      " does not serve as it did"));
  }
}

}  // namespace baton::sim
