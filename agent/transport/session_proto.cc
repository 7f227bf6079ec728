#include "agent/transport/session_proto.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/action_proto.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton::agent {
namespace {

void Fill(const Report& report, v1::AgentMessage* out) {
  v1::Report* message = out->mutable_report();
  message->set_full(report.full);
  if (report.clock != absl::InfinitePast())
    *message->mutable_clock_time() = baton::ToProto(report.clock);
  for (const Observation& observation : report.observations) {
    *message->add_observations() = baton::ToProto(observation);
  }
}

void Fill(const Heartbeat& heartbeat, v1::AgentMessage* out) {
  v1::Heartbeat* message = out->mutable_heartbeat();
  *message->mutable_age() = baton::ToProto(heartbeat.age);
  if (heartbeat.clock != absl::InfinitePast()) {
    *message->mutable_clock_time() = baton::ToProto(heartbeat.clock);
  }
}

void Fill(const Accepted& accepted, v1::AgentMessage* out) {
  out->mutable_accepted()->set_command(accepted.command.value());
}

void Fill(const Progressed& progressed, v1::AgentMessage* out) {
  v1::CommandProgress* message = out->mutable_progress();
  message->set_command(progressed.command.value());
  message->set_what(CleanText(progressed.progress.what));
  message->set_done(progressed.progress.done);
  message->set_total(progressed.progress.total);
}

void Fill(const Finished& finished, v1::AgentMessage* out) {
  out->mutable_finished()->set_command(finished.command.value());
  *out->mutable_finished()->mutable_outcome() = baton::ToProto(finished.outcome);
}

v1::CommandState::State StateOf(AnswerState state) {
  switch (state) {
    case AnswerState::kNotAccepted:
      return v1::CommandState::STATE_NOT_ACCEPTED;
    case AnswerState::kRunning:
      return v1::CommandState::STATE_RUNNING;
    case AnswerState::kFinished:
      return v1::CommandState::STATE_FINISHED;
  }
  return v1::CommandState::STATE_UNSPECIFIED;
}

void Fill(const CommandAnswer& answer, v1::AgentMessage* out) {
  v1::CommandState* message = out->mutable_command_state();
  message->set_command(answer.command.value());
  message->set_state(StateOf(answer.state));
  if (answer.state == AnswerState::kFinished) {
    *message->mutable_outcome() = baton::ToProto(answer.outcome);
  }
}

void Fill(const DryRunResult& result, v1::AgentMessage* out) {
  out->mutable_dry_run_result()->set_id(result.id);
  *out->mutable_dry_run_result()->mutable_outcome() = baton::ToProto(result.outcome);
}

void Fill(const Confirmed& confirmed, v1::AgentMessage* out) {
  v1::Confirmed* message = out->mutable_confirmed();
  message->set_pool(confirmed.pool.value());
  message->set_resource(confirmed.resource.value());
  *message->mutable_epoch() = baton::ToProto(confirmed.epoch);
  *message->mutable_outcome() = baton::ToProto(confirmed.outcome);
}

void Fill(const Revoked& revoked, v1::AgentMessage* out) {
  v1::Revoked* message = out->mutable_revoked();
  message->set_pool(revoked.pool.value());
  message->set_resource(revoked.resource.value());
  *message->mutable_epoch() = baton::ToProto(revoked.epoch);
  *message->mutable_outcome() = baton::ToProto(revoked.outcome);
}

absl::StatusOr<FromCoordinator> Read(const v1::Welcome& message) {
  BATON_RETURN_IF_ERROR(CheckName("welcome.session_id", message.session_id()));
  BATON_RETURN_IF_ERROR(CheckName("welcome.journal_id", message.journal_id()));
  BATON_ASSIGN_OR_RETURN(const absl::Duration interval,
                         baton::FromProto("welcome.report_interval", message.report_interval()));
  return Welcome{SessionId(message.session_id()), JournalId(message.journal_id()), interval};
}

absl::StatusOr<FromCoordinator> Read(const v1::DryRun& message) {
  BATON_RETURN_IF_ERROR(CheckName("dry_run.id", message.id()));
  BATON_RETURN_IF_ERROR(CheckName("dry_run.resource", message.resource()));
  BATON_ASSIGN_OR_RETURN(Action action, baton::FromProto(message.action()));
  return DryRun{message.id(), ResourceId(message.resource()), std::move(action)};
}

absl::StatusOr<FromCoordinator> Read(const v1::Confirm& message) {
  BATON_RETURN_IF_ERROR(CheckName("confirm.pool", message.pool()));
  BATON_RETURN_IF_ERROR(CheckName("confirm.resource", message.resource()));
  BATON_RETURN_IF_ERROR(CheckName("confirm.boot_id", message.boot_id()));
  return Confirm{PoolId(message.pool()), ResourceId(message.resource()),
                 baton::FromProto(message.epoch()), BootId(message.boot_id())};
}

absl::StatusOr<FromCoordinator> Read(const v1::Revoke& message) {
  BATON_RETURN_IF_ERROR(CheckName("revoke.pool", message.pool()));
  BATON_RETURN_IF_ERROR(CheckName("revoke.resource", message.resource()));
  return Revoke{PoolId(message.pool()), ResourceId(message.resource()),
                baton::FromProto(message.epoch())};
}

}  // namespace

v1::AgentMessage ToProto(const Hello& hello) {
  v1::AgentMessage out;
  v1::Hello* message = out.mutable_hello();
  message->set_host(hello.host.value());
  message->set_boot_id(hello.boot.value());
  message->set_version(hello.version);
  message->set_protocol(kSessionProtocol);
  message->set_ledger_id(hello.ledger.value());
  message->set_session_counter(hello.session_counter);
  for (const ResourceFence& fence : hello.fences) {
    v1::ResourceFence* one = message->add_fences();
    one->set_pool(fence.pool.value());
    one->set_resource(fence.resource.value());
    *one->mutable_fence() = baton::ToProto(fence.fence);
  }
  for (const CommandId& id : hello.unfinished) message->add_unfinished_commands(id.value());
  return out;
}

v1::AgentMessage ToProto(const ToCoordinator& message) {
  v1::AgentMessage out;
  std::visit([&](const auto& one) { Fill(one, &out); }, message);
  return out;
}

absl::StatusOr<FromCoordinator> FromProto(const v1::CoordinatorMessage& message) {
  switch (message.kind_case()) {
    case v1::CoordinatorMessage::kWelcome:
      return Read(message.welcome());
    case v1::CoordinatorMessage::kCommand: {
      BATON_ASSIGN_OR_RETURN(Command command, baton::FromProto(message.command()));
      return command;
    }
    case v1::CoordinatorMessage::kQueryCommand:
      BATON_RETURN_IF_ERROR(CheckName("query_command.command", message.query_command().command()));
      return QueryCommand{CommandId(message.query_command().command())};
    case v1::CoordinatorMessage::kDryRun:
      return Read(message.dry_run());
    case v1::CoordinatorMessage::kConfirm:
      return Read(message.confirm());
    case v1::CoordinatorMessage::kRevoke:
      return Read(message.revoke());
    case v1::CoordinatorMessage::kReportNow:
      return ReportNow{};
    case v1::CoordinatorMessage::kCancelCommand:
      BATON_RETURN_IF_ERROR(
          CheckName("cancel_command.command", message.cancel_command().command()));
      return CancelCommand{CommandId(message.cancel_command().command())};
    case v1::CoordinatorMessage::KIND_NOT_SET:
      break;
  }
  return absl::UnimplementedError("a message of a kind that this agent does not know");
}

}  // namespace baton::agent
