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
  } else if (const auto* point = std::get_if<PointAt>(&action)) {
    absl::StrAppend(&text, " ", point->instance.value());
  }
  return text;
}

}  // namespace baton
