// The real preconditions of each action, under the agent's own identity; nothing is changed. What
// an earlier step of a plan brings about (a stopped server, a closed fence) is not asked for here.
#include <algorithm>
#include <cerrno>
#include <sys/statvfs.h>
#include <unistd.h>
#include <variant>

#include "absl/strings/str_cat.h"

#include "agent/database/data_directory.h"
#include "agent/database/postgresql_actions.h"
#include "agent/database/quarantine.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr absl::Duration kLookTimeout = absl::Seconds(5);
// Room for this many segments must be left where log files are copied to.
constexpr uint64_t kSpareSegments = 16;

absl::Status CheckAccess(const std::string& path, int mode, const std::string& what) {
  if (access(path.c_str(), mode) == 0) return absl::OkStatus();
  return Failure("NO_ACCESS", absl::StrCat(ErrnoStatus(errno, what, path).message(),
                                           "; the agent's user needs this"));
}

absl::Status CheckRoom(const std::string& folder, uint64_t bytes_wanted) {
  struct statvfs info = {};
  if (statvfs(folder.c_str(), &info) != 0) return ErrnoStatus(errno, "cannot look at", folder);
  const uint64_t free = uint64_t{info.f_bavail} * info.f_frsize;
  if (free >= bytes_wanted) return absl::OkStatus();
  return Failure("NO_ROOM", absl::StrCat(folder, ": found ", free, " bytes free, wanted ",
                                         bytes_wanted, " for log files"));
}

absl::StatusOr<ControlData> CheckHost(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  const ResourceConfig& config = instance.config();
  if (config.command.empty()) {
    return Failure("NO_COMMAND", absl::StrCat(config.resource.value(), ": command is empty"));
  }
  BATON_RETURN_IF_ERROR(CheckAccess(config.command.front(), X_OK, "cannot execute"));
  BATON_RETURN_IF_ERROR(
      CheckAccess(config.data_directory, R_OK | W_OK | X_OK, "cannot read and write"));
  BATON_RETURN_IF_ERROR(CheckAccess(config.data_directory + "/pg_wal/archive_status",
                                    R_OK | W_OK | X_OK, "cannot read and write"));
  BATON_ASSIGN_OR_RETURN(const ControlData control, instance.Control());
  BATON_RETURN_IF_ERROR(instance.fences().Boot().status());
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, instance.Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  BATON_ASSIGN_OR_RETURN(const ServiceStatus status, instance.service().Status());
  if (!status.managed) {
    return Failure("NOT_MANAGED", absl::StrCat(config.resource.value(),
                                               ": its service manager does not answer; start "
                                               "its supervisor or systemd unit"));
  }
  return control;
}

absl::StatusOr<ServerView> CheckLogin(ActionContext* context) {
  PostgresqlInstance& instance = context->instance();
  BATON_ASSIGN_OR_RETURN(ServerView view, instance.View(std::min(kLookTimeout, context->Left())));
  if (view.superuser) return view;
  return Failure("NOT_SUPERUSER",
                 absl::StrCat(instance.config().resource.value(),
                              ": postgresql.user is no superuser, so it can neither end sessions "
                              "nor promote"));
}

absl::Status CheckStandby(ActionContext* context) {
  BATON_ASSIGN_OR_RETURN(const ServerView view, CheckLogin(context));
  if (view.in_recovery) return absl::OkStatus();
  return Failure("NOT_IN_RECOVERY", absl::StrCat(context->instance().config().resource.value(),
                                                 " runs read-write, wanted a standby"));
}

absl::Status Ask(ActionContext* context, const ControlData&, const CheckDatabase& action) {
  return CheckInRole(context, action);
}
absl::Status Ask(ActionContext* context, const ControlData&, const EndConnections&) {
  return CheckLogin(context).status();
}
absl::Status Ask(ActionContext*, const ControlData&, const Fence&) { return absl::OkStatus(); }
absl::Status Ask(ActionContext*, const ControlData&, const Start&) { return absl::OkStatus(); }
absl::Status Ask(ActionContext*, const ControlData&, const Stop&) { return absl::OkStatus(); }
absl::Status Ask(ActionContext* context, const ControlData& control, const Unfence& action) {
  if (control.system_id != action.write.system_id) {
    return Failure("WRONG_SYSTEM_ID",
                   absl::StrCat(context->instance().config().resource.value(),
                                ": found the cluster with system identifier ", control.system_id,
                                ", wanted ", action.write.system_id));
  }
  return context->instance().archive().CheckShares();
}
absl::Status Ask(ActionContext* context, const ControlData&, const ShipTail&) {
  return context->instance().archive().CheckShares();
}
absl::Status Ask(ActionContext* context, const ControlData&, const StartStandby&) {
  return context->instance().archive().CheckShares();
}
absl::Status Ask(ActionContext* context, const ControlData& control, const CopyPendingLogs&) {
  BATON_RETURN_IF_ERROR(context->instance().archive().CheckShares());
  return CheckRoom(context->instance().config().copy_destination,
                   kSpareSegments * control.segment_bytes);
}
absl::Status Ask(ActionContext* context, const ControlData&, const ApplyPendingLogs&) {
  return CheckStandby(context);
}
absl::Status Ask(ActionContext* context, const ControlData& control, const Recover& action) {
  if (!action.own_log) return CheckStandby(context);
  return RefuseOtherSystem(context->instance().config().resource.value(), control.system_id,
                           action.write.system_id);
}
absl::Status Ask(ActionContext* context, const ControlData& control,
                 const StopLogShipping& action) {
  BATON_RETURN_IF_ERROR(CheckStandby(context));
  if (action.fetch.empty())
    return Failure("NO_LINEAGE", "wanted the lineages that it fetches from");
  BATON_RETURN_IF_ERROR(RefuseOtherSystem(context->instance().config().resource.value(),
                                          control.system_id, action.fetch.back().system_id));
  if (action.without_share) return absl::OkStatus();
  BATON_ASSIGN_OR_RETURN(const ReplayPoint point, FindReplayPoint(context));
  return context->instance()
      .archive()
      .List(StillWanted(context->instance(), action.fetch), point.SegmentName(),
            ArchivePlace::kCopiedAndShares)
      .status();
}
absl::Status Ask(ActionContext* context, const ControlData& control, const Quarantine& action) {
  return RefuseOtherSystem(context->instance().config().resource.value(), control.system_id,
                           action.system_id);
}
absl::Status Ask(ActionContext* context, const ControlData&, const SalvageLogs& action) {
  BATON_ASSIGN_OR_RETURN(
      const ControlData dead,
      ReadControlData(context->instance().bin_directory(), action.data_directory, kLookTimeout));
  BATON_RETURN_IF_ERROR(
      RefuseOtherSystem(action.data_directory, dead.system_id, action.from.system_id));
  return CheckRoom(context->instance().config().copy_destination,
                   kSpareSegments * dead.segment_bytes);
}
template <class Other>
absl::Status Ask(ActionContext*, const ControlData&, const Other&) {
  return Refusal("NOT_A_DATABASE_ACTION", "this resource is a PostgreSQL database");
}

// Asked of a host whether it has data yet or not.
absl::Status AskWithoutData(ActionContext* context, const Seed& action) {
  return CheckSeed(context, action);
}
absl::Status AskWithoutData(ActionContext* context, const ConfigureLogShipping&) {
  PostgresqlInstance& instance = context->instance();
  BATON_RETURN_IF_ERROR(instance.archive().Commands().status());
  BATON_ASSIGN_OR_RETURN(const std::string file, instance.config().Engine("settings_file"));
  return CheckAccess(DirectoryOf(file), W_OK | X_OK, "cannot write in");
}
absl::Status AskWithoutData(ActionContext* context, const Fence&) {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, context->instance().Fence());
  return context->RefuseOlder(record);
}
absl::Status AskWithoutData(ActionContext*, const RemoveQuarantine& action) {
  return CheckQuarantineName(action.name);
}
template <class Other>
absl::Status AskWithoutData(ActionContext* context, const Other&) {
  return Failure("NO_DATA", absl::StrCat(context->instance().config().data_directory,
                                         ": found no data in it; seed it first"));
}

}  // namespace

absl::Status CheckPreconditions(ActionContext* context) {
  const Action& wanted = context->command().action;
  BATON_ASSIGN_OR_RETURN(const bool empty,
                         HoldsNoData(context->instance().config().data_directory));
  const bool needs_none = std::holds_alternative<Seed>(wanted) ||
                          std::holds_alternative<ConfigureLogShipping>(wanted) ||
                          std::holds_alternative<RemoveQuarantine>(wanted);
  // What a Seed before it in the plan brings about.
  const bool after_seed = std::holds_alternative<StartStandby>(wanted) ||
                          std::holds_alternative<ApplyPendingLogs>(wanted) ||
                          std::holds_alternative<Quarantine>(wanted);
  if (empty && after_seed) return absl::OkStatus();
  if (empty || needs_none) {
    return std::visit([context](const auto& action) { return AskWithoutData(context, action); },
                      wanted);
  }
  BATON_ASSIGN_OR_RETURN(const ControlData control, CheckHost(context));
  return std::visit(
      [context, &control](const auto& action) { return Ask(context, control, action); }, wanted);
}

}  // namespace baton::postgresql
