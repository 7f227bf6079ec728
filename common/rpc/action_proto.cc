#include "common/rpc/action_proto.h"

#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton {
namespace {

template <class Proto>
void SetFetch(const std::vector<Lineage>& fetch, Proto* proto) {
  for (const Lineage& lineage : fetch) *proto->add_fetch() = ToProto(lineage);
}

struct FillAction {
  v1::Action& out;

  void operator()(const CheckDatabase& check) const {
    v1::CheckDatabaseAction& proto = *out.mutable_check_database();
    proto.set_role(ToProto(check.role));
    proto.set_system_id(check.system_id);
    proto.set_checkpoint(check.checkpoint);
    proto.set_running(check.running);
  }
  void operator()(const EndConnections&) const { out.mutable_end_connections(); }
  void operator()(const Fence&) const { out.mutable_fence(); }
  void operator()(const Unfence& unfence) const {
    *out.mutable_unfence()->mutable_write() = ToProto(unfence.write);
  }
  void operator()(const Start&) const { out.mutable_start(); }
  void operator()(const Stop&) const { out.mutable_stop(); }
  void operator()(const StartStandby& standby) const {
    SetFetch(standby.fetch, out.mutable_start_standby());
  }
  void operator()(const ShipTail&) const { out.mutable_ship_tail(); }
  void operator()(const CopyPendingLogs& copy) const {
    SetFetch(copy.fetch, out.mutable_copy_pending_logs());
  }
  void operator()(const ApplyPendingLogs& apply) const {
    *out.mutable_apply_pending_logs()->mutable_until() = ToProto(apply.until);
    out.mutable_apply_pending_logs()->set_to_end(apply.to_end);
  }
  void operator()(const Recover& recover) const {
    *out.mutable_recover()->mutable_write() = ToProto(recover.write);
    out.mutable_recover()->set_own_log(recover.own_log);
    SetFetch(recover.fetch, out.mutable_recover());
  }
  void operator()(const StopLogShipping& stop) const {
    SetFetch(stop.fetch, out.mutable_stop_log_shipping());
    out.mutable_stop_log_shipping()->set_without_share(stop.without_share);
    *out.mutable_stop_log_shipping()->mutable_announced() = ToProto(stop.announced);
  }
  void operator()(const SalvageLogs& salvage) const {
    *out.mutable_salvage_logs()->mutable_from() = ToProto(salvage.from);
    out.mutable_salvage_logs()->set_data_directory(salvage.data_directory);
  }
  void operator()(const ConfigureLogShipping& configure) const {
    out.mutable_configure_log_shipping()->set_prepare_share(configure.prepare_share);
  }
  void operator()(const Seed& seed) const {
    out.mutable_seed()->set_source(seed.source.value());
    out.mutable_seed()->set_system_id(seed.system_id);
  }
  void operator()(const Quarantine& quarantine) const {
    v1::QuarantineAction& proto = *out.mutable_quarantine();
    proto.set_system_id(quarantine.system_id);
    *proto.mutable_fork() = ToProto(quarantine.fork);
    proto.set_name(quarantine.name);
    if (quarantine.discard_bytes.has_value()) proto.set_discard_bytes(*quarantine.discard_bytes);
  }
  void operator()(const RemoveQuarantine& remove) const {
    out.mutable_remove_quarantine()->set_name(remove.name);
  }
  void operator()(const CheckChat& check) const {
    out.mutable_check_chat()->set_running(check.running);
  }
  void operator()(const Drain&) const { out.mutable_drain(); }
  void operator()(const Deactivate&) const { out.mutable_deactivate(); }
  void operator()(const Activate&) const { out.mutable_activate(); }
  void operator()(const PointAt& point) const {
    out.mutable_point_at()->set_instance(point.instance.value());
  }
  void operator()(const Canary&) const { out.mutable_canary(); }
};

absl::StatusOr<Action> CheckDatabaseFrom(const v1::CheckDatabaseAction& proto) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("action.check_database.system_id", proto.system_id()));
  CheckDatabase check;
  BATON_ASSIGN_OR_RETURN(check.role, FromProto(proto.role()));
  check.system_id = proto.system_id();
  check.checkpoint = proto.checkpoint();
  check.running = proto.running();
  return check;
}

template <class Lineages>
absl::StatusOr<std::vector<Lineage>> FetchFrom(const Lineages& lineages) {
  BATON_RETURN_IF_ERROR(CheckCount("action.fetch", lineages.size()));
  std::vector<Lineage> fetch;
  for (const v1::Lineage& proto : lineages) {
    BATON_ASSIGN_OR_RETURN(Lineage lineage, FromProto(proto));
    fetch.push_back(std::move(lineage));
  }
  return fetch;
}

absl::StatusOr<Action> ShippingFrom(const v1::StopLogShippingAction& proto) {
  BATON_ASSIGN_OR_RETURN(auto fetch, FetchFrom(proto.fetch()));
  return StopLogShipping{std::move(fetch), proto.without_share(), FromProto(proto.announced())};
}

absl::StatusOr<Action> SalvageFrom(const v1::SalvageLogsAction& proto) {
  BATON_RETURN_IF_ERROR(CheckText("action.salvage_logs.data_directory", proto.data_directory()));
  BATON_ASSIGN_OR_RETURN(Lineage from, FromProto(proto.from()));
  return SalvageLogs{std::move(from), proto.data_directory()};
}

absl::StatusOr<Action> SeedFrom(const v1::SeedAction& proto) {
  BATON_RETURN_IF_ERROR(CheckName("action.seed.source", proto.source()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("action.seed.system_id", proto.system_id()));
  return Seed{HostId(proto.source()), proto.system_id()};
}

absl::StatusOr<Action> QuarantineFrom(const v1::QuarantineAction& proto) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("action.quarantine.system_id", proto.system_id()));
  BATON_RETURN_IF_ERROR(CheckName("action.quarantine.name", proto.name()));
  Quarantine quarantine{proto.system_id(), FromProto(proto.fork()), proto.name(), std::nullopt};
  if (proto.has_discard_bytes()) quarantine.discard_bytes = proto.discard_bytes();
  return quarantine;
}

}  // namespace

v1::InstanceRole ToProto(InstanceRole role) {
  switch (role) {
    case InstanceRole::kPrimary:
      return v1::INSTANCE_ROLE_PRIMARY;
    case InstanceRole::kPrimaryMirror:
      return v1::INSTANCE_ROLE_PRIMARY_MIRROR;
    case InstanceRole::kBackup:
      return v1::INSTANCE_ROLE_BACKUP;
    case InstanceRole::kBackupMirror:
      return v1::INSTANCE_ROLE_BACKUP_MIRROR;
  }
  return v1::INSTANCE_ROLE_UNSPECIFIED;
}

absl::StatusOr<InstanceRole> FromProto(v1::InstanceRole role) {
  switch (role) {
    case v1::INSTANCE_ROLE_PRIMARY:
      return InstanceRole::kPrimary;
    case v1::INSTANCE_ROLE_PRIMARY_MIRROR:
      return InstanceRole::kPrimaryMirror;
    case v1::INSTANCE_ROLE_BACKUP:
      return InstanceRole::kBackup;
    case v1::INSTANCE_ROLE_BACKUP_MIRROR:
      return InstanceRole::kBackupMirror;
    default:
      return UnknownValue("action.check_database.role", role);
  }
}

v1::Action ToProto(const Action& action) {
  v1::Action proto;
  std::visit(FillAction{proto}, action);
  return proto;
}

absl::StatusOr<Action> FromProto(const v1::Action& action) {
  using Kind = v1::Action;
  switch (action.kind_case()) {
    case Kind::kCheckDatabase:
      return CheckDatabaseFrom(action.check_database());
    case Kind::kEndConnections:
      return EndConnections{};
    case Kind::kFence:
      return Fence{};
    case Kind::kUnfence: {
      BATON_ASSIGN_OR_RETURN(Lineage write, FromProto(action.unfence().write()));
      return Unfence{std::move(write)};
    }
    case Kind::kStart:
      return Start{};
    case Kind::kStop:
      return Stop{};
    case Kind::kStartStandby: {
      BATON_ASSIGN_OR_RETURN(auto fetch, FetchFrom(action.start_standby().fetch()));
      return StartStandby{std::move(fetch)};
    }
    case Kind::kShipTail:
      return ShipTail{};
    case Kind::kCopyPendingLogs: {
      BATON_ASSIGN_OR_RETURN(auto fetch, FetchFrom(action.copy_pending_logs().fetch()));
      return CopyPendingLogs{std::move(fetch)};
    }
    case Kind::kApplyPendingLogs:
      return ApplyPendingLogs{FromProto(action.apply_pending_logs().until()),
                              action.apply_pending_logs().to_end()};
    case Kind::kRecover: {
      BATON_ASSIGN_OR_RETURN(Lineage write, FromProto(action.recover().write()));
      BATON_ASSIGN_OR_RETURN(auto fetch, FetchFrom(action.recover().fetch()));
      return Recover{std::move(write), action.recover().own_log(), std::move(fetch)};
    }
    case Kind::kStopLogShipping:
      return ShippingFrom(action.stop_log_shipping());
    case Kind::kSalvageLogs:
      return SalvageFrom(action.salvage_logs());
    case Kind::kConfigureLogShipping:
      return ConfigureLogShipping{action.configure_log_shipping().prepare_share()};
    case Kind::kSeed:
      return SeedFrom(action.seed());
    case Kind::kQuarantine:
      return QuarantineFrom(action.quarantine());
    case Kind::kRemoveQuarantine:
      BATON_RETURN_IF_ERROR(
          CheckName("action.remove_quarantine.name", action.remove_quarantine().name()));
      return RemoveQuarantine{action.remove_quarantine().name()};
    case Kind::kCheckChat:
      return CheckChat{action.check_chat().running()};
    case Kind::kDrain:
      return Drain{};
    case Kind::kDeactivate:
      return Deactivate{};
    case Kind::kActivate:
      return Activate{};
    case Kind::kPointAt:
      BATON_RETURN_IF_ERROR(CheckName("action.point_at.instance", action.point_at().instance()));
      return PointAt{HostId(action.point_at().instance())};
    case Kind::kCanary:
      return Canary{};
    case Kind::KIND_NOT_SET:
      break;
  }
  return MissingField("action.kind");
}

v1::Command ToProto(const Command& command) {
  v1::Command proto;
  proto.set_id(command.id.value());
  proto.set_plan(command.plan.value());
  proto.set_pool(command.pool.value());
  proto.set_resource(command.resource.value());
  *proto.mutable_epoch() = ToProto(command.epoch);
  proto.set_sequence(command.sequence);
  *proto.mutable_timeout() = ToProto(command.timeout);
  *proto.mutable_action() = ToProto(command.action);
  return proto;
}

absl::StatusOr<Command> FromProto(const v1::Command& command) {
  BATON_RETURN_IF_ERROR(CheckName("command.id", command.id()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("command.plan", command.plan()));
  BATON_RETURN_IF_ERROR(CheckName("command.pool", command.pool()));
  BATON_RETURN_IF_ERROR(CheckName("command.resource", command.resource()));
  Command parsed;
  parsed.id = CommandId(command.id());
  parsed.plan = PlanId(command.plan());
  parsed.pool = PoolId(command.pool());
  parsed.resource = ResourceId(command.resource());
  parsed.epoch = FromProto(command.epoch());
  parsed.sequence = command.sequence();
  BATON_ASSIGN_OR_RETURN(parsed.timeout, FromProto("command.timeout", command.timeout()));
  BATON_ASSIGN_OR_RETURN(parsed.action, FromProto(command.action()));
  return parsed;
}

}  // namespace baton
