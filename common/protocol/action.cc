#include "common/protocol/action.h"

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

struct NameOf {
  std::string_view operator()(const CheckDatabase&) const { return "CheckDatabase"; }
  std::string_view operator()(const EndConnections&) const { return "EndConnections"; }
  std::string_view operator()(const Fence&) const { return "Fence"; }
  std::string_view operator()(const Unfence&) const { return "Unfence"; }
  std::string_view operator()(const Start&) const { return "Start"; }
  std::string_view operator()(const Stop&) const { return "Stop"; }
  std::string_view operator()(const StartStandby&) const { return "StartStandby"; }
  std::string_view operator()(const ShipTail&) const { return "ShipTail"; }
  std::string_view operator()(const CopyPendingLogs&) const { return "CopyPendingLogs"; }
  std::string_view operator()(const ApplyPendingLogs&) const { return "ApplyPendingLogs"; }
  std::string_view operator()(const Recover&) const { return "Recover"; }
  std::string_view operator()(const StopLogShipping&) const { return "StopLogShipping"; }
  std::string_view operator()(const SalvageLogs&) const { return "SalvageLogs"; }
  std::string_view operator()(const ConfigureLogShipping&) const { return "ConfigureLogShipping"; }
  std::string_view operator()(const Seed&) const { return "Seed"; }
  std::string_view operator()(const Quarantine&) const { return "Quarantine"; }
  std::string_view operator()(const RemoveQuarantine&) const { return "RemoveQuarantine"; }
  std::string_view operator()(const CheckChat&) const { return "CheckChat"; }
  std::string_view operator()(const Drain&) const { return "Drain"; }
  std::string_view operator()(const Deactivate&) const { return "Deactivate"; }
  std::string_view operator()(const Activate&) const { return "Activate"; }
  std::string_view operator()(const PointAt&) const { return "PointAt"; }
  std::string_view operator()(const Canary&) const { return "Canary"; }
};

}  // namespace

std::string_view ToString(InstanceRole role) {
  switch (role) {
    case InstanceRole::kPrimary:
      return "primary";
    case InstanceRole::kPrimaryMirror:
      return "primary_mirror";
    case InstanceRole::kBackup:
      return "backup";
    case InstanceRole::kBackupMirror:
      return "backup_mirror";
  }
  return "invalid";
}

std::string_view ActionName(const Action& action) { return std::visit(NameOf(), action); }

std::string Describe(const Action& action) {
  std::string text(ActionName(action));
  if (const auto* check = std::get_if<CheckDatabase>(&action)) {
    absl::StrAppend(&text, " is ", std::string(ToString(check->role)));
  } else if (const auto* apply = std::get_if<ApplyPendingLogs>(&action)) {
    if (!apply->until.none()) absl::StrAppend(&text, " until ", apply->until.ToString());
    if (apply->to_end) absl::StrAppend(&text, ", or all that is served");
  } else if (const auto* recover = std::get_if<Recover>(&action)) {
    if (recover->own_log) absl::StrAppend(&text, " from its own log");
  } else if (const auto* salvage = std::get_if<SalvageLogs>(&action)) {
    absl::StrAppend(&text, " of ", salvage->from.instance.value(), " in ", salvage->data_directory);
  } else if (const auto* seed = std::get_if<Seed>(&action)) {
    absl::StrAppend(&text, " from ", seed->source.value());
  } else if (const auto* quarantine = std::get_if<Quarantine>(&action)) {
    absl::StrAppend(&text, " what lies beyond ", quarantine->fork.ToString(), " as ",
                    quarantine->name);
  } else if (const auto* remove = std::get_if<RemoveQuarantine>(&action)) {
    absl::StrAppend(&text, " ", remove->name);
  } else if (const auto* point = std::get_if<PointAt>(&action)) {
    absl::StrAppend(&text, " ", point->instance.value());
  }
  return text;
}

}  // namespace baton
