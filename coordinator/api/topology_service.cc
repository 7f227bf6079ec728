#include "coordinator/api/topology_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"
#include "coordinator/api/pool_status.h"
#include "coordinator/api/topology_guard.h"
#include "coordinator/config/topology_config.h"
#include "coordinator/wire/record_proto.h"

namespace baton {
namespace {

absl::StatusOr<Topology> Parse(const v1::ApplyTopologyRequest& request) {
  const std::string file = request.file_name().empty() ? "topology" : request.file_name();
  if (absl::Status status = CheckOptionalName("file_name", file); !status.ok()) return status;
  if (absl::Status status = CheckText("text", request.text(), kTopologyBytesMax); !status.ok()) {
    return status;
  }
  return ParseTopology(request.text(), file,
                       {.allow_coordinator_at_home = request.allow_coordinator_at_home()});
}

}  // namespace

grpc::ServerUnaryReactor* TopologyService::ApplyTopology(grpc::CallbackServerContext* context,
                                                         const v1::ApplyTopologyRequest* request,
                                                         v1::Topology* response) {
  return OnLoop(scheduler_, context, [this, request, response](Reply reply) {
    applies_.push_back([this, request, response, reply] {
      Apply(*request, *response, [this, reply](const absl::Status& status) {
        reply(status);
        applies_.pop_front();
        NextApply();
      });
    });
    if (applies_.size() == 1) NextApply();
  });
}

void TopologyService::NextApply() {
  if (applies_.empty()) return;
  // Not out of the completion of the one before.
  scheduler_.Post([this] {
    const std::function<void()> apply = applies_.front();
    apply();
  });
}

void TopologyService::Apply(const v1::ApplyTopologyRequest& request, v1::Topology& response,
                            const Reply& reply) {
  if (!request.validate_only()) {
    if (absl::Status status = CheckChange(request.request_id(), request.requested_by());
        !status.ok()) {
      return reply(status);
    }
    if (control_.RevisionOf(request.request_id()).has_value()) {
      FillInForce(response);
      return reply(absl::OkStatus());
    }
  }
  absl::StatusOr<Topology> parsed = Parse(request);
  if (!parsed.ok()) return reply(parsed.status());
  const Topology* from = control_.topology().get();
  if (absl::Status status = CheckChangeAllowed(control_.state(), from, *parsed); !status.ok()) {
    return reply(status);
  }
  const std::vector<std::string> changes =
      DescribeChanges(from == nullptr ? Topology() : *from, *parsed);
  const auto& known = control_.state().topology;
  const bool same_text = known.has_value() && known->text == request.text();
  if (request.validate_only() || same_text) {
    if (same_text) FillInForce(response);
    response.set_text(request.text());
    for (const std::string& change : changes) response.add_changes(CleanText(change));
    return reply(absl::OkStatus());
  }
  if (absl::Status status = CheckReason(request.reason()); !status.ok()) return reply(status);
  if (control_.in_flight().admissions > 0) {
    return reply(absl::AbortedError("a plan is being admitted; apply the topology again"));
  }
  ++control_.in_flight().topologies;
  const uint64_t revision = known.has_value() ? known->revision + 1 : 1;
  control_.driver().Append(TopologyApplied{revision, request.text(), request.requested_by(),
                                           request.request_id(), request.reason()},
                           [this, &response, changes, reply](const absl::StatusOr<Record>& record) {
                             --control_.in_flight().topologies;
                             if (!record.ok()) return reply(record.status());
                             FillInForce(response);
                             for (const std::string& change : changes)
                               response.add_changes(CleanText(change));
                             reply(absl::OkStatus());
                           });
}

void TopologyService::FillInForce(v1::Topology& response) const {
  const TopologyApplied& known = *control_.state().topology;
  response.set_text(known.text);
  response.set_revision(known.revision);
  response.set_applied_by(known.applied_by);
  response.set_reason(known.reason);
  *response.mutable_apply_time() = ToProto(control_.topology_time());
}

grpc::ServerUnaryReactor* TopologyService::GetTopology(grpc::CallbackServerContext* context,
                                                       const v1::GetTopologyRequest*,
                                                       v1::Topology* response) {
  return OnLoop(scheduler_, context, [this, response](const Reply& reply) {
    if (!control_.state().topology.has_value()) {
      return reply(absl::NotFoundError(
          "no topology was applied yet; run `baton topology apply FILE --reason TEXT`"));
    }
    FillInForce(*response);
    reply(absl::OkStatus());
  });
}

grpc::ServerUnaryReactor* TopologyService::ListPools(grpc::CallbackServerContext* context,
                                                     const v1::ListPoolsRequest* request,
                                                     v1::ListPoolsResponse* response) {
  return OnLoop(scheduler_, context, [this, request, response](const Reply& reply) {
    reply(List(*request, *response));
  });
}

absl::Status TopologyService::List(const v1::ListPoolsRequest& request,
                                   v1::ListPoolsResponse& response) {
  *response.mutable_as_of() = ToProto(control_.Now());
  if (control_.topology() == nullptr) return absl::OkStatus();
  const Snapshot seen = control_.Look();
  *response.mutable_as_of() = ToProto(seen.as_of);
  for (const auto& [id, pool] : seen.topology->pools) {
    if (!request.pool().empty() && request.pool() != id.value()) continue;
    *response.add_pools() =
        DescribePool(seen, control_.policy(), pool, control_.state().FindRunning(id));
  }
  if (!request.pool().empty() && response.pools().empty()) {
    return absl::NotFoundError(absl::StrCat("pool ", CleanText(request.pool(), kNameBytesMax),
                                            ": not in the topology; see `baton topology show`"));
  }
  return absl::OkStatus();
}

}  // namespace baton
