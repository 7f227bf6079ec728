#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "coordinator/config/topology_config.h"

namespace baton {
namespace {

using Values = std::map<std::string, std::string>;
using Parts = std::map<std::string, Values>;  // "host hq-sql1" → its values

std::string YesNo(bool value) { return value ? "true" : "false"; }

void AddDatabase(const Database& database, const std::string& pool, Parts& parts) {
  const std::string what = absl::StrCat(pool, ", database ", database.id.value());
  parts[what] = {
      {"policy", database.policy == DatabasePolicy::kProtect ? "protect" : "ignore"},
      {"engine", database.engine},
      {"shipping.mode", database.shipping_mode == ShippingMode::kArchive ? "archive" : "streaming"},
      {"shipping.method",
       database.shipping_method == ShippingMethod::kCopy ? "copy" : "pgbackrest"}};
  for (const Instance& instance : database.instances) {
    const ResourceRef ref{instance.host, instance.service};
    parts[absl::StrCat(what, ", instance ", ref.ToString())] = {
        {"role", std::string(ToString(instance.role))}, {"share", instance.share.value()}};
  }
}

void AddPool(const Pool& pool, Parts& parts) {
  const std::string what = absl::StrCat("pool ", pool.id.value());
  parts[what] = {{"home", pool.home.value()},
                 {"backup", pool.backup.value()},
                 {"fencing", pool.fencing == FencingPolicy::kOperator ? "operator" : "lease"},
                 {"limits.loss", absl::FormatDuration(pool.limits.loss)},
                 {"limits.outage", absl::FormatDuration(pool.limits.outage)},
                 {"limits.active_servers", absl::StrCat(pool.limits.active_servers)},
                 {"chat.engine", pool.chat_engine}};
  for (const Database& database : pool.databases) AddDatabase(database, what, parts);
  for (const ChatServer& server : pool.chat_servers) {
    const ResourceRef ref{server.host, server.service};
    parts[absl::StrCat(what, ", chat server ", ref.ToString())] = {
        {"active", YesNo(server.active)}};
  }
}

void AddHost(const Host& host, Parts& parts) {
  parts[absl::StrCat("host ", host.id.value())] = {{"site", host.site.value()},
                                                   {"coordinator", YesNo(host.coordinator)}};
}

void AddShare(const Share& share, Parts& parts) {
  parts[absl::StrCat("share ", share.id.value())] = {{"site", share.site.value()},
                                                     {"path", share.path}};
}

Parts Flatten(const Topology& topology) {
  Parts parts;
  for (const auto& [id, site] : topology.sites) {
    parts[absl::StrCat("site ", id.value())] = {{"display", site.display},
                                                {"hosts_only", YesNo(site.hosts_only)}};
  }
  for (const Link& link : topology.links) {
    const auto [a, b] = std::minmax(link.a, link.b);
    parts[absl::StrCat("link between ", a.value(), " and ", b.value())] = {
        {"kind", link.kind == LinkKind::kNear ? "near" : "far"}};
  }
  for (const auto& [id, host] : topology.hosts) AddHost(host, parts);
  for (const auto& [id, share] : topology.shares) AddShare(share, parts);
  for (const auto& [id, pool] : topology.pools) AddPool(pool, parts);
  return parts;
}

// The pool's own parts, and of everything it uses what a plan could depend on.
Parts FlattenFor(const Topology& topology, const Pool& pool) {
  Parts parts;
  AddPool(pool, parts);
  std::set<HostId> hosts;
  std::set<ShareId> shares;
  for (const Database& database : pool.databases) {
    for (const Instance& instance : database.instances) {
      hosts.insert(instance.host);
      shares.insert(instance.share);
    }
  }
  for (const ChatServer& server : pool.chat_servers) hosts.insert(server.host);
  std::set<SiteId> sites = {pool.home, pool.backup};
  for (const HostId& id : hosts) {
    const auto host = topology.hosts.find(id);
    if (host == topology.hosts.end()) continue;
    parts[absl::StrCat("host ", id.value())] = {{"site", host->second.site.value()}};
    sites.insert(host->second.site);
  }
  for (const ShareId& id : shares) {
    const auto share = topology.shares.find(id);
    if (share != topology.shares.end()) AddShare(share->second, parts);
  }
  for (const SiteId& a : sites) {
    for (const SiteId& b : sites) {
      parts[absl::StrCat("link ", a.value(), " ", b.value())] = {
          {"kind", topology.LinkBetween(a, b) == LinkKind::kNear ? "near" : "far"}};
    }
  }
  return parts;
}

std::string Listed(const Values& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    if (value.empty() || value == "false") continue;
    absl::StrAppend(&text, text.empty() ? " (" : ", ", name, " ", value);
  }
  return text.empty() ? text : absl::StrCat(text, ")");
}

void CompareValues(const std::string& part, const Values& from, const Values& to,
                   std::vector<std::string>& changes) {
  for (const auto& [name, value] : to) {
    const auto before = from.find(name);
    if (before == from.end() || before->second == value) continue;
    changes.push_back(absl::StrCat(part, ": ", name, " was ", before->second, ", becomes ", value));
  }
}

}  // namespace

std::vector<std::string> DescribeChanges(const Topology& from, const Topology& to) {
  const Parts before = Flatten(from);
  const Parts after = Flatten(to);
  std::vector<std::string> changes;
  for (const auto& [part, values] : before) {
    const auto now = after.find(part);
    if (now == after.end()) {
      changes.push_back(absl::StrCat(part, ": removed"));
    } else {
      CompareValues(part, values, now->second, changes);
    }
  }
  for (const auto& [part, values] : after) {
    if (before.count(part) == 0) changes.push_back(absl::StrCat(part, ": added", Listed(values)));
  }
  return changes;
}

std::vector<PoolId> PoolsChanged(const Topology& from, const Topology& to) {
  std::set<PoolId> ids;
  for (const auto& [id, pool] : from.pools) ids.insert(id);
  for (const auto& [id, pool] : to.pools) ids.insert(id);
  std::vector<PoolId> changed;
  for (const PoolId& id : ids) {
    const Pool* before = from.FindPool(id);
    const Pool* after = to.FindPool(id);
    if (before == nullptr || after == nullptr ||
        FlattenFor(from, *before) != FlattenFor(to, *after)) {
      changed.push_back(id);
    }
  }
  return changed;
}

}  // namespace baton
