#include "coordinator/executor/driver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/executor/options.h"
#include "coordinator/executor/situation.h"

namespace baton {

namespace {

// The pool has moved since the plan was made.
bool Stale(const Plan& plan, const Epoch& present) {
  const bool raises = std::any_of(plan.steps.begin(), plan.steps.end(),
                                  [](const Step& step) { return step.raises_epoch(); });
  // One that leaves every right where it is goes on under the present epoch.
  if (!raises) return plan.epoch_before != present || plan.epoch != present;
  // These begin under the highest epoch seen anywhere, which may be above this journal's.
  const bool by_fences = plan.kind == PlanKind::kAdopt || plan.kind == PlanKind::kProtect;
  return plan.epoch <= present || (!by_fences && plan.epoch_before != present);
}

}  // namespace

Driver::Driver(Journal& journal, AgentGateway& gateway, Scheduler& scheduler, Hooks hooks,
               absl::Duration reconnect_grace)
    : journal_(journal),
      gateway_(gateway),
      scheduler_(scheduler),
      hooks_(std::move(hooks)),
      reconnect_grace_(reconnect_grace) {}

Driver::~Driver() {
  for (const auto& [plan, lane] : lanes_) {
    for (const auto& [step, timer] : lane.timers) scheduler_.Cancel(timer);
  }
  if (grace_.has_value()) scheduler_.Cancel(*grace_);
}

void Driver::Replay(const Record& record) { Evolve(state_, record); }

void Driver::Start() {
  std::vector<std::pair<PlanId, HostId>> awaited;
  for (const auto& [pool, plan] : state_.running) {
    for (const HostId& host : Situation(*state_.FindExecution(plan)).ToBeAwaited()) {
      awaited.emplace_back(plan, host);
      awaited_.insert(host);
    }
  }
  for (const auto& [plan, host] : awaited) Handle(plan, HostAwaited{host});
  if (!awaited_.empty()) {
    grace_ = scheduler_.After(reconnect_grace_, [this, alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) EndGrace();
    });
  }
  Broadcast(Proceed{});
}

void Driver::EndGrace() {
  grace_.reset();
  for (const HostId& host : std::exchange(awaited_, {})) {
    if (gateway_.Connected(host)) continue;
    Broadcast(HostLost{host});
    Broadcast(HostStayedAway{host});
  }
}

void Driver::Broadcast(const PlanEvent& event) {
  std::vector<PlanId> plans;
  for (const auto& [pool, plan] : state_.running) plans.push_back(plan);
  for (const PlanId& plan : plans) Handle(plan, event);
}

void Driver::Admit(Plan plan, std::function<void(absl::StatusOr<PlanId>)> done) {
  if (!fatal_.ok()) return done(fatal_);
  const std::string request = plan.request_id;
  if (!request.empty()) {
    const auto known = state_.by_request.find(request);
    if (known != state_.by_request.end()) return done(known->second);
    const auto flying = same_request_.find(request);
    if (flying != same_request_.end()) return flying->second.push_back(std::move(done));
  }
  const auto running = state_.running.find(plan.pool);
  const auto admitting = admitting_.find(plan.pool);
  if (running != state_.running.end() || admitting != admitting_.end()) {
    const PlanId& other = running != state_.running.end() ? running->second : admitting->second;
    return done(absl::FailedPreconditionError(absl::StrCat(
        "plan ", other.value(), " of ", plan.pool.value(),
        " has not ended, wanted none: one plan per pool; see baton plan show ", other.value())));
  }
  const PoolState* pool = state_.FindPool(plan.pool);
  const Epoch present = pool == nullptr ? Epoch() : pool->epoch;
  if (Stale(plan, present) || state_.executions.contains(plan.id)) {
    return done(absl::AbortedError(absl::StrCat(
        plan.pool.value(), " is at epoch ", present.ToString(), ", plan ", plan.id.value(),
        " was made from ", plan.epoch_before.ToString(), ": make the plan anew")));
  }
  const PlanId id = plan.id;
  const PoolId pool_id = plan.pool;
  admitting_[pool_id] = id;
  // Its own completion waits where those of repeated requests do, under a name of its own if need
  // be.
  const std::string key = request.empty() ? absl::StrCat("\n", id.value()) : request;
  same_request_[key].push_back(std::move(done));
  std::vector<Fact> facts;
  facts.push_back(PlanAdmitted{std::make_shared<const Plan>(std::move(plan))});
  journal_.Append(std::move(facts), [this, alive = std::weak_ptr<char>(alive_), id, pool_id,
                                     key](absl::StatusOr<std::vector<Record>> records) {
    if (!alive.expired()) Admitted(id, pool_id, key, records);
  });
}

void Driver::Admitted(const PlanId& id, const PoolId& pool, const std::string& request_id,
                      const absl::StatusOr<std::vector<Record>>& records) {
  admitting_.erase(pool);
  auto waiting = std::move(same_request_[request_id]);
  same_request_.erase(request_id);
  if (records.ok()) {
    Apply(*records);
  } else {
    Fail(records.status());
  }
  for (auto& done : waiting) {
    done(records.ok() ? absl::StatusOr<PlanId>(id) : absl::StatusOr<PlanId>(records.status()));
  }
  if (!records.ok()) return;
  Handle(id, Proceed{});
}

void Driver::Operate(const PlanId& plan, OperatorRequest request,
                     std::function<void(absl::Status)> done) {
  if (!fatal_.ok()) return done(fatal_);
  if (state_.FindExecution(plan) == nullptr) {
    return done(absl::NotFoundError(absl::StrCat(
        "no plan ", plan.value(), " that has not ended long ago; see baton plan list")));
  }
  request.told_silent = state_.FindExecution(plan)->told_silent;
  Handle(plan, std::move(request), std::move(done));
}

void Driver::Resume(const PlanId& plan, const std::string& by, const std::string& reason,
                    const std::string& request_id, std::function<void(absl::Status)> done) {
  Operate(plan, {Verb::kResume, std::nullopt, by, reason, request_id}, std::move(done));
}

void Driver::Append(Fact fact, std::function<void(absl::StatusOr<Record>)> done) {
  if (!fatal_.ok()) return done(fatal_);
  std::vector<Fact> facts;
  facts.push_back(std::move(fact));
  journal_.Append(std::move(facts),
                  [this, alive = std::weak_ptr<char>(alive_),
                   done = std::move(done)](absl::StatusOr<std::vector<Record>> records) {
                    if (alive.expired()) return;
                    if (!records.ok()) {
                      Fail(records.status());
                      return done(records.status());
                    }
                    Apply(*records);
                    if (const auto* seen = std::get_if<ReturnFenced>(&records->front().fact)) {
                      const Execution* running = state_.FindRunning(seen->pool);
                      if (running != nullptr) Handle(running->plan->id, ReturnSettled{});
                    }
                    done(records->front());
                  });
}

void Driver::OnCommandEnded(const CommandId& command, const Outcome& outcome) {
  const auto name = ParseCommandId(command);
  if (name.has_value()) Handle(name->plan, CommandEnded{command, outcome});
}

void Driver::OnCommandNotAccepted(const CommandId& command) {
  const auto name = ParseCommandId(command);
  if (name.has_value()) Handle(name->plan, CommandNotAccepted{command});
}

// Had a session: nothing that was asked for before is a word about its silence.
void Driver::Heard(const HostId& host) {
  awaited_.erase(host);
  for (auto& [plan, lane] : lanes_) {
    for (auto& [event, done] : lane.queue) {
      auto* request = std::get_if<OperatorRequest>(&event);
      if (request != nullptr) request->told_silent.erase(host);
    }
  }
}

void Driver::OnHostAnswers(const HostId& host) {
  Heard(host);
  Broadcast(HostAnswers{host});
}
void Driver::OnHostReady(const HostId& host) {
  Heard(host);
  Broadcast(HostReady{host});
}
void Driver::OnHostLost(const HostId& host) {
  Heard(host);
  Broadcast(HostLost{host});
}

void Driver::Handle(const PlanId& plan, PlanEvent event, std::function<void(absl::Status)> done) {
  if (state_.FindExecution(plan) == nullptr) return;
  lanes_[plan].queue.emplace_back(std::move(event), std::move(done));
  Work(plan);
}

// Forgets the lane of an ended plan that has nothing more to do.
void Driver::Dismiss(const PlanId& plan) {
  const auto lane = lanes_.find(plan);
  if (lane == lanes_.end() || lane->second.busy || !lane->second.queue.empty()) return;
  const Execution* execution = state_.FindExecution(plan);
  if (execution == nullptr || Terminal(execution->state)) lanes_.erase(lane);
}

std::vector<PlanEvent> Driver::News(const Execution& now) const {
  const auto connected = [this](const HostId& host) { return gateway_.Connected(host); };
  std::vector<PlanEvent> news = PresenceOf(now, connected);
  std::erase_if(news, [this](const PlanEvent& event) {
    const auto* lost = std::get_if<HostLost>(&event);
    return lost != nullptr && awaited_.contains(lost->host);
  });
  return news;
}

Decision Driver::DecideOnPresence(const Execution& now) const {
  for (const PlanEvent& news : News(now)) {
    Decision decision = Decide(now, news);
    if (!decision.facts.empty()) return decision;
  }
  return Decision();
}

// Handles what is queued until an append has to be waited for. `busy` keeps everything that is
// called from here from entering a second time; whoever is told the end of a request may.
void Driver::Work(const PlanId& plan) {
  for (auto found = lanes_.find(plan);
       found != lanes_.end() && !found->second.busy && !found->second.queue.empty() && fatal_.ok();
       found = lanes_.find(plan)) {
    Lane& lane = found->second;
    auto [event, done] = std::move(lane.queue.front());
    lane.queue.pop_front();
    const Execution& now = *state_.FindExecution(plan);
    const auto* request = std::get_if<OperatorRequest>(&event);
    if (request != nullptr && done != nullptr) {
      const auto before = state_.operated.find(request->request_id);
      const bool again = before != state_.operated.end() && before->second == plan;
      const absl::Status allowed = again ? absl::OkStatus() : Resolve(now, *request).status();
      if (again || !allowed.ok()) {
        done(allowed);
        continue;
      }
    }
    Decision decision = DecideOnPresence(now);
    if (decision.facts.empty()) {
      decision = Decide(now, event);
    } else {
      lane.queue.emplace_front(std::move(event), std::move(done));
      done = nullptr;
    }
    lane.busy = true;
    if (decision.facts.empty()) {
      Execute(plan, std::move(decision), {});
      lane.busy = false;
      if (done != nullptr) done(absl::OkStatus());
      continue;
    }
    std::vector<Fact> facts = std::move(decision.facts);
    journal_.Append(std::move(facts), [this, alive = std::weak_ptr<char>(alive_), plan,
                                       decision = std::move(decision), done = std::move(done)](
                                          absl::StatusOr<std::vector<Record>> records) mutable {
      if (alive.expired()) return;
      if (!records.ok()) {
        Fail(records.status());
        if (done != nullptr) done(records.status());
        return;
      }
      Apply(*records);
      Execute(plan, std::move(decision), *records);
      lanes_[plan].busy = false;
      if (done != nullptr) done(absl::OkStatus());
      Work(plan);
    });
  }
  Dismiss(plan);
}

void Driver::Apply(const std::vector<Record>& records) {
  for (const Record& record : records) {
    Evolve(state_, record);
    if (const auto* finished = std::get_if<StepFinished>(&record.fact)) {
      Disarm(finished->plan, finished->step);
    } else if (const auto* ended = std::get_if<PlanEnded>(&record.fact)) {
      Lane& lane = lanes_[ended->plan];
      for (const auto& [step, timer] : lane.timers) scheduler_.Cancel(timer);
      lane.timers.clear();
    }
    if (hooks_.on_record) hooks_.on_record(record);
  }
}

void Driver::Execute(const PlanId& plan, Decision decision, const std::vector<Record>& records) {
  std::map<CommandId, uint64_t> sequences;
  for (const Record& record : records) {
    if (const auto* started = std::get_if<StepStarted>(&record.fact)) {
      sequences[started->command] = record.sequence;
    }
  }
  for (const StartTimer& timer : decision.timers) Arm(plan, timer);
  for (const CancelRunning& cancel : decision.cancels) gateway_.Cancel(cancel.host, cancel.command);
  for (SendCommand& send : decision.commands) {
    send.command.sequence = sequences[send.command.id];
    gateway_.Send(send.host, send.command);
  }
  for (const QueryCommandState& query : decision.queries) gateway_.Query(query.host, query.command);
}

void Driver::Arm(const PlanId& plan, const StartTimer& timer) {
  Disarm(plan, timer.step);
  lanes_[plan].timers[timer.step] =
      scheduler_.After(timer.after, [this, alive = std::weak_ptr<char>(alive_), plan,
                                     step = timer.step, attempt = timer.attempt] {
        if (alive.expired()) return;
        lanes_[plan].timers.erase(step);
        Handle(plan, StepTimedOut{step, attempt});
      });
}

void Driver::Disarm(const PlanId& plan, int step) {
  const auto lane = lanes_.find(plan);
  if (lane == lanes_.end()) return;
  std::map<int, TimerId>& timers = lane->second.timers;
  const auto it = timers.find(step);
  if (it == timers.end()) return;
  scheduler_.Cancel(it->second);
  timers.erase(it);
}

void Driver::Fail(const absl::Status& status) {
  if (!fatal_.ok()) return;
  fatal_ = status;
  for (auto& [plan, lane] : lanes_) {
    for (const auto& [step, timer] : lane.timers) scheduler_.Cancel(timer);
    lane.timers.clear();
    auto unheard = std::move(lane.queue);
    lane.queue.clear();
    for (auto& [event, done] : unheard) {
      if (done != nullptr) done(status);
    }
  }
  if (hooks_.on_fatal) hooks_.on_fatal(status);
}

}  // namespace baton
