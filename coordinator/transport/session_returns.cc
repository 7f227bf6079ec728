#include <utility>

#include "common/rpc/protocol_proto.h"
#include "common/runtime/logging.h"
#include "coordinator/transport/session_registry.h"

namespace baton {

void SessionRegistry::SettleReturns(Session& session) {
  const absl::Duration now = clock_.SinceBoot();
  for (const Revocation& due : RevocationsFor(driver_->state(), session.host)) {
    const auto seen = resources_.find(due.resource);
    if (session.ready && seen != resources_.end() && SeenFenced(due, seen->second.observation)) {
      NoteReturned(due);
      continue;
    }
    const auto last = session.revoked.find(due.resource);
    if (last != session.revoked.end() && now - last->second < options_.report_interval) continue;
    session.revoked[due.resource] = now;
    v1::CoordinatorMessage message;
    v1::Revoke& revoke = *message.mutable_revoke();
    revoke.set_pool(due.pool.value());
    revoke.set_resource(due.resource.resource.value());
    *revoke.mutable_epoch() = ToProto(due.epoch);
    session.link->Send(std::move(message));
  }
}

void SessionRegistry::NoteReturned(const Revocation& revocation) {
  if (!returning_.insert(revocation.resource).second) return;
  spdlog::info("{}: is back and fenced under epoch {}", revocation.resource.ToString(),
               revocation.epoch.ToString());
  driver_->Append(ReturnFenced{revocation.pool, revocation.resource, revocation.epoch},
                  [this, resource = revocation.resource](const absl::StatusOr<Record>&) {
                    returning_.erase(resource);
                  });
}

}  // namespace baton
