#include "tests/simulation/coordinator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/oracle.h"

namespace baton::sim {
namespace {

Policy MakePolicy() {
  Policy policy;
  policy.step_timeout = absl::Seconds(4);
  policy.check_timeout = absl::Seconds(3);
  return policy;
}

}  // namespace

// --- journal ---

void SimJournal::Append(std::vector<Fact> facts,
                        std::function<void(absl::StatusOr<std::vector<Record>>)> done) {
  world_.oracle->OnAppended(facts);
  std::vector<Record> records;
  for (Fact& fact : facts) {
    if (world_.Is(Mutation::kWaitsSilently) && std::holds_alternative<PlanWaiting>(fact)) continue;
    const auto* noted = std::get_if<ReturnNoted>(&fact);
    const bool awaited = noted != nullptr && noted->state == ReturnState::kAwaited;
    if (world_.Is(Mutation::kNobodyAwaited) && awaited) continue;
    records.push_back({next_++, absl::FromUnixNanos(world_.queue.now()), std::move(fact)});
  }
  ++in_flight_;
  const Nanos drawn = world_.Jitter(100, world_.storms ? 4000 : 400) * kMicro;
  // One after the other, as one thread writes and answers them.
  synced_ = std::max(synced_, world_.queue.now() + drawn);
  const Nanos sync = synced_ - world_.queue.now();
  const bool early = world_.Is(Mutation::kJournalAnswersEarly);
  if (early) world_.queue.At(process_, 0, [records, done] { done(records); });
  world_.queue.At(process_, early ? 20 * sync : sync,
                  [this, records = std::move(records), done = std::move(done), early]() mutable {
                    world_.Sync(SyncPoint::kJournalWritten, kCoordinatorHost);
                    if (!world_.queue.Alive(process_)) return;
                    for (const Record& record : records) {
                      const bool dropped = world_.Is(Mutation::kRecordDropped) &&
                                           std::holds_alternative<StepFinished>(record.fact);
                      if (!dropped) durable_.push_back(record);
                      world_.oracle->OnDurable(record);
                    }
                    world_.Sync(SyncPoint::kJournalSynced, kCoordinatorHost);
                    const Nanos way = world_.Jitter(10, 200) * kMicro;
                    answered_ = std::max(answered_, world_.queue.now() + way);
                    world_.queue.At(process_, answered_ - world_.queue.now(),
                                    [this, records = std::move(records), done = std::move(done),
                                     early]() mutable {
                                      --in_flight_;
                                      if (!early) done(std::move(records));
                                    });
                  });
}

// --- the process ---

CoordinatorProcess::CoordinatorProcess(World& world, PointHook hook)
    : process(world.queue.Add()),
      loop(world.queue, process),
      world_(world),
      hook_(std::move(hook)),
      journal_(world, process) {}

CoordinatorProcess::~CoordinatorProcess() = default;

void CoordinatorProcess::Start() {
  if (running() || !world_.hosts[kCoordinatorHost].up) return;
  world_.queue.Revive(process);
  journal_.Died();
  world_.oracle->OnStarts();
  driver_ = std::make_unique<Driver>(
      journal_, *this, loop,
      Driver::Hooks{.on_record = [this](const Record& record) { OnRecord(record); },
                    .on_fatal = [](const absl::Status&) {}});
  for (const Record& record : journal_.durable()) driver_->Replay(record);
  world_.Tell(
      [&] { return absl::StrCat("coordinator starts, ", journal_.durable().size(), " records"); });
  driver_->Start();
  if (world_.Is(Mutation::kSilentAtStart)) FindAllSilent();
}

// As if their sessions with this coordinator had ended.
void CoordinatorProcess::FindAllSilent() {
  const Execution* execution = driver_->state().FindRunning(world_.pool);
  if (execution == nullptr) return;
  const std::map<HostId, ReturnState> returned = execution->returned;
  for (const auto& [host, how] : returned) driver_->OnHostLost(host);
}

void CoordinatorProcess::CompareReplay() {
  if (!running() || !journal_.idle() || journal_.durable().empty()) return;
  // In the middle of a batch the memory has not caught up yet.
  if (driver_->state().last_sequence != journal_.durable().back().sequence) return;
  CoordinatorState replayed;
  for (const Record& record : journal_.durable()) Evolve(replayed, record);
  world_.oracle->OnReplayed(replayed, driver_->state());
}

void CoordinatorProcess::Kill() {
  if (!running()) return;
  CompareReplay();
  world_.Tell([] { return std::string("coordinator dies"); });
  world_.queue.Kill(process);
  dead_.push_back(std::move(driver_));
  for (auto& [id, stream] : streams_) {
    if (stream.agent_end)
      CloseToAgent(id, world_.hosts[kCoordinatorHost].up ? kMilli : 3 * kSecond);
  }
  sessions_.clear();
  welcomed_.clear();
  pinning_.clear();
  counters_.clear();
  refused_.clear();
  returning_.clear();
  agents_.clear();
  resources_.clear();
}

void CoordinatorProcess::Bury() { dead_.clear(); }

void CoordinatorProcess::OnRecord(const Record& record) {
  // Nothing follows from what a dead process still does.
  if (!running()) return;
  ++revision_;
  if (const auto* accepted = std::get_if<LedgerAccepted>(&record.fact)) {
    refused_.erase(accepted->host);
    const auto it = welcomed_.find(accepted->host);
    if (it != welcomed_.end() && sessions_.at(it->second).ledger != accepted->ledger) {
      Drop(it->second, true);
    }
    return;
  }
  if (const auto* raised = std::get_if<EpochRaised>(&record.fact)) {
    hook_(MakeCommandId(raised->plan, raised->step, 0), Point::kRecorded);
  }
  if (!running()) return;
  const Execution* execution = driver_->state().FindExecution(PlanOf(record.fact));
  if (execution != nullptr) world_.oracle->OnRecorded(record, *execution);
  if (const auto* started = std::get_if<StepStarted>(&record.fact)) {
    hook_(started->command, Point::kRecorded);
  }
  if (!running() || welcomed_.empty()) return;
  // A step that begins changes no right.
  const bool rights = !std::holds_alternative<StepStarted>(record.fact);
  std::vector<uint64_t> told;
  told.reserve(welcomed_.size());
  for (const auto& [host, stream] : welcomed_) told.push_back(stream);
  for (const uint64_t stream : told) {
    const auto session = sessions_.find(stream);
    if (session == sessions_.end()) continue;
    SettleReturns(session->second);
    const auto still = sessions_.find(stream);
    if (rights && still != sessions_.end()) TellConfirmations(still->second);
  }
}

// --- the operator's words ---

Snapshot CoordinatorProcess::Look() const {
  Snapshot seen;
  seen.as_of = loop.Now();
  seen.since_boot = loop.SinceBoot();
  seen.revision = revision_;
  seen.topology = world_.topology;
  seen.pools = driver_->state().pools;
  seen.agents = agents_;
  seen.resources = resources_;
  seen.running = driver_->state().running;
  seen.Date();
  return seen;
}

Planned CoordinatorProcess::PlanBlindly(const Goal& goal) {
  Snapshot seen = Look();
  seen.running.clear();
  return MakePlan(seen, goal, MakePolicy());
}

Planned CoordinatorProcess::PlanMove(const Goal& said) {
  Snapshot seen = Look();
  Goal goal = said;
  Blind(&seen, &goal);
  Planned planned = MakePlan(seen, goal, MakePolicy());
  if (planned.plan.has_value()) Mutate(&*planned.plan);
  return planned;
}

// What a planner that forgets a rule would take for granted.
void CoordinatorProcess::Blind(Snapshot* seen, Goal* goal) const {
  for (auto& [ref, resource] : seen->resources) {
    auto* database = std::get_if<DatabaseObservation>(&resource.observation.detail);
    if (world_.Is(Mutation::kGapIgnored) && database != nullptr) database->gap.clear();
    if (world_.Is(Mutation::kClocksCompared) && database != nullptr) {
      for (auto& [host, agent] : seen->agents) {
        agent.clock = HostClock();
        agent.clock.Tell(std::max(seen->as_of, database->last_commit), seen->since_boot);
      }
    }
  }
  if (world_.Is(Mutation::kClosedTakenForShipped)) {
    for (const auto& [database, right] : seen->pools[world_.pool].rights) {
      if (right.lineages.empty()) continue;
      const Lineage& last = right.lineages.back();
      const auto holder = seen->resources.find({last.instance, ResourceId(database.value())});
      if (holder == seen->resources.end()) continue;
      holder->second.observation.fence.sealed = last.sealed;
    }
  }
  if (world_.Is(Mutation::kDeadChatChosen)) {
    for (const ChatServer& server : seen->topology->FindPool(world_.pool)->chat_servers) {
      seen->agents[server.host].connected = true;
      seen->resources[{server.host, server.service}].at = seen->as_of;
    }
  }
  if (goal->kind == PlanKind::kAdopt && world_.Is(Mutation::kWordAssumed)) {
    for (const ChatServer& server : seen->topology->FindPool(world_.pool)->chat_servers) {
      if (!seen->Connected(server.host)) goal->lost_hosts.push_back(server.host);
    }
  }
  if (goal->kind != PlanKind::kFailover) return;
  if (world_.Is(Mutation::kLossLimitIgnored)) {
    auto topology = std::make_shared<Topology>(*seen->topology);
    topology->pools[world_.pool].limits.loss = absl::InfiniteDuration();
    seen->topology = std::move(topology);
  }
  if (world_.Is(Mutation::kWordAssumed)) {
    for (const auto& [host, agent] : seen->topology->hosts) {
      const auto known = seen->agents.find(host);
      const bool connected = known != seen->agents.end() && known->second.connected;
      if (!connected && !agent.coordinator) goal->lost_hosts.push_back(host);
    }
  }
  if (!world_.Is(Mutation::kHomeUpIgnored)) return;
  goal->lost_site = SiteId();
  for (const auto& [database, right] : seen->pools[world_.pool].rights) {
    seen->agents[right.writer].connected = false;
    goal->lost_hosts.push_back(right.writer);
  }
}

void CoordinatorProcess::Mutate(Plan* plan) const {
  if (world_.Is(Mutation::kLossUnderstated)) {
    for (AnnouncedLoss& loss : plan->losses) {
      loss.window = absl::ZeroDuration();
      loss.nothing = true;
      loss.kept.lsn = UINT64_MAX;
    }
  }
  if (world_.Is(Mutation::kUndoReusesEpoch)) plan->undo_epoch = plan->epoch;
  if (world_.Is(Mutation::kUndoForgetsChat)) {
    for (Step& step : plan->steps) {
      const Action* action = step.action();
      if (step.undo && action != nullptr && std::holds_alternative<Activate>(*action))
        step.what = Action(CheckChat{false});
    }
  }
  if (plan->kind != PlanKind::kSwitchover) return;
  int raised = -1;
  int activate = -1;
  for (int i = 0; i < static_cast<int>(plan->steps.size()); ++i) {
    Step& step = plan->steps[i];
    if (step.undo) break;
    if (step.raises_epoch()) raised = i;
    const Action* action = step.action();
    if (action == nullptr) continue;
    if (world_.Is(Mutation::kRecoverBeforeFence) && std::holds_alternative<Recover>(*action)) {
      step.after = {raised};
    }
    if (std::holds_alternative<Activate>(*action)) {
      activate = i;
      if (world_.Is(Mutation::kActivateFirst)) step.after = {raised};
    }
  }
  if (!world_.Is(Mutation::kPointAtForgotten) || activate < 0) return;
  for (Step& step : plan->steps) {
    const Action* action = step.action();
    if (action == nullptr || !std::holds_alternative<PointAt>(*action)) continue;
    step.what = Action(CheckChat{false});
  }
}

void CoordinatorProcess::AdmitPlan(Plan plan, std::function<void(absl::StatusOr<PlanId>)> done) {
  driver_->Admit(std::move(plan), std::move(done));
}

void CoordinatorProcess::Operate(const PlanId& plan, Verb verb, std::optional<int> step) {
  if (verb == Verb::kResume) world_.oracle->OnResumed(plan);
  driver_->Operate(plan, {verb, step, "operator", "simulation", ""}, [](const absl::Status&) {});
}

void CoordinatorProcess::AcceptLedgers() {
  const std::map<HostId, LedgerId> refused = refused_;
  for (const auto& [host, ledger] : refused) {
    world_.Tell(
        [&host = host] { return absl::StrCat("operator accepts the ledger of ", host.value()); });
    driver_->Append(LedgerAccepted{host, ledger, "operator", "known", ""},
                    [](const absl::StatusOr<Record>&) {});
  }
}

// --- what the driver asks ---

CoordinatorProcess::Session* CoordinatorProcess::FindWelcomed(const HostId& host) {
  const auto it = welcomed_.find(host);
  return it == welcomed_.end() ? nullptr : &sessions_.at(it->second);
}

bool CoordinatorProcess::Connected(const HostId& host) const {
  return welcomed_.contains(host) && !Overlooked(host);
}

// Nobody tells the plan that who is to be fenced answers.
bool CoordinatorProcess::Overlooked(const HostId& host) const {
  if (!world_.Is(Mutation::kRecoverBeforeReturnFenced)) return false;
  const PoolState* pool = driver_->state().FindPool(world_.pool);
  return pool != nullptr &&
         std::any_of(pool->fence_due.begin(), pool->fence_due.end(),
                     [&host](const auto& due) { return due.first.host == host; });
}

void CoordinatorProcess::Send(const HostId& host, const Command& command) {
  // It died while the record was told: nothing leaves a dead process.
  if (!running()) return;
  world_.oracle->OnSent(command);
  Session* session = FindWelcomed(host);
  if (session == nullptr) return;
  Command sent = command;
  if (world_.Is(Mutation::kBindInputForgotten)) {
    if (auto* apply = std::get_if<ApplyPendingLogs>(&sent.action)) apply->until = LogPosition();
  }
  if (world_.Is(Mutation::kRetryReusesId)) {
    const auto name = ParseCommandId(command.id);
    sent.id = MakeCommandId(name->plan, name->step, 1);
    if (name->attempt > 1) world_.oracle->OnSent(sent);
  }
  carried_[sent.id] = streams_.at(session->stream).number;
  SendDown(session->stream, std::move(sent), true);
  hook_(command.id, Point::kSent);
}

uint64_t CoordinatorProcess::CarriedBy(const CommandId& command) const {
  const auto it = carried_.find(command);
  return it == carried_.end() ? 0 : it->second;
}

void CoordinatorProcess::Query(const HostId& host, const CommandId& command) {
  if (!running() || world_.Is(Mutation::kNeverAsks)) return;
  Session* session = FindWelcomed(host);
  if (session != nullptr) SendDown(session->stream, agent::QueryCommand{command}, true);
}

void CoordinatorProcess::Cancel(const HostId& host, const CommandId& command) {
  if (!running()) return;
  Session* session = FindWelcomed(host);
  if (session != nullptr) SendDown(session->stream, agent::CancelCommand{command}, true);
}

}  // namespace baton::sim
