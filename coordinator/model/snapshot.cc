#include "coordinator/model/snapshot.h"

#include <algorithm>

namespace baton {

const PoolState* Snapshot::FindPoolState(const PoolId& id) const {
  const auto it = pools.find(id);
  return it == pools.end() ? nullptr : &it->second;
}

const Observation* Snapshot::Find(const ResourceRef& ref) const {
  const auto it = resources.find(ref);
  return it == resources.end() ? nullptr : &it->second.observation;
}

bool Snapshot::Connected(const HostId& host) const {
  const auto it = agents.find(host);
  return it != agents.end() && it->second.connected;
}

HostClock Snapshot::ClockOf(const HostId& host) const {
  const auto it = agents.find(host);
  return it == agents.end() ? HostClock() : it->second.clock;
}

SeenResource Heard(const Observation& seen, absl::Duration now, const SeenResource* before) {
  SeenResource held{.observation = seen, .looked = now - seen.age, .commit_heard = now};
  const DatabaseObservation* database = seen.database();
  const DatabaseObservation* known = before == nullptr ? nullptr : before->observation.database();
  if (database != nullptr && known != nullptr && known->last_commit == database->last_commit) {
    held.commit_heard = before->commit_heard;
  }
  return held;
}

void KeepOnly(const HostId& host, const std::vector<Observation>& reported,
              std::map<ResourceRef, SeenResource>* held) {
  std::erase_if(*held, [&](const auto& one) {
    return one.first.host == host &&
           std::none_of(reported.begin(), reported.end(), [&](const Observation& seen) {
             return seen.resource == one.first.resource && seen.pool == one.second.observation.pool;
           });
  });
}

void Snapshot::Date() {
  for (auto& [ref, seen] : resources) seen.at = as_of - (since_boot - seen.looked);
}

}  // namespace baton
