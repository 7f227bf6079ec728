#include "coordinator/transport/session_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/rpc/action_proto.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/status_proto.h"
#include "common/runtime/logging.h"
#include "coordinator/wire/record_proto.h"

namespace baton {
namespace {

// A session that was silent this many report intervals is lost.
constexpr int kSilentIntervalsMax = 3;

}  // namespace

SessionRegistry::SessionRegistry(const Clock& clock, Scheduler& scheduler, Options options)
    : clock_(clock), scheduler_(scheduler), options_(std::move(options)) {}

SessionRegistry::~SessionRegistry() {
  for (auto& [link, session] : sessions_) {
    scheduler_.Cancel(session->watchdog);
    for (auto& [id, pending] : session->dry_runs) scheduler_.Cancel(pending.timer);
  }
}

void SessionRegistry::SetTopology(std::shared_ptr<const Topology> topology) {
  topology_ = std::move(topology);
  ++revision_;
  std::vector<SessionLink*> strangers;
  for (const auto& [host, link] : welcomed_) {
    if (!topology_->hosts.contains(host)) strangers.push_back(link);
  }
  for (SessionLink* link : strangers) {
    End(link, absl::NotFoundError("the host is no longer in the topology"));
  }
  std::erase_if(agents_,
                [&](const auto& agent) { return !topology_->hosts.contains(agent.first); });
  std::set<ResourceRef> known;
  for (const auto& [id, host] : topology_->hosts) {
    for (const auto& [pool, resource] : topology_->ResourcesOf(id)) known.insert(resource);
  }
  std::erase_if(resources_, [&](const auto& seen) { return !known.contains(seen.first); });
  for (const auto& [host, link] : welcomed_) {
    TellConfirmations(*sessions_.at(link));
    // What was left out because the topology did not name it yet.
    v1::CoordinatorMessage look;
    look.mutable_report_now();
    link->Send(std::move(look));
  }
}

void SessionRegistry::OnRecord(const Record& record) {
  ++revision_;
  if (const auto* accepted = std::get_if<LedgerAccepted>(&record.fact)) {
    refused_.erase(accepted->host);
    const Session* session = FindWelcomed(accepted->host);
    if (session != nullptr && session->ledger != accepted->ledger) {
      End(session->link, ErrorWithReason(absl::StatusCode::kAborted, "SESSION_REPLACED",
                                         "another ledger was accepted for this host"));
    }
    return;
  }
  const Execution* execution = driver_->state().FindExecution(PlanOf(record.fact));
  if (execution == nullptr || topology_ == nullptr) return;
  const Pool* pool = topology_->FindPool(execution->plan->pool);
  if (pool == nullptr) return;
  std::set<HostId> hosts;
  for (const Database& database : pool->databases) {
    for (const Instance& instance : database.instances) hosts.insert(instance.host);
  }
  for (const ChatServer& server : pool->chat_servers) hosts.insert(server.host);
  for (const HostId& host : hosts) {
    if (Session* session = FindWelcomed(host)) {
      SettleReturns(*session);
      TellConfirmations(*session);
    }
  }
}

void SessionRegistry::Send(const HostId& host, const Command& command) {
  Session* session = FindWelcomed(host);
  if (session == nullptr) return;
  v1::CoordinatorMessage message;
  *message.mutable_command() = ToProto(command);
  session->link->Send(std::move(message));
}

void SessionRegistry::Query(const HostId& host, const CommandId& command) {
  Session* session = FindWelcomed(host);
  if (session == nullptr) return;
  v1::CoordinatorMessage message;
  message.mutable_query_command()->set_command(command.value());
  session->link->Send(std::move(message));
}

void SessionRegistry::Cancel(const HostId& host, const CommandId& command) {
  Session* session = FindWelcomed(host);
  if (session == nullptr) return;
  v1::CoordinatorMessage message;
  message.mutable_cancel_command()->set_command(command.value());
  session->link->Send(std::move(message));
}

bool SessionRegistry::Connected(const HostId& host) const { return FindWelcomed(host) != nullptr; }

void SessionRegistry::DryRun(const ResourceRef& target, const Action& action, absl::Duration limit,
                             std::function<void(Outcome)> done) {
  Session* session = FindWelcomed(target.host);
  if (session == nullptr) {
    return done(RefusedOutcome(
        "AGENT_NOT_CONNECTED",
        absl::StrCat("no session with the agent of ", target.host.value(), ", wanted one to check ",
                     Describe(action), "; start baton-agent there")));
  }
  const std::string id = absl::StrCat("dry-", ++last_dry_run_);
  SessionLink* link = session->link;
  const TimerId timer = scheduler_.After(limit, [this, link, id, host = target.host] {
    Session* late = Find(link);
    if (late == nullptr) return;
    auto pending = late->dry_runs.extract(id);
    if (pending.empty()) return;
    pending.mapped().done(RefusedOutcome(
        "NO_ANSWER", absl::StrCat("the agent of ", host.value(), " did not answer in time")));
  });
  session->dry_runs[id] = {std::move(done), timer};
  v1::CoordinatorMessage message;
  message.mutable_dry_run()->set_id(id);
  message.mutable_dry_run()->set_resource(target.resource.value());
  *message.mutable_dry_run()->mutable_action() = ToProto(action);
  link->Send(std::move(message));
}

const RefusedAgent* SessionRegistry::FindRefused(const HostId& host) const {
  const auto it = refused_.find(host);
  return it == refused_.end() ? nullptr : &it->second;
}

bool SessionRegistry::HasReported(const HostId& host) const {
  const Session* session = FindWelcomed(host);
  return session != nullptr && session->ready;
}

std::string SessionRegistry::PeerOf(const HostId& host) const {
  const Session* session = FindWelcomed(host);
  return session == nullptr ? std::string() : session->link->Peer();
}

void SessionRegistry::OnOpened(SessionLink* link) {
  auto session = std::make_unique<Session>();
  session->link = link;
  session->heard = clock_.SinceBoot();
  Watch(*session);
  sessions_[link] = std::move(session);
}

void SessionRegistry::OnMessage(SessionLink* link, v1::AgentMessage message) {
  Session* session = Find(link);
  if (session == nullptr) return;
  Touch(*session);
  session->heard = clock_.SinceBoot();
  absl::Status status;
  if (message.has_hello()) {
    status = OnHello(*session, message.hello());
  } else if (session->id.empty()) {
    status = absl::InvalidArgumentError(
        session->host.empty() ? "found another message first, wanted Hello"
                              : "found a message before Welcome was sent, wanted none");
  } else {
    status = Handle(*session, message);
  }
  if (!status.ok()) End(link, status);
}

void SessionRegistry::OnClosed(SessionLink* link) { Drop(link); }

SessionRegistry::Session* SessionRegistry::Find(SessionLink* link) {
  const auto it = sessions_.find(link);
  return it == sessions_.end() ? nullptr : it->second.get();
}

SessionRegistry::Session* SessionRegistry::FindWelcomed(const HostId& host) {
  const auto it = welcomed_.find(host);
  return it == welcomed_.end() ? nullptr : Find(it->second);
}

const SessionRegistry::Session* SessionRegistry::FindWelcomed(const HostId& host) const {
  return const_cast<SessionRegistry*>(this)->FindWelcomed(host);
}

void SessionRegistry::Touch(const Session& session) {
  const auto agent = agents_.find(session.host);
  if (!session.id.empty() && agent != agents_.end()) agent->second.last_report = clock_.Now();
}

void SessionRegistry::Watch(Session& session) {
  session.watchdog = scheduler_.After(options_.report_interval,
                                      [this, link = session.link] { CheckAlive(link, false); });
}

// After a pause of this whole process everything seems silent: what had already arrived is handled
// before the second look.
void SessionRegistry::CheckAlive(SessionLink* link, bool second_look) {
  Session* session = Find(link);
  if (session == nullptr) return;
  const absl::Duration silent = clock_.SinceBoot() - session->heard;
  if (silent <= kSilentIntervalsMax * options_.report_interval) return Watch(*session);
  if (!second_look) {
    scheduler_.Post([this, link] { CheckAlive(link, true); });
    return;
  }
  spdlog::warn("session of {}: nothing heard for {}", session->host.value(),
               absl::FormatDuration(silent));
  End(link, absl::DeadlineExceededError(absl::StrCat(
                "nothing heard for ", absl::FormatDuration(silent), ", wanted a message every ",
                absl::FormatDuration(options_.report_interval))));
}

std::unique_ptr<SessionRegistry::Session> SessionRegistry::Drop(SessionLink* link) {
  auto node = sessions_.extract(link);
  if (node.empty()) return nullptr;
  std::unique_ptr<Session> session = std::move(node.mapped());
  scheduler_.Cancel(session->watchdog);
  const auto welcomed = welcomed_.find(session->host);
  if (welcomed != welcomed_.end() && welcomed->second == link) {
    welcomed_.erase(welcomed);
    ++revision_;
    agents_[session->host].connected = false;
    spdlog::info("session of {} ended", session->host.value());
    driver_->OnHostLost(session->host);
  }
  for (auto& [id, pending] : session->dry_runs) {
    scheduler_.Cancel(pending.timer);
    pending.done(RefusedOutcome(
        "AGENT_LOST", absl::StrCat("the session with the agent of ", session->host.value(),
                                   " ended before it answered")));
  }
  return session;
}

void SessionRegistry::End(SessionLink* link, const absl::Status& status) {
  const std::unique_ptr<Session> session = Drop(link);
  if (session == nullptr) return;
  spdlog::warn("session of {} ({}) refused or cut: {}",
               session->host.empty() ? "an unnamed host" : session->host.value(), link->Peer(),
               status.ToString(absl::StatusToStringMode::kWithNoExtraData));
  link->Close(status);
}

}  // namespace baton
