// What exists and what role it has. Immutable once applied; shared by pointer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/action.h"
#include "common/protocol/ids.h"

namespace baton {

struct Site {
  SiteId id;
  std::string display;
  bool hosts_only = false;  // a third place: coordinator, never a pool's site
};

enum class LinkKind { kFar, kNear };
struct Link {
  SiteId a;
  SiteId b;
  LinkKind kind = LinkKind::kFar;
};

struct Host {
  HostId id;
  SiteId site;
  bool coordinator = false;
};

struct Share {
  ShareId id;
  SiteId site;
  std::string path;
};

enum class DatabasePolicy { kProtect, kIgnore };
enum class ShippingMode { kArchive, kStreaming };
enum class ShippingMethod { kCopy, kPgbackrest };

struct Instance {
  InstanceRole role = InstanceRole::kPrimary;
  HostId host;
  ResourceId service;
  ShareId share;
};

struct Database {
  DatabaseId id;
  DatabasePolicy policy = DatabasePolicy::kProtect;
  std::string engine;
  ShippingMode shipping_mode = ShippingMode::kArchive;
  ShippingMethod shipping_method = ShippingMethod::kCopy;
  std::vector<Instance> instances;

  // Null when the topology names none.
  const Instance* Find(InstanceRole role) const;
  const Instance* OnHost(const HostId& host) const;
};

struct ChatServer {
  HostId host;
  ResourceId service;
  bool active = false;  // at home, when everything is as the topology wants it
};

enum class FencingPolicy { kOperator, kLease };

struct PoolLimits {
  absl::Duration loss = absl::Seconds(30);
  absl::Duration outage = absl::Seconds(60);
  int active_servers = 1;  // at most 4 (domain.md)
};

struct Pool {
  PoolId id;
  SiteId home;
  SiteId backup;
  FencingPolicy fencing = FencingPolicy::kOperator;
  PoolLimits limits;
  std::vector<Database> databases;
  std::string chat_engine;
  std::vector<ChatServer> chat_servers;

  const Database* FindDatabase(const DatabaseId& id) const;
};

struct Topology {
  std::map<SiteId, Site> sites;
  std::vector<Link> links;
  std::map<HostId, Host> hosts;
  std::map<ShareId, Share> shares;
  std::map<PoolId, Pool> pools;

  const Pool* FindPool(const PoolId& id) const;
  // Empty when the host is unknown.
  SiteId SiteOf(const HostId& host) const;
  // Far unless a link says near; a site is near itself.
  LinkKind LinkBetween(const SiteId& a, const SiteId& b) const;
  // Every resource of a host with the pool it belongs to, in a fixed order.
  std::vector<std::pair<PoolId, ResourceRef>> ResourcesOf(const HostId& host) const;
};

}  // namespace baton
