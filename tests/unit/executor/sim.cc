#include "tests/unit/executor/sim.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "tests/unit/planner/story.h"

namespace baton::testing {
namespace {

bool IsDatabaseStep(const Step& step) { return !step.database.empty(); }

bool Needs(const Step& step) {
  const Action* action = step.action();
  return !step.undo && action != nullptr && IsDatabaseStep(step) &&
         (std::holds_alternative<Fence>(*action) || std::holds_alternative<ShipTail>(*action) ||
          std::holds_alternative<ApplyPendingLogs>(*action));
}

Plan PlanOf(const std::vector<std::string>& lines) {
  Story story;
  for (const std::string& line : lines) story.Run(line);
  return *story.plan();
}
const std::vector<std::string> kSmall = {"pool", "database mgc hq-sql1 dr-sql1",
                                         "chat hq-chat1 active", "chat dr-chat1"};

}  // namespace

TimerId SimScheduler::After(absl::Duration delay, std::function<void()> f) {
  due_[{now_ + delay, ++last_}] = std::move(f);
  return last_;
}

void SimScheduler::Cancel(TimerId id) {
  for (auto it = due_.begin(); it != due_.end(); ++it) {
    if (it->first.second == id) {
      due_.erase(it);
      return;
    }
  }
}

bool SimScheduler::Step(absl::Duration until) {
  if (due_.empty() || due_.begin()->first.first > until) return false;
  auto next = due_.extract(due_.begin());
  now_ = next.key().first;
  next.mapped()();
  return true;
}

void SimJournal::Append(std::vector<Fact> facts,
                        std::function<void(absl::StatusOr<std::vector<Record>>)> done) {
  if (!broken.ok()) {
    scheduler_.Post([done, status = broken] { done(status); });
    return;
  }
  if (died) return;
  std::vector<Record> added;
  for (Fact& fact : facts) {
    Record record;
    record.sequence = records.size() + 1;
    record.time = absl::UnixEpoch() + scheduler_.now();
    record.fact = std::move(fact);
    records.push_back(record);
    added.push_back(record);
    if (record.sequence == dies_at) died = true;
    if (died) return;
  }
  scheduler_.Post([done, added] { done(added); });
}

absl::Duration SimAgents::Delay() {
  return absl::Milliseconds(std::uniform_int_distribution<>(1, 40)(random_));
}

// Something that travels in a session; lost when that one has ended.
void SimAgents::Deliver(const HostId& id, uint64_t session, std::function<void()> f) {
  if (Chance(faults.session_breaks)) return Break(id);
  scheduler_.After(absl::Milliseconds(1), [this, id, session, f = std::move(f)] {
    const Host& host = hosts_[id];
    if (host.connected && host.session == session) f();
  });
}

bool SimAgents::Connected(const HostId& id) const {
  const auto it = hosts_.find(id);
  return it != hosts_.end() && it->second.connected;
}

void SimAgents::Welcome(const HostId& id) {
  Host& host = hosts_[id];
  host.connected = true;
  ++host.session;
}

void SimAgents::Connect(const HostId& id) {
  Welcome(id);
  if (driver_ != nullptr) driver_->OnHostReady(id);
}

void SimAgents::Disconnect(const HostId& id) {
  hosts_[id].connected = false;
  if (driver_ != nullptr) driver_->OnHostLost(id);
}

void SimAgents::Break(const HostId& id) {
  hosts_[id].connected = false;
  scheduler_.Post([this, id] {
    if (driver_ != nullptr) driver_->OnHostLost(id);
  });
  scheduler_.After(Delay() * 10, [this, id] { Connect(id); });
}

void SimAgents::DriverChanged(Driver* driver) {
  driver_ = driver;
  for (auto& [id, host] : hosts_) {
    if (driver == nullptr) {
      ++host.session;  // nothing of an older session arrives any more
    } else if (host.connected) {
      Connect(id);
    }
  }
}

void SimAgents::CheckSend(const Command& command) {
  const auto name = ParseCommandId(command.id);
  const Plan* plan = nullptr;
  bool started = false;
  std::set<int> succeeded;
  for (const Record& record : journal_.records) {
    if (const auto* admitted = std::get_if<PlanAdmitted>(&record.fact)) {
      if (admitted->plan->id == command.plan) plan = admitted->plan.get();
    } else if (const auto* start = std::get_if<StepStarted>(&record.fact)) {
      if (start->command == command.id) {
        started = true;
        if (command.sequence != record.sequence)
          wrong.push_back("sequence of " + command.id.value());
      }
    } else if (const auto* end = std::get_if<StepFinished>(&record.fact)) {
      if (end->plan == command.plan && end->outcome.ok()) succeeded.insert(end->step);
    }
  }
  if (plan == nullptr || !name.has_value() || !started) {
    wrong.push_back("sent before it was durable: " + command.id.value());
    return;
  }
  if (command.epoch < highest_sent_) wrong.push_back("epoch fell: " + command.id.value());
  highest_sent_ = command.epoch;
  if (!std::holds_alternative<Recover>(command.action)) return;
  if (std::get<Recover>(command.action).own_log) return;
  for (size_t i = 0; i < plan->steps.size(); ++i) {
    if (Needs(plan->steps[i]) && !succeeded.contains(static_cast<int>(i))) {
      wrong.push_back("recovered too early: " + command.id.value());
    }
  }
}

void SimAgents::Send(const HostId& id, const Command& command) {
  CheckSend(command);
  sent.push_back(command);
  Host& host = hosts_[id];
  if (!host.connected) return;
  Deliver(id, host.session, [this, id, command] { Accept(id, command); });
}

void SimAgents::Query(const HostId& id, const CommandId& command) {
  asked.push_back(command);
  Host& host = hosts_[id];
  if (!host.connected) return;
  Deliver(id, host.session, [this, id, command] {
    Host& host = hosts_[id];
    const auto entry = host.ledger.find(command);
    if (entry == host.ledger.end()) {
      Deliver(id, host.session, [this, command] {
        if (driver_ != nullptr) driver_->OnCommandNotAccepted(command);
      });
    } else if (entry->second.outcome.has_value()) {
      Answer(id, command, *entry->second.outcome);
    }
  });
}

// A silent action ends when it is told to; one that acts already goes on to its end.
void SimAgents::Cancel(const HostId& id, const CommandId& command) {
  cancelled.push_back(command);
  Host& host = hosts_[id];
  if (!host.connected) return;
  Deliver(id, host.session, [this, id, command] {
    const auto entry = hosts_[id].ledger.find(command);
    if (entry == hosts_[id].ledger.end() || entry->second.outcome.has_value() ||
        !entry->second.silent) {
      return;
    }
    Outcome outcome;
    outcome.code = OutcomeCode::kCancelled;
    outcome.reason = "CANCELLED";
    outcome.message = "nothing was done";
    Finish(id, command, outcome);
  });
}

void SimAgents::Accept(const HostId& id, const Command& command) {
  Host& host = hosts_[id];
  if (host.ledger.contains(command.id)) return;
  Epoch& seen = host.seen[command.pool];
  if (command.epoch < seen) {
    return Answer(id, command.id, RefusedOutcome("EPOCH_TOO_LOW", "a higher epoch was seen"));
  }
  seen = command.epoch;
  host.ledger[command.id].command = command;
  const std::string name(ActionName(command.action));
  host.ledger[command.id].silent = silent.contains(name);
  if (silent.contains(name)) return;
  if (Chance(faults.agent_dies)) {
    // It comes back, looks, and cannot tell in half of the cases.
    const bool done = Chance(0.5);
    Outcome outcome = done ? Act(id, command) : Outcome();
    if (!done) outcome.reason = "AGENT_DIED";
    host.ledger[command.id].outcome = outcome;
    return Break(id);
  }
  scheduler_.After(Delay(), [this, id, command] { Finish(id, command.id, Act(id, command)); });
}

// What the command does to the world. A database is written on one host at a time.
Outcome SimAgents::Act(const HostId& id, const Command& command) {
  if (!acted_.insert(command.id).second) wrong.push_back("acted twice: " + command.id.value());
  const auto set = outcomes.find(std::string(ActionName(command.action)));
  if (set != outcomes.end()) return set->second;
  if (Chance(faults.fails)) return FailedOutcome("BY_CHANCE", "it failed by chance");
  HostId& writer = writer_[command.resource];
  const bool takes = std::holds_alternative<Recover>(command.action) ||
                     std::holds_alternative<Unfence>(command.action);
  if (takes) {
    if (!writer.empty() && writer != id) wrong.push_back("two writers: " + command.id.value());
    writer = id;
  } else if (std::holds_alternative<Fence>(command.action)) {
    if (writer == id) writer = HostId();
  }
  Outcome outcome = OkOutcome();
  if (std::holds_alternative<ShipTail>(command.action))
    outcome.position = LogPosition{1, 0x3000060};
  if (std::holds_alternative<Recover>(command.action)) outcome.position = LogPosition{2, 0x3000060};
  if (std::holds_alternative<StopLogShipping>(command.action)) {
    outcome.position = LogPosition{1, 0x30FFFFF};
  }
  if (const auto* apply = std::get_if<ApplyPendingLogs>(&command.action)) {
    if (apply->until.none()) wrong.push_back("no position to wait for: " + command.id.value());
  }
  return outcome;
}

void SimAgents::Finish(const HostId& id, const CommandId& command, Outcome outcome) {
  Host& host = hosts_[id];
  host.ledger[command].outcome = outcome;
  Answer(id, command, outcome);
}

void SimAgents::Answer(const HostId& id, const CommandId& command, const Outcome& outcome) {
  const int times = Chance(faults.doubled) ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    Host& host = hosts_[id];
    if (!host.connected) return;
    Deliver(id, host.session, [this, command, outcome] {
      if (driver_ != nullptr) driver_->OnCommandEnded(command, outcome);
    });
  }
}

SimCoordinator::SimCoordinator(uint64_t seed) : agents(scheduler, journal, seed) {
  for (const char* host : {"hq-sql1", "dr-sql1", "hq-sql2", "dr-sql2", "hq-chat1", "dr-chat1",
                           "hq-chat2", "dr-chat2"}) {
    agents.Connect(HostId(host));
  }
  Start();
}

void SimCoordinator::Start() {
  Driver::Hooks hooks;
  hooks.on_record = [this](const Record& record) { heard.push_back(record); };
  hooks.on_fatal = [this](const absl::Status& status) { fatal = status; };
  driver = std::make_unique<Driver>(journal, agents, scheduler, hooks);
  for (const Record& record : journal.records) driver->Replay(record);
  driver->Start();
  agents.DriverChanged(driver.get());
}

void SimCoordinator::Kill() {
  agents.DriverChanged(nullptr);
  driver.reset();
}

bool SimCoordinator::Step(absl::Duration until) {
  if (journal.died) {
    Kill();
    journal.died = false;
    Start();
    return true;
  }
  return scheduler.Step(until) || journal.died;
}

void SimCoordinator::Run(absl::Duration limit) {
  const absl::Duration until = scheduler.now() + limit;
  while (Step(until)) {
  }
}

absl::StatusOr<PlanId> SimCoordinator::Admit(Plan plan) {
  auto result = std::make_shared<absl::StatusOr<PlanId>>(absl::InternalError("not answered"));
  driver->Admit(std::move(plan), [result](absl::StatusOr<PlanId> id) { *result = std::move(id); });
  while (absl::IsInternal(result->status()) && Step()) {
  }
  return *result;
}

absl::Status SimCoordinator::Resume(const PlanId& plan, const std::string& request_id) {
  return Operate(plan, Verb::kResume, std::nullopt, request_id);
}

absl::Status SimCoordinator::Operate(const PlanId& plan, Verb verb, std::optional<int> step,
                                     const std::string& request_id) {
  auto result = std::make_shared<absl::Status>(absl::InternalError("not answered"));
  driver->Operate(plan, {verb, step, "tester", "mended", request_id},
                  [result](absl::Status status) { *result = std::move(status); });
  while (absl::IsInternal(*result) && Step()) {
  }
  return *result;
}

const Execution& SimCoordinator::Of(const PlanId& plan) const {
  return *driver->state().FindExecution(plan);
}

std::string Dump(const PoolState& state) {
  std::string text = absl::StrCat(state.adopted, " ", state.epoch.ToString());
  for (const auto& [database, right] : state.rights) {
    absl::StrAppend(&text, " ", database.value(), "@", right.writer.value(), "#", right.system_id,
                    "/", right.fork.ToString());
    for (const HostId& follower : right.followers) absl::StrAppend(&text, "+", follower.value());
    for (const Lineage& lineage : right.lineages) {
      absl::StrAppend(&text, ",", lineage.epoch.ToString(), "-", lineage.instance.value(),
                      lineage.sealed.has_value() ? "!" + lineage.sealed->ToString() : "");
    }
  }
  for (const auto& [ref, epoch] : state.active_chat) {
    absl::StrAppend(&text, " ", ref.ToString(), "=", epoch.ToString());
  }
  for (const auto& [ref, epoch] : state.fence_due) {
    absl::StrAppend(&text, " ", ref.ToString(), "<", epoch.ToString());
  }
  return text;
}

std::string Dump(const CoordinatorState& state) {
  std::string text = absl::StrCat(state.last_sequence, "\n");
  for (const PlanId& id : state.admitted) {
    const Execution& execution = *state.FindExecution(id);
    absl::StrAppend(&text, id.value(), " ", std::string(ToString(execution.state)), " ",
                    execution.undoing, execution.paused, execution.aborting, " [",
                    execution.waiting_for, "] [", execution.end_text, "] ",
                    absl::FormatTime(execution.ended), "\n");
    for (const StepExecution& step : execution.steps) {
      absl::StrAppend(&text, " ", std::string(ToString(step.state)), " ", step.attempt, " ",
                      step.attempts_since_resume, " ", absl::FormatTime(step.started), " ",
                      absl::FormatTime(step.ended), " ",
                      step.outcome == nullptr ? "-" : step.outcome->message, "\n");
    }
  }
  for (const auto& [pool, known] : state.pools) {
    absl::StrAppend(&text, pool.value(), ": ", Dump(known), "\n");
  }
  for (const auto& [pool, plan] : state.running) {
    absl::StrAppend(&text, pool.value(), " runs ", plan.value(), "\n");
  }
  for (const auto& [request, plan] : state.by_request) {
    absl::StrAppend(&text, request, " made ", plan.value(), "\n");
  }
  for (const auto& [request, plan] : state.operated) {
    absl::StrAppend(&text, request, " operated ", plan.value(), "\n");
  }
  return text;
}

Plan SmallAdopt() {
  std::vector<std::string> lines = kSmall;
  lines.insert(lines.end(), {"healthy", "plan adopt"});
  return PlanOf(lines);
}

Plan SmallSwitchover() {
  std::vector<std::string> lines = kSmall;
  lines.insert(lines.end(), {"healthy", "plan adopt", "succeed", "healthy", "plan switchover"});
  return PlanOf(lines);
}

PoolState SmallPool() {
  Story story;
  for (const std::string& line : kSmall) story.Run(line);
  for (const char* line : {"healthy", "plan adopt", "succeed"}) story.Run(line);
  return *story.seen().FindPoolState(PoolId("pool"));
}

Plan SmallFailover() {
  const PoolState pool = SmallPool();
  const std::vector<Lineage>& lineages = pool.rights.at(DatabaseId("mgc")).lineages;
  const ResourceRef backup{HostId("dr-sql1"), ResourceId("mgc")};
  const ResourceRef chat{HostId("dr-chat1"), ResourceId("chat")};
  Plan plan;
  plan.id = PlanId("p2");
  plan.pool = PoolId("pool");
  plan.kind = PlanKind::kFailover;
  plan.epoch_before = pool.epoch;
  plan.epoch = pool.epoch.Next();
  plan.fence_on_return = {{HostId("hq-chat1"), ResourceId("chat")},
                          {HostId("hq-sql1"), ResourceId("mgc")}};
  const auto add = [&](const ResourceRef& target, std::variant<RaiseEpoch, Action> what) {
    Step step;
    step.target = target;
    if (target == backup) step.database = DatabaseId("mgc");
    step.what = std::move(what);
    step.title = step.raises_epoch() ? "Raise the epoch" : Describe(*step.action());
    if (!plan.steps.empty()) step.after = {static_cast<int>(plan.steps.size()) - 1};
    plan.steps.push_back(std::move(step));
    return &plan.steps.back();
  };
  add(backup, CheckDatabase{InstanceRole::kBackup, "", false, true});
  add(chat, PointAt{backup.host});
  add({}, RaiseEpoch{});
  add(backup, StopLogShipping{lineages});
  add(backup, CopyPendingLogs{lineages})->input_from = 3;
  add(backup, ApplyPendingLogs{LogPosition(), true})->input_from = 3;
  add(backup, Recover{{lineages.back().system_id, plan.epoch, backup.host, ShareId("dr"), {}}});
  add(chat, Activate{});
  add(chat, Canary{})->skippable = true;
  return plan;
}

Plan LargeAdopt() {
  return PlanOf({"pool active=2", "database mgc hq-sql1 dr-sql1", "database rooms hq-sql2 dr-sql2",
                 "chat hq-chat1 active", "chat hq-chat2 active", "chat dr-chat1", "chat dr-chat2",
                 "healthy", "plan adopt"});
}

Plan LargeSwitchover() {
  return PlanOf({"pool active=2", "database mgc hq-sql1 dr-sql1", "database rooms hq-sql2 dr-sql2",
                 "chat hq-chat1 active", "chat hq-chat2 active", "chat dr-chat1", "chat dr-chat2",
                 "healthy", "plan adopt", "succeed", "healthy", "plan switchover"});
}

}  // namespace baton::testing
