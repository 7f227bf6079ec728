#include "coordinator/wire/goal_proto.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

absl::Status FillLoss(const v1::CreatePlanRequest& request, Goal& goal) {
  BATON_ASSIGN_OR_RETURN(goal.allow_loss, FromProto("allow_loss", request.allow_loss()));
  // "any" travels as the longest duration that fits.
  const google::protobuf::Duration any = ToProto(absl::InfiniteDuration());
  if (request.allow_loss().seconds() >= any.seconds()) goal.allow_loss = absl::InfiniteDuration();
  if (request.has_max_loss()) {
    BATON_ASSIGN_OR_RETURN(goal.max_loss, FromProto("max_loss", request.max_loss()));
  }
  if (request.has_discard_orphans()) goal.discard_orphans = request.discard_orphans();
  return absl::OkStatus();
}

absl::Status FillLost(const v1::CreatePlanRequest& request, Goal& goal) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("lost_site", request.lost_site()));
  BATON_RETURN_IF_ERROR(CheckCount("lost_hosts", request.lost_hosts_size()));
  goal.lost_site = SiteId(request.lost_site());
  for (const std::string& host : request.lost_hosts()) {
    BATON_RETURN_IF_ERROR(CheckName("lost_hosts", host));
    goal.lost_hosts.push_back(HostId(host));
  }
  BATON_RETURN_IF_ERROR(CheckCount("salvage", request.salvage_size()));
  for (const v1::Salvage& salvage : request.salvage()) {
    BATON_RETURN_IF_ERROR(CheckName("salvage.host", salvage.host()));
    BATON_RETURN_IF_ERROR(CheckText("salvage.data_directory", salvage.data_directory()));
    if (salvage.data_directory().empty() || salvage.data_directory()[0] != '/') {
      return absl::InvalidArgumentError(absl::StrCat(
          "salvage.data_directory: found \"", salvage.data_directory(), "\" for ", salvage.host(),
          ", wanted an absolute path, as the host that takes over sees it"));
    }
    goal.salvage[HostId(salvage.host())] = salvage.data_directory();
  }
  return absl::OkStatus();
}

absl::Status FillRest(const v1::CreatePlanRequest& request, Goal& goal) {
  BATON_RETURN_IF_ERROR(CheckCount("override_rules", request.override_rules_size()));
  for (const std::string& rule : request.override_rules()) {
    BATON_RETURN_IF_ERROR(CheckName("override_rules", rule));
    goal.override_rules.insert(rule);
  }
  BATON_RETURN_IF_ERROR(CheckOptionalName("quarantine", request.quarantine()));
  goal.quarantine = request.quarantine();
  if (request.has_quarantine_of()) {
    BATON_ASSIGN_OR_RETURN(goal.quarantine_of, FromProto(request.quarantine_of()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Goal> GoalFrom(const v1::CreatePlanRequest& request) {
  Goal goal;
  BATON_ASSIGN_OR_RETURN(goal.kind, FromProto(request.kind()));
  BATON_RETURN_IF_ERROR(CheckName("pool", request.pool()));
  BATON_RETURN_IF_ERROR(CheckText("reason", request.reason()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("requested_by", request.requested_by()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("request_id", request.request_id()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("expected_primary", request.expected_primary()));
  goal.pool = PoolId(request.pool());
  goal.reason = request.reason();
  goal.requested_by = request.requested_by();
  goal.request_id = request.request_id();
  goal.expected_primary = HostId(request.expected_primary());
  BATON_RETURN_IF_ERROR(FillLost(request, goal));
  BATON_RETURN_IF_ERROR(FillLoss(request, goal));
  BATON_RETURN_IF_ERROR(FillRest(request, goal));
  return goal;
}

}  // namespace baton
