#include "coordinator/model/topology.h"

#include <algorithm>

namespace baton {

const Instance* Database::Find(InstanceRole role) const {
  const auto it = std::find_if(instances.begin(), instances.end(),
                               [&](const Instance& instance) { return instance.role == role; });
  return it == instances.end() ? nullptr : &*it;
}

const Instance* Database::OnHost(const HostId& host) const {
  const auto it = std::find_if(instances.begin(), instances.end(),
                               [&](const Instance& instance) { return instance.host == host; });
  return it == instances.end() ? nullptr : &*it;
}

const Database* Pool::FindDatabase(const DatabaseId& wanted) const {
  const auto it = std::find_if(databases.begin(), databases.end(),
                               [&](const Database& database) { return database.id == wanted; });
  return it == databases.end() ? nullptr : &*it;
}

const Pool* Topology::FindPool(const PoolId& id) const {
  const auto it = pools.find(id);
  return it == pools.end() ? nullptr : &it->second;
}

SiteId Topology::SiteOf(const HostId& host) const {
  const auto it = hosts.find(host);
  return it == hosts.end() ? SiteId() : it->second.site;
}

LinkKind Topology::LinkBetween(const SiteId& a, const SiteId& b) const {
  if (a == b) return LinkKind::kNear;
  for (const Link& link : links) {
    if ((link.a == a && link.b == b) || (link.a == b && link.b == a)) return link.kind;
  }
  return LinkKind::kFar;
}

std::vector<std::pair<PoolId, ResourceRef>> Topology::ResourcesOf(const HostId& host) const {
  std::vector<std::pair<PoolId, ResourceRef>> found;
  for (const auto& [id, pool] : pools) {
    for (const Database& database : pool.databases) {
      for (const Instance& instance : database.instances) {
        if (instance.host == host) found.push_back({id, {host, instance.service}});
      }
    }
    for (const ChatServer& server : pool.chat_servers) {
      if (server.host == host) found.push_back({id, {host, server.service}});
    }
  }
  return found;
}

}  // namespace baton
