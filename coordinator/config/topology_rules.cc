#include "coordinator/config/topology_rules.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "coordinator/config/fields.h"

namespace baton {
namespace {

constexpr size_t kChatServersMax = 8;  // domain.md "The deployment being protected"

template <class Map>
std::string KnownOf(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [id, part] : map) names.push_back(id.value());
  return OneOf(names);
}

// The rules; one object checks one topology.
class Checker {
 public:
  Checker(const Topology& topology, const TopologyOptions& options, const Places& places,
          Problems& problems)
      : topology_(topology), options_(options), places_(places), problems_(problems) {}

  void Check() {
    CheckSitesAndLinks();
    CheckShares();
    for (const auto& [id, pool] : topology_.pools) CheckPool(pool);
  }

 private:
  void Report(const std::string& path, std::string what, std::string found, std::string wanted,
              std::string remedy) {
    problems_.Add({places_.LineOf(path), std::move(what), std::move(found), std::move(wanted),
                   std::move(remedy)});
  }

  // True when `id` names a part of `map`; adds a problem when it names none.
  template <class Map, class Id>
  bool Known(const Map& map, const Id& id, const char* kind, const std::string& path,
             const std::string& what) {
    if (id.empty()) return false;
    if (map.count(id) > 0) return true;
    Report(path, what, absl::StrCat("the unknown ", kind, " ", Quoted(id.value())), KnownOf(map),
           absl::StrCat("correct it, or add it under ", kind, "s"));
    return false;
  }

  void CheckSitesAndLinks();
  void CheckShares();
  void CheckPool(const Pool& pool);
  bool CheckPoolSites(const Pool& pool);
  void CheckCoordinator(const Pool& pool);
  void CheckDatabase(const Pool& pool, const Database& database, bool sites_known);
  void CheckRole(const Pool& pool, const Database& database, InstanceRole role,
                 const SiteId& wanted, bool sites_known);
  void CheckInstance(const Pool& pool, const Database& database, size_t index, bool sites_known);
  void CheckLayoutOfShares(const Pool& pool, const Database& database);
  void CheckChat(const Pool& pool, bool sites_known);
  void CheckActive(const Pool& pool, bool sites_known);
  // One service of one host is one resource, used once in the whole topology.
  void Claim(const HostId& host, const ResourceId& service, const std::string& path,
             const std::string& user, const Database* database);

  struct Use {
    std::string user;
    const Database* database;  // null: a chat server
  };

  const Topology& topology_;
  const TopologyOptions& options_;
  const Places& places_;
  Problems& problems_;
  std::map<ResourceRef, Use> claimed_;
};

void Checker::CheckSitesAndLinks() {
  for (const auto& [id, host] : topology_.hosts) {
    Known(topology_.sites, host.site, "site", absl::StrCat("hosts/", id.value()),
          absl::StrCat("host ", id.value(), ": site"));
  }
  std::set<std::pair<SiteId, SiteId>> linked;
  for (size_t i = 0; i < topology_.links.size(); ++i) {
    const Link& link = topology_.links[i];
    const std::string path = absl::StrCat("links/", i);
    Known(topology_.sites, link.a, "site", path, "link: between");
    Known(topology_.sites, link.b, "site", path, "link: between");
    if (!linked.insert(std::minmax(link.a, link.b)).second) {
      Report(path, absl::StrCat("link between ", link.a.value(), " and ", link.b.value()),
             "it a second time", "one link for two sites", "remove one of the two");
    }
  }
}

void Checker::CheckShares() {
  std::map<std::pair<SiteId, std::string>, ShareId> paths;
  for (const auto& [id, share] : topology_.shares) {
    const std::string path = absl::StrCat("shares/", id.value());
    const std::string what = absl::StrCat("share ", id.value());
    Known(topology_.sites, share.site, "site", path, absl::StrCat(what, ": site"));
    const auto [other, is_new] = paths.emplace(std::pair(share.site, share.path), id);
    if (!is_new && !share.path.empty()) {
      Report(path, absl::StrCat(what, ": path"),
             absl::StrCat(Quoted(share.path), ", which is share ", other->second.value(), " too"),
             "a folder of its own", "correct one of the two");
    }
  }
}

void Checker::CheckPool(const Pool& pool) {
  const std::string path = absl::StrCat("pools/", pool.id.value());
  const bool sites_known = CheckPoolSites(pool);
  CheckCoordinator(pool);
  bool protects = false;
  for (const Database& database : pool.databases) {
    protects = protects || database.policy == DatabasePolicy::kProtect;
    CheckDatabase(pool, database, sites_known);
  }
  if (!protects) {
    Report(path, absl::StrCat("pool ", pool.id.value(), ": databases"), "none to protect",
           "at least one with \"policy: protect\"", "add the database of rooms and messages");
  }
  CheckChat(pool, sites_known);
}

bool Checker::CheckPoolSites(const Pool& pool) {
  const std::string path = absl::StrCat("pools/", pool.id.value());
  const std::string what = absl::StrCat("pool ", pool.id.value());
  bool known = true;
  for (const auto& [key, id] :
       {std::pair(std::string("home"), pool.home), std::pair(std::string("backup"), pool.backup)}) {
    const std::string at = absl::StrCat(path, "/", key);
    if (!Known(topology_.sites, id, "site", at, absl::StrCat(what, ": ", key))) {
      known = false;
    } else if (topology_.sites.at(id).hosts_only) {
      Report(at, absl::StrCat(what, ": ", key), absl::StrCat(id.value(), ", which is hosts_only"),
             "a site that may serve", "name another one, or remove hosts_only from it");
    }
  }
  if (known && pool.home == pool.backup) {
    Report(absl::StrCat(path, "/backup"), absl::StrCat(what, ": backup"),
           absl::StrCat("the home site ", pool.home.value()), "another site",
           "name the site that takes over when home is lost");
    return false;
  }
  return known;
}

void Checker::CheckCoordinator(const Pool& pool) {
  bool any = false;
  for (const auto& [id, host] : topology_.hosts) {
    if (!host.coordinator) continue;
    any = true;
    if (host.site != pool.home) return;
  }
  const std::string what = absl::StrCat("pool ", pool.id.value(), ": coordinator");
  const std::string path = absl::StrCat("pools/", pool.id.value(), "/home");
  if (!any) {
    Report(path, what, "no host that carries it", "one outside the home site",
           "write \"coordinator: true\" at the host that runs baton-coordinator");
  } else if (!options_.allow_coordinator_at_home) {
    Report(path, what, absl::StrCat("the only one at the home site ", pool.home.value()),
           "one outside the home site",
           "move it to a third place or to the backup site, or accept the risk with "
           "--allow-coordinator-at-home");
  }
}

void Checker::CheckDatabase(const Pool& pool, const Database& database, bool sites_known) {
  const std::string path =
      absl::StrCat("pools/", pool.id.value(), "/databases/", database.id.value());
  const std::string what =
      absl::StrCat("pool ", pool.id.value(), ", database ", database.id.value());
  std::set<HostId> hosts;
  for (size_t i = 0; i < database.instances.size(); ++i) {
    CheckInstance(pool, database, i, sites_known);
    const HostId& host = database.instances[i].host;
    if (!host.empty() && !hosts.insert(host).second) {
      Report(absl::StrCat(path, "/instances/", i), what,
             absl::StrCat("two instances on host ", host.value()), "one a host",
             "put one of them on another host");
    }
  }
  CheckRole(pool, database, InstanceRole::kPrimary, pool.home, sites_known);
  CheckRole(pool, database, InstanceRole::kBackup, pool.backup, sites_known);
  if (database.policy == DatabasePolicy::kProtect && sites_known) {
    CheckLayoutOfShares(pool, database);
  }
}

void Checker::CheckRole(const Pool& pool, const Database& database, InstanceRole role,
                        const SiteId& wanted, bool sites_known) {
  const std::string path =
      absl::StrCat("pools/", pool.id.value(), "/databases/", database.id.value());
  const std::string name(ToString(role));
  const std::string what =
      absl::StrCat("pool ", pool.id.value(), ", database ", database.id.value(), ": ", name);
  const char* place = role == InstanceRole::kPrimary ? "home" : "backup";
  int count = 0;
  for (size_t i = 0; i < database.instances.size(); ++i) {
    const Instance& instance = database.instances[i];
    if (instance.role != role) continue;
    const std::string at = absl::StrCat(path, "/instances/", i);
    if (++count > 1) {
      Report(at, what, absl::StrCat("a second one on ", instance.host.value()), "exactly one",
             "remove one of the two, or give it another role");
    }
    const SiteId site = topology_.SiteOf(instance.host);
    if (!site.empty() && sites_known && site != wanted) {
      Report(at, what, absl::StrCat(instance.host.value(), " at site ", site.value()),
             absl::StrCat("a host of the ", place, " site ", wanted.value()),
             "name another host, or correct the host's site");
    }
  }
  if (count == 0 && database.policy == DatabasePolicy::kProtect && !places_.Incomplete(path)) {
    Report(path, what, "none", absl::StrCat("exactly one, at the ", place, " site"),
           absl::StrCat("add \"{role: ", name, ", host: …, service: …, share: …}\""));
  }
}

void Checker::CheckInstance(const Pool& pool, const Database& database, size_t index,
                            bool sites_known) {
  const Instance& instance = database.instances[index];
  const std::string path = absl::StrCat("pools/", pool.id.value(), "/databases/",
                                        database.id.value(), "/instances/", index);
  const std::string database_name =
      absl::StrCat("pool ", pool.id.value(), ", database ", database.id.value());
  const std::string what = absl::StrCat(database_name, ", ", std::string(ToString(instance.role)));
  if (instance.role == InstanceRole::kPrimaryMirror ||
      instance.role == InstanceRole::kBackupMirror) {
    Report(path, what, "a mirror", "roles primary and backup only",
           "remove it: this version of Baton can't run mirrors");
  }
  Known(topology_.hosts, instance.host, "host", path, absl::StrCat(what, ": host"));
  Claim(instance.host, instance.service, path, database_name, &database);
  if (!Known(topology_.shares, instance.share, "share", path, absl::StrCat(what, ": share"))) {
    return;
  }
  bool several = false;
  for (const Instance& other : database.instances) {
    several = several || (!other.share.empty() && other.share != instance.share);
  }
  const SiteId site = topology_.SiteOf(instance.host);
  const SiteId share_site = topology_.shares.at(instance.share).site;
  if (sites_known && several && !site.empty() && share_site != site) {
    Report(path, absl::StrCat(what, ": share"),
           absl::StrCat(instance.share.value(), " of site ", share_site.value()),
           absl::StrCat("a share of site ", site.value(), ", where ", instance.host.value(), " is"),
           "name that site's share: each site writes its own and reads the other's");
  }
}

// One share for both sites has to outlive the home site.
void Checker::CheckLayoutOfShares(const Pool& pool, const Database& database) {
  std::set<ShareId> used;
  for (const Instance& instance : database.instances) used.insert(instance.share);
  if (used.size() != 1 || database.instances.size() < 2) return;
  const auto share = topology_.shares.find(*used.begin());
  if (share == topology_.shares.end() || share->second.site != pool.home) return;
  Report(absl::StrCat("pools/", pool.id.value(), "/databases/", database.id.value()),
         absl::StrCat("pool ", pool.id.value(), ", database ", database.id.value(), ": share"),
         absl::StrCat("only ", share->first.value(), ", at the home site"),
         "a share that outlives the home site, or one at each site",
         "add a share of the backup site and name it at the backup instance");
}

void Checker::CheckChat(const Pool& pool, bool sites_known) {
  const std::string path = absl::StrCat("pools/", pool.id.value(), "/chat");
  if (places_.Incomplete(path)) return;
  const std::string what = absl::StrCat("pool ", pool.id.value(), ", chat");
  bool usable_at_backup = false;
  for (size_t i = 0; i < pool.chat_servers.size(); ++i) {
    const ChatServer& server = pool.chat_servers[i];
    const std::string at = absl::StrCat(path, "/servers/", i);
    Claim(server.host, server.service, at, what, nullptr);
    if (!Known(topology_.hosts, server.host, "host", at, absl::StrCat(what, ": host"))) continue;
    const SiteId site = topology_.SiteOf(server.host);
    usable_at_backup =
        usable_at_backup || topology_.LinkBetween(site, pool.backup) == LinkKind::kNear;
    const auto found = topology_.sites.find(site);
    if (found != topology_.sites.end() && found->second.hosts_only) {
      Report(at, what,
             absl::StrCat("a server on ", server.host.value(), " at ", site.value(),
                          ", which is hosts_only"),
             "a site that may serve", "name another host, or remove hosts_only from the site");
    }
  }
  if (pool.chat_servers.size() > kChatServersMax) {
    Report(path, what, absl::StrCat(pool.chat_servers.size(), " servers"),
           absl::StrCat("at most ", kChatServersMax), "remove some");
  }
  if (sites_known && !pool.chat_servers.empty() && !usable_at_backup) {
    Report(path, what, "no server at the backup site",
           absl::StrCat("one at ", pool.backup.value(), " or near it"),
           "add one: after a switchover nothing could serve");
  }
  CheckActive(pool, sites_known);
}

void Checker::CheckActive(const Pool& pool, bool sites_known) {
  const std::string path = absl::StrCat("pools/", pool.id.value(), "/chat");
  const std::string what = absl::StrCat("pool ", pool.id.value(), ", chat: active servers");
  int active = 0;
  for (size_t i = 0; i < pool.chat_servers.size(); ++i) {
    const ChatServer& server = pool.chat_servers[i];
    if (!server.active) continue;
    ++active;
    const SiteId site = topology_.SiteOf(server.host);
    if (sites_known && !site.empty() && topology_.LinkBetween(site, pool.home) != LinkKind::kNear) {
      Report(absl::StrCat(path, "/servers/", i), what,
             absl::StrCat(server.host.value(), " at ", site.value(), ", far from the database"),
             absl::StrCat("servers at ", pool.home.value(), " or at a site near it"),
             "make a server of the home site active, or say that the link is near");
    }
  }
  const int limit = pool.limits.active_servers;
  if (active == 0) {
    Report(path, what, "none", absl::StrCat("from 1 to ", limit),
           "write \"active: true\" at a server of the home site");
  } else if (active > limit) {
    Report(path, what, absl::StrCat(active, ""), absl::StrCat("at most ", limit),
           "remove \"active: true\" from some, or raise limits.active_servers");
  }
  if (pool.chat_engine == "prosody" && limit > 1) {
    Report(absl::StrCat("pools/", pool.id.value(), "/limits"),
           absl::StrCat("pool ", pool.id.value(), ", limits: active_servers"),
           absl::StrCat(limit, ""), "1", "correct it: Prosody doesn't cluster");
  }
}

void Checker::Claim(const HostId& host, const ResourceId& service, const std::string& path,
                    const std::string& user, const Database* database) {
  if (host.empty() || service.empty()) return;
  const ResourceRef ref{host, service};
  const auto [first, is_new] = claimed_.emplace(ref, Use{user, database});
  if (is_new) return;
  const Database* other = first->second.database;
  const bool ships_together =
      database != nullptr && other != nullptr && database->policy != other->policy;
  Report(path, absl::StrCat("service ", ref.ToString()),
         absl::StrCat("it in ", first->second.user, " and in ", user),
         ships_together ? "a server of its own for a database that is ignored" : "one use",
         ships_together ? "move it: PostgreSQL ships whole clusters, so it would be moved along"
                        : "give each its own service name, as the host's agent knows it");
}

}  // namespace

void CheckTopology(const Topology& topology, const TopologyOptions& options, const Places& places,
                   Problems& problems) {
  Checker(topology, options, places, problems).Check();
}

}  // namespace baton
