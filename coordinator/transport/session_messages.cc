#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"
#include "common/runtime/logging.h"
#include "coordinator/transport/session_registry.h"

namespace baton {

absl::Status SessionRegistry::Handle(Session& session, const v1::AgentMessage& message) {
  switch (message.kind_case()) {
    case v1::AgentMessage::kReport:
      return OnReport(session, message.report());
    case v1::AgentMessage::kHeartbeat: {
      BATON_ASSIGN_OR_RETURN(const absl::Duration age,
                             FromProto("heartbeat.age", message.heartbeat().age()));
      if (message.heartbeat().has_clock_time()) {
        BATON_ASSIGN_OR_RETURN(const absl::Time clock,
                               FromProto("heartbeat.clock_time", message.heartbeat().clock_time()));
        NoteClock(session, clock);
      }
      for (auto& [ref, seen] : resources_) {
        if (ref.host != session.host) continue;
        seen.looked = std::max(seen.looked, clock_.SinceBoot() - age);
        // One that refused (a command ran, its ledger was full) has nothing new to report.
        if (seen.observation.fence.phase == FencePhase::kUnconfirmed) {
          RepeatConfirmation(session, ref);
        }
      }
      SettleReturns(session);
      return absl::OkStatus();
    }
    case v1::AgentMessage::kAccepted:
      return CheckName("accepted.command", message.accepted().command());
    case v1::AgentMessage::kProgress:
      BATON_RETURN_IF_ERROR(CheckName("progress.command", message.progress().command()));
      BATON_RETURN_IF_ERROR(CheckText("progress.what", message.progress().what()));
      if (on_progress_ && Owns(session, CommandId(message.progress().command()))) {
        on_progress_(session.host, message.progress());
      }
      return absl::OkStatus();
    case v1::AgentMessage::kFinished:
      return OnFinished(session, message.finished().command(), message.finished().outcome());
    case v1::AgentMessage::kCommandState:
      return OnCommandState(session, message.command_state());
    case v1::AgentMessage::kDryRunResult:
      return OnDryRunResult(session, message.dry_run_result());
    case v1::AgentMessage::kConfirmed: {
      BATON_ASSIGN_OR_RETURN(const Outcome outcome, FromProto(message.confirmed().outcome()));
      if (!outcome.ok()) {
        spdlog::warn("{}/{}: its right to write could not be confirmed: {}", session.host.value(),
                     message.confirmed().resource(), outcome.message);
      }
      return absl::OkStatus();
    }
    case v1::AgentMessage::kRevoked: {
      BATON_ASSIGN_OR_RETURN(const Outcome outcome, FromProto(message.revoked().outcome()));
      if (!outcome.ok()) {
        spdlog::warn("{}/{}: could not be fenced on its return: {}", session.host.value(),
                     message.revoked().resource(), outcome.message);
      }
      return absl::OkStatus();
    }
    case v1::AgentMessage::kHello:
    case v1::AgentMessage::KIND_NOT_SET:
      break;
  }
  return MissingField("agent_message.kind");
}

// Nothing of a report is taken over unless all of it is understood.
absl::Status SessionRegistry::OnReport(Session& session, const v1::Report& report) {
  BATON_RETURN_IF_ERROR(CheckCount("report.observations", report.observations_size()));
  std::vector<Observation> observations;
  for (const v1::Observation& proto : report.observations()) {
    BATON_ASSIGN_OR_RETURN(Observation seen, FromProto(proto));
    observations.push_back(std::move(seen));
  }
  if (report.has_clock_time()) {
    BATON_ASSIGN_OR_RETURN(const absl::Time clock,
                           FromProto("report.clock_time", report.clock_time()));
    NoteClock(session, clock);
  }
  for (const Observation& seen : observations) Store(session, seen);
  if (report.full()) KeepOnly(session.host, observations, &resources_);
  ++revision_;
  const bool first = report.full() && !session.ready;
  session.ready |= report.full();
  SettleReturns(session);
  for (const Observation& seen : observations) {
    if (seen.fence.phase == FencePhase::kUnconfirmed) {
      RepeatConfirmation(session, {session.host, seen.resource});
    }
  }
  if (first) driver_->OnHostReady(session.host);
  return absl::OkStatus();
}

void SessionRegistry::Store(const Session& session, const Observation& seen) {
  const ResourceRef ref{session.host, seen.resource};
  for (const auto& [pool, resource] : topology_->ResourcesOf(session.host)) {
    if (resource == ref && pool == seen.pool) {
      const auto before = resources_.find(ref);
      resources_[ref] =
          Heard(seen, clock_.SinceBoot(), before == resources_.end() ? nullptr : &before->second);
      return;
    }
  }
}

void SessionRegistry::NoteClock(const Session& session, absl::Time clock) {
  agents_[session.host].clock.Tell(clock, clock_.SinceBoot());
}

bool SessionRegistry::Owns(const Session& session, const CommandId& command) const {
  const auto name = ParseCommandId(command);
  if (!name.has_value()) return false;
  const Execution* execution = driver_->state().FindExecution(name->plan);
  if (execution == nullptr || name->step < 0 ||
      name->step >= static_cast<int>(execution->plan->steps.size())) {
    return false;
  }
  return execution->plan->steps[name->step].target.host == session.host;
}

absl::Status SessionRegistry::OnFinished(const Session& session, const std::string& command,
                                         const v1::Outcome& proto) {
  BATON_RETURN_IF_ERROR(CheckName("finished.command", command));
  BATON_ASSIGN_OR_RETURN(const Outcome outcome, FromProto(proto));
  if (!Owns(session, CommandId(command))) {
    spdlog::warn("{}: answered command {}, which was not given to it; ignored",
                 session.host.value(), command);
    return absl::OkStatus();
  }
  if (outcome.observation.has_value()) {
    Store(session, *outcome.observation);
    ++revision_;
  }
  driver_->OnCommandEnded(CommandId(command), outcome);
  return absl::OkStatus();
}

absl::Status SessionRegistry::OnCommandState(const Session& session,
                                             const v1::CommandState& state) {
  BATON_RETURN_IF_ERROR(CheckName("command_state.command", state.command()));
  switch (state.state()) {
    case v1::CommandState::STATE_NOT_ACCEPTED:
      if (Owns(session, CommandId(state.command()))) {
        driver_->OnCommandNotAccepted(CommandId(state.command()));
      }
      return absl::OkStatus();
    case v1::CommandState::STATE_RUNNING:
      return absl::OkStatus();
    case v1::CommandState::STATE_FINISHED:
      return OnFinished(session, state.command(), state.outcome());
    default:
      return UnknownValue("command_state.state", state.state());
  }
}

absl::Status SessionRegistry::OnDryRunResult(Session& session, const v1::DryRunResult& result) {
  BATON_ASSIGN_OR_RETURN(Outcome outcome, FromProto(result.outcome()));
  auto pending = session.dry_runs.extract(result.id());
  if (pending.empty()) return absl::OkStatus();  // came after its time limit
  scheduler_.Cancel(pending.mapped().timer);
  pending.mapped().done(std::move(outcome));
  return absl::OkStatus();
}

void SessionRegistry::TellConfirmations(Session& session) {
  if (topology_ == nullptr) return;
  std::map<ResourceRef, Epoch> wanted;
  for (const Confirmation& confirmation :
       ConfirmationsFor(driver_->state(), *topology_, session.host)) {
    wanted[confirmation.resource] = confirmation.epoch;
    const auto told = session.confirmed.find(confirmation.resource);
    if (told == session.confirmed.end() || told->second != confirmation.epoch) {
      SendConfirm(session, confirmation);
    }
  }
  session.confirmed = std::move(wanted);
}

// A resource that stays unconfirmed although it was told: at most once per report interval.
void SessionRegistry::RepeatConfirmation(Session& session, const ResourceRef& resource) {
  const absl::Duration now = clock_.SinceBoot();
  const auto last = session.retold.find(resource);
  if (last != session.retold.end() && now - last->second < options_.report_interval) return;
  for (const Confirmation& confirmation :
       ConfirmationsFor(driver_->state(), *topology_, session.host)) {
    if (confirmation.resource == resource) {
      session.retold[resource] = now;
      SendConfirm(session, confirmation);
    }
  }
}

void SessionRegistry::SendConfirm(Session& session, const Confirmation& confirmation) {
  v1::CoordinatorMessage message;
  v1::Confirm& confirm = *message.mutable_confirm();
  confirm.set_pool(confirmation.pool.value());
  confirm.set_resource(confirmation.resource.resource.value());
  *confirm.mutable_epoch() = ToProto(confirmation.epoch);
  confirm.set_boot_id(session.boot.value());
  session.link->Send(std::move(message));
}

}  // namespace baton
