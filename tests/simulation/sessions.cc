// The coordinator's side of sessions, by the rules of coordinator/transport, and the network below.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/coordinator.h"
#include "tests/simulation/oracle.h"

namespace baton::sim {
namespace {

constexpr Nanos kReportInterval = 2 * kSecond;
// When an end of a stream notices that nothing comes through any more.
constexpr Nanos kKeepalive = 3 * kSecond;

bool MayBeLost(const agent::ToCoordinator& message) {
  return std::holds_alternative<agent::Accepted>(message) ||
         std::holds_alternative<agent::Finished>(message) ||
         std::holds_alternative<agent::CommandAnswer>(message);
}

}  // namespace

// --- the agents' ends ---

void SimLink::Open(const agent::Hello& hello, Events events) {
  Close();
  stream_ = coordinator_.OpenStream(agent_, hello, std::move(events));
}
void SimLink::Send(const agent::ToCoordinator& message) { coordinator_.SendUp(stream_, message); }
void SimLink::Close() {
  if (stream_ != 0) coordinator_.CloseFromAgent(stream_);
}

uint64_t CoordinatorProcess::OpenStream(AgentProcess& agent, const agent::Hello& hello,
                                        agent::CoordinatorLink::Events events) {
  const uint64_t id = ++last_stream_;
  const bool heard_old = world_.Is(Mutation::kOldSessionHeard);
  for (auto& [old, stream] : streams_) {
    if (heard_old && stream.host == agent.host.index) stream.events.message = events.message;
  }
  Stream& stream = streams_[id];
  stream.host = agent.host.index;
  stream.agent = agent.process;
  stream.events = std::move(events);
  stream.number = hello.session_counter;
  const bool reached = running() && world_.Reaches(stream.host, kCoordinatorHost) &&
                       world_.Reaches(kCoordinatorHost, stream.host);
  if (!reached) {
    CloseToAgent(id, world_.Jitter(1, 200) * kMilli);
    return id;
  }
  stream.last_up = world_.queue.now() + world_.Jitter(1, 10) * kMilli;
  world_.queue.At(process, stream.last_up - world_.queue.now(),
                  [this, id, hello] { OnHello(id, hello); });
  return id;
}

void CoordinatorProcess::Notice(uint64_t id) {
  Stream& stream = streams_.at(id);
  if (std::exchange(stream.noticing, true)) return;
  CloseToAgent(id, kKeepalive);
}

void CoordinatorProcess::SendUp(uint64_t id, const agent::ToCoordinator& message) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !it->second.agent_end) return;
  Stream& stream = it->second;
  if (!world_.Reaches(stream.host, kCoordinatorHost) ||
      !world_.Reaches(kCoordinatorHost, stream.host)) {
    Notice(id);
  }
  if (!world_.Reaches(stream.host, kCoordinatorHost)) return;
  const bool storm = world_.storms && MayBeLost(message);
  if (storm && world_.rng.Chance(3)) return;
  const int copies = storm && world_.rng.Chance(4) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const Nanos delay = world_.Jitter(300, world_.storms ? 60000 : 2000) * kMicro;
    stream.last_up = std::max(stream.last_up, world_.queue.now() + delay);
    world_.queue.At(process, stream.last_up - world_.queue.now(),
                    [this, id, message] { OnMessage(id, message); });
  }
}

void CoordinatorProcess::CloseFromAgent(uint64_t id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !it->second.agent_end) return;
  it->second.agent_end = false;
  if (!world_.Reaches(it->second.host, kCoordinatorHost)) return;
  world_.queue.At(process, world_.Jitter(300, 20000) * kMicro, [this, id] { Drop(id, false); });
}

void CoordinatorProcess::CloseToAgent(uint64_t id, Nanos delay) {
  const Stream& stream = streams_.at(id);
  world_.queue.At(stream.agent, delay, [this, id] {
    Stream& mine = streams_.at(id);
    if (!mine.agent_end) return;
    mine.agent_end = false;
    mine.events.closed(absl::UnavailableError("the stream broke"));
  });
}

void CoordinatorProcess::BreakStreams(int host) {
  std::vector<uint64_t> broken;
  for (const auto& [id, stream] : streams_) {
    if (stream.host == host && stream.agent_end) broken.push_back(id);
  }
  for (const uint64_t id : broken) {
    CloseToAgent(id, world_.Jitter(0, 5) * kMilli);
    world_.queue.At(process, world_.Jitter(0, 5) * kMilli, [this, id] { Drop(id, false); });
  }
}

void CoordinatorProcess::SendDown(uint64_t id, agent::FromCoordinator message, bool may_be_lost) {
  Stream& stream = streams_.at(id);
  if (!world_.Reaches(kCoordinatorHost, stream.host)) return Notice(id);
  const bool storm = world_.storms && may_be_lost;
  if (storm && world_.rng.Chance(3)) return;
  const int copies = storm && world_.rng.Chance(4) ? 2 : 1;
  Nanos delay = world_.Jitter(300, world_.storms ? 60000 : 2000) * kMicro;
  if (storm && world_.rng.Chance(2)) delay += world_.Jitter(100, 2000) * kMilli;
  stream.last_down = std::max(stream.last_down, world_.queue.now() + delay);
  for (int i = 0; i < copies; ++i) {
    const bool last = i + 1 == copies;
    world_.queue.At(stream.agent, stream.last_down - world_.queue.now() + i * kMilli,
                    [this, id, message = last ? std::move(message) : message]() mutable {
                      Stream& mine = streams_.at(id);
                      if (!mine.agent_end && !world_.Is(Mutation::kOldSessionHeard)) return;
                      mine.events.message(std::move(message));
                    });
  }
}

// --- sessions ---

void CoordinatorProcess::OnHello(uint64_t id, const agent::Hello& hello) {
  Session& session = sessions_[id];
  session.stream = id;
  session.host = hello.host;
  session.ledger = hello.ledger;
  session.counter = hello.session_counter;
  session.boot = hello.boot;
  session.heard = world_.queue.now();
  Watch(id);
  if (driver_->state().ledgers.contains(hello.host)) return Admit(session);
  if (!pinning_.insert(hello.host).second) return;
  driver_->Append(LedgerAccepted{hello.host, hello.ledger, "", "", ""},
                  [this, host = hello.host](const absl::StatusOr<Record>& record) {
                    pinning_.erase(host);
                    if (!record.ok()) return;
                    std::vector<uint64_t> waiting;
                    for (const auto& [stream, session] : sessions_) {
                      if (session.host == host && !session.welcomed) waiting.push_back(stream);
                    }
                    for (const uint64_t stream : waiting) {
                      const auto session = sessions_.find(stream);
                      if (session != sessions_.end()) Admit(session->second);
                    }
                  });
}

void CoordinatorProcess::Admit(Session& session) {
  const uint64_t id = session.stream;
  const LedgerAccepted& known = driver_->state().ledgers.at(session.host);
  if (known.ledger != session.ledger) {
    refused_[session.host] = session.ledger;
    return Drop(id, true);
  }
  auto& [ledger, counter] = counters_[session.host];
  if (ledger == session.ledger && session.counter <= counter) return Drop(id, true);
  ledger = session.ledger;
  counter = session.counter;
  const auto older = welcomed_.find(session.host);
  if (older != welcomed_.end()) Drop(older->second, true);
  session.welcomed = true;
  welcomed_[session.host] = id;
  world_.oracle->OnSessionOpened(session.host);
  ++revision_;
  AgentView& agent = agents_[session.host];
  agent.connected = true;
  agent.boot = session.boot;
  agent.version = "0.1.0";
  agent.last_report = loop.Now();
  SendDown(id,
           agent::Welcome{SessionId("session"), journal_id_, absl::Nanoseconds(kReportInterval)},
           false);
  if (!world_.Is(Mutation::kAnswerUnheard) && !Overlooked(session.host)) {
    driver_->OnHostAnswers(session.host);
  }
  SettleReturns(session);
  const auto still = welcomed_.find(session.host);
  if (still != welcomed_.end() && still->second == id) TellConfirmations(session);
}

// Fences what came back, or notes that it is seen to be.
void CoordinatorProcess::SettleReturns(Session& session) {
  if (world_.Is(Mutation::kRevokeForgotten)) return;
  for (const Revocation& due : RevocationsFor(driver_->state(), session.host)) {
    const ResourceRef& ref = due.resource;
    const auto seen = resources_.find(ref);
    if (session.ready && seen != resources_.end() && SeenFenced(due, seen->second.observation)) {
      if (!returning_.insert(ref).second) continue;
      driver_->Append(ReturnFenced{world_.pool, ref, due.epoch},
                      [this, ref = ref](const absl::StatusOr<Record>&) { returning_.erase(ref); });
      continue;
    }
    const auto last = session.revoked.find(ref);
    const Nanos now = world_.queue.now();
    if (last != session.revoked.end() && now - last->second < kReportInterval) continue;
    session.revoked[ref] = now;
    SendDown(session.stream, agent::Revoke{world_.pool, ref.resource, due.epoch}, true);
  }
}

void CoordinatorProcess::OnMessage(uint64_t id, const agent::ToCoordinator& message) {
  const auto it = sessions_.find(id);
  // What comes on a stream that was dropped unheard is answered with a reset.
  if (it == sessions_.end()) return CloseToAgent(id, world_.Jitter(1, 10) * kMilli);
  if (!it->second.welcomed) return;
  Session& session = it->second;
  session.heard = world_.queue.now();
  agents_[session.host].last_report = loop.Now();
  if (const auto* report = std::get_if<agent::Report>(&message)) {
    OnReport(session, *report);
  } else if (const auto* heartbeat = std::get_if<agent::Heartbeat>(&message)) {
    NoteClock(session, heartbeat->clock);
    for (auto& [ref, seen] : resources_) {
      if (ref.host != session.host) continue;
      seen.looked = std::max(seen.looked, loop.SinceBoot() - heartbeat->age);
      if (seen.observation.fence.phase == FencePhase::kUnconfirmed) {
        RepeatConfirmation(session, ref);
      }
    }
    SettleReturns(session);
  } else if (const auto* finished = std::get_if<agent::Finished>(&message)) {
    Ended(session.host, finished->command, finished->outcome);
  } else if (const auto* answer = std::get_if<agent::CommandAnswer>(&message)) {
    if (answer->state == agent::AnswerState::kFinished) {
      Ended(session.host, answer->command, answer->outcome);
    } else if (answer->state == agent::AnswerState::kNotAccepted &&
               Owns(session.host, answer->command)) {
      driver_->OnCommandNotAccepted(answer->command);
    }
  }
}

bool CoordinatorProcess::Owns(const HostId& host, const CommandId& command) const {
  const auto name = ParseCommandId(command);
  if (!name.has_value()) return false;
  const Execution* execution = driver_->state().FindExecution(name->plan);
  return execution != nullptr && name->step < static_cast<int>(execution->plan->steps.size()) &&
         execution->plan->steps[name->step].target.host == host;
}

void CoordinatorProcess::Ended(const HostId& host, const CommandId& command,
                               const Outcome& outcome) {
  if (!Owns(host, command)) return;
  if (outcome.code == OutcomeCode::kUnknown && world_.Is(Mutation::kUnknownTakenForDone)) {
    Outcome assumed = OkOutcome();
    assumed.position = outcome.position;
    return driver_->OnCommandEnded(command, assumed);
  }
  driver_->OnCommandEnded(command, outcome);
}

void CoordinatorProcess::NoteClock(const Session& session, absl::Time clock) {
  agents_[session.host].clock.Tell(clock, loop.SinceBoot());
}

void CoordinatorProcess::OnReport(Session& session, const agent::Report& report) {
  NoteClock(session, report.clock);
  for (const Observation& seen : report.observations) Store(session, seen);
  if (report.full) KeepOnly(session.host, report.observations, &resources_);
  ++revision_;
  const bool first = report.full && !session.ready;
  session.ready |= report.full;
  SettleReturns(session);
  for (const Observation& seen : report.observations) {
    if (seen.fence.phase == FencePhase::kUnconfirmed) {
      RepeatConfirmation(session, {session.host, seen.resource});
    }
  }
  if (first && !Overlooked(session.host)) driver_->OnHostReady(session.host);
}

void CoordinatorProcess::Store(const Session& session, const Observation& seen) {
  const ResourceRef ref{session.host, seen.resource};
  const bool known = world_.Find(ref) != nullptr || world_.Is(Mutation::kStrangersStored);
  if (!known) return;
  const auto before = resources_.find(ref);
  resources_[ref] =
      Heard(seen, loop.SinceBoot(), before == resources_.end() ? nullptr : &before->second);
}

std::vector<Confirmation> CoordinatorProcess::Confirmations(const HostId& host) const {
  const bool losing = world_.Is(Mutation::kConfirmsLosingSide);
  const bool due = world_.Is(Mutation::kConfirmsDespiteDue);
  if (!losing && !due) return ConfirmationsFor(driver_->state(), *world_.topology, host);
  CoordinatorState forgetful = driver_->state();
  if (losing) forgetful.running.clear();
  if (due) {
    PoolState& pool = forgetful.pools[world_.pool];
    for (const auto& [ref, epoch] : std::exchange(pool.fence_due, {})) {
      const Unit* unit = world_.Find(ref);
      if (!unit->is_database()) continue;
      // As before the failover.
      WriteRight& right = pool.rights.begin()->second;
      if (right.lineages.size() > 1 && right.lineages.back().instance != ref.host) {
        right.lineages.pop_back();
      }
      right.writer = ref.host;
    }
  }
  return ConfirmationsFor(forgetful, *world_.topology, host);
}

void CoordinatorProcess::TellConfirmations(Session& session) {
  std::map<ResourceRef, Epoch> wanted;
  for (const Confirmation& confirmation : Confirmations(session.host)) {
    wanted[confirmation.resource] = confirmation.epoch;
    const auto told = session.confirmed.find(confirmation.resource);
    if (told == session.confirmed.end() || told->second != confirmation.epoch) {
      SendConfirm(session, confirmation);
    }
  }
  session.confirmed = std::move(wanted);
}

void CoordinatorProcess::RepeatConfirmation(Session& session, const ResourceRef& resource) {
  const auto last = session.retold.find(resource);
  if (last != session.retold.end() && world_.queue.now() - last->second < kReportInterval) return;
  for (const Confirmation& confirmation : Confirmations(session.host)) {
    if (confirmation.resource != resource) continue;
    session.retold[resource] = world_.queue.now();
    SendConfirm(session, confirmation);
  }
}

void CoordinatorProcess::SendConfirm(Session& session, const Confirmation& confirmation) {
  const Unit& unit = *world_.Find(confirmation.resource);
  const Execution* running = driver_->state().FindRunning(confirmation.pool);
  world_.oracle->OnConfirmSent(unit, confirmation.epoch, running);
  SendDown(session.stream,
           agent::Confirm{confirmation.pool, confirmation.resource.resource, confirmation.epoch,
                          session.boot},
           true);
}

void CoordinatorProcess::Watch(uint64_t id) {
  world_.queue.At(process, kReportInterval, [this, id] {
    const auto it = sessions_.find(id);
    if (it == sessions_.end()) return;
    if (world_.queue.now() - it->second.heard > 3 * kReportInterval) return Drop(id, true);
    Watch(id);
  });
}

void CoordinatorProcess::Drop(uint64_t id, bool tell_agent) {
  auto node = sessions_.extract(id);
  if (tell_agent) {
    const Stream& stream = streams_.at(id);
    if (world_.Reaches(kCoordinatorHost, stream.host)) {
      CloseToAgent(id, world_.Jitter(1, 10) * kMilli);
    } else {
      Notice(id);
    }
  }
  if (node.empty()) return;
  const Session& session = node.mapped();
  const auto welcomed = welcomed_.find(session.host);
  if (welcomed == welcomed_.end() || welcomed->second != id) return;
  welcomed_.erase(welcomed);
  world_.oracle->OnSessionEnded(session.host);
  ++revision_;
  agents_[session.host].connected = false;
  driver_->OnHostLost(session.host);
}

}  // namespace baton::sim
