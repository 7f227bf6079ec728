// Verbs that move the right to write, or ready a pool for it.
#include <string>

#include "common/rpc/protocol_proto.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/start_plan.h"

namespace baton {
namespace {

v1::PlanKind KindOf(Verb verb) {
  switch (verb) {
    case Verb::kAdopt:
      return v1::PLAN_KIND_ADOPT;
    case Verb::kFailback:
      return v1::PLAN_KIND_FAILBACK;
    case Verb::kFailover:
      return v1::PLAN_KIND_FAILOVER;
    case Verb::kProtect:
      return v1::PLAN_KIND_PROTECT;
    case Verb::kSwitchover:
      return v1::PLAN_KIND_SWITCHOVER;
    default:
      return v1::PLAN_KIND_UNSPECIFIED;
  }
}

v1::CreatePlanRequest RequestOf(const Options& options) {
  v1::CreatePlanRequest request = PlanRequest(options, KindOf(options.verb));
  request.set_expected_primary(options.expected_primary);
  request.set_lost_site(options.lost_site);
  for (const std::string& host : options.lost_hosts) request.add_lost_hosts(host);
  if (options.allow_loss.has_value()) {
    *request.mutable_allow_loss() = ToProto(*options.allow_loss);
  }
  if (options.max_loss.has_value()) *request.mutable_max_loss() = ToProto(*options.max_loss);
  for (const std::string& rule : options.override_rules) request.add_override_rules(rule);
  for (const SalvageSource& source : options.salvage) {
    v1::Salvage& salvage = *request.add_salvage();
    salvage.set_host(source.host);
    salvage.set_data_directory(source.directory);
  }
  if (options.discard_orphans.has_value()) request.set_discard_orphans(*options.discard_orphans);
  return request;
}

}  // namespace

ExitCode RunMove(const Options& options, Client& client, const Terminal& terminal) {
  const v1::CreatePlanRequest wanted = RequestOf(options);
  if (options.dry_run) return DryRunPlan(wanted, options, client, terminal);
  const ExitCode asked = AskAboutPlan(wanted, options, client, terminal);
  return asked == ExitCode::kDone ? StartPlan(wanted, options, client, terminal) : asked;
}

}  // namespace baton
