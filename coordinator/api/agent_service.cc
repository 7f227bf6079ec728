#include "coordinator/api/agent_service.h"

#include "absl/strings/str_cat.h"

#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton {

grpc::ServerUnaryReactor* AgentService::ListAgents(grpc::CallbackServerContext* context,
                                                   const v1::ListAgentsRequest*,
                                                   v1::ListAgentsResponse* response) {
  return OnLoop(scheduler_, context, [this, response](const Reply& reply) {
    *response->mutable_as_of() = ToProto(control_.Now());
    if (control_.topology() != nullptr) {
      for (const auto& [host, unused] : control_.topology()->hosts) {
        const bool carries = !control_.topology()->ResourcesOf(host).empty();
        // Hosts of coordinators alone have no agent.
        if (carries || control_.registry().agents().contains(host)) {
          *response->add_agents() = Describe(host);
        }
      }
    }
    reply(absl::OkStatus());
  });
}

grpc::ServerUnaryReactor* AgentService::AcceptAgent(grpc::CallbackServerContext* context,
                                                    const v1::AcceptAgentRequest* request,
                                                    v1::Agent* response) {
  return OnLoop(scheduler_, context, [this, request, response](const Reply& reply) {
    Accept(*request, *response, reply);
  });
}

void AgentService::Accept(const v1::AcceptAgentRequest& request, v1::Agent& response,
                          const Reply& reply) {
  for (const absl::Status& status :
       {CheckName("host", request.host()), CheckReason(request.reason()),
        CheckChange(request.request_id(), request.requested_by())}) {
    if (!status.ok()) return reply(status);
  }
  const HostId host(request.host());
  if (control_.topology() == nullptr || !control_.topology()->hosts.contains(host)) {
    return reply(absl::NotFoundError(
        absl::StrCat("host ", host.value(), ": not in the topology; see `baton topology show`")));
  }
  const auto known = control_.state().ledgers.find(host);
  if (known != control_.state().ledgers.end() && known->second.request_id == request.request_id()) {
    response = Describe(host);
    return reply(absl::OkStatus());
  }
  const RefusedAgent* refused = control_.registry().FindRefused(host);
  if (refused == nullptr) {
    return reply(absl::FailedPreconditionError(absl::StrCat(
        "host ", host.value(),
        ": no agent with an unknown ledger asks to speak for it; see `baton agents`")));
  }
  control_.driver().Append(LedgerAccepted{host, refused->ledger, request.requested_by(),
                                          request.reason(), request.request_id()},
                           [this, host, &response, reply](const absl::StatusOr<Record>& record) {
                             if (record.ok()) response = Describe(host);
                             reply(record.status());
                           });
}

v1::Agent AgentService::Describe(const HostId& host) const {
  v1::Agent agent;
  agent.set_host(host.value());
  agent.set_site(control_.topology()->SiteOf(host).value());
  const auto& agents = control_.registry().agents();
  const auto view = agents.find(host);
  if (view != agents.end()) {
    agent.set_connected(control_.registry().HasReported(host));
    agent.set_version(view->second.version);
    agent.set_boot_id(view->second.boot.value());
    *agent.mutable_last_report_time() = ToProto(view->second.last_report);
  }
  agent.set_address(control_.registry().PeerOf(host));
  const auto ledger = control_.state().ledgers.find(host);
  if (ledger != control_.state().ledgers.end()) {
    agent.set_ledger_id(ledger->second.ledger.value());
  }
  if (const RefusedAgent* refused = control_.registry().FindRefused(host)) {
    agent.set_refused(CleanText(refused->why));
    agent.set_refused_ledger_id(refused->ledger.value());
  }
  for (const auto& [pool, resource] : control_.topology()->ResourcesOf(host)) {
    *agent.add_resources() = ToProto(resource);
  }
  return agent;
}

}  // namespace baton
