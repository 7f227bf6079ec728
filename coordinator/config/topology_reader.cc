#include "coordinator/config/topology_reader.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "coordinator/config/fields.h"

namespace baton {
namespace {

constexpr int kActiveServersMax = 4;  // domain.md "The deployment being protected"

template <class Id>
Id NameOf(const Fields& fields, std::string_view key, bool required) {
  return Id(fields.Name(key, required).value_or(""));
}

void ReadSites(const Fields& root, Places& places, Problems& problems, Topology& topology) {
  for (const auto& [name, node] : root.Named("sites", true)) {
    const Fields fields(*node, absl::StrCat("site ", name), {"display", "hosts_only"}, problems);
    places.Set(absl::StrCat("sites/", name), node->line);
    Site site{SiteId(name), fields.Text("display", false).value_or(name),
              fields.Flag("hosts_only")};
    topology.sites.emplace(site.id, std::move(site));
  }
}

void ReadLinks(const Fields& root, Places& places, Problems& problems, Topology& topology) {
  for (const YamlNode* node : root.List("links", false)) {
    const Fields fields(*node, "link", {"between", "kind"}, problems);
    const std::vector<const YamlNode*> ends = fields.List("between", true);
    const std::optional<std::string> kind = fields.Word("kind", true, {"far", "near"});
    if (fields.Has("between") && (ends.size() != 2 || ends[0]->scalar == ends[1]->scalar)) {
      fields.Report(fields.LineOf("between"), "between",
                    ends.size() == 2 ? "one site twice" : absl::StrCat(ends.size(), " sites"),
                    "two sites", "write \"between: [one, other]\"");
      continue;
    }
    if (ends.size() != 2 || !kind.has_value()) continue;
    places.Set(absl::StrCat("links/", topology.links.size()), node->line);
    topology.links.push_back({SiteId(ends[0]->scalar), SiteId(ends[1]->scalar),
                              *kind == "near" ? LinkKind::kNear : LinkKind::kFar});
  }
}

void ReadHosts(const Fields& root, Places& places, Problems& problems, Topology& topology) {
  for (const auto& [name, node] : root.Named("hosts", true)) {
    const Fields fields(*node, absl::StrCat("host ", name), {"site", "coordinator"}, problems);
    places.Set(absl::StrCat("hosts/", name), node->line);
    Host host{HostId(name), NameOf<SiteId>(fields, "site", true), fields.Flag("coordinator")};
    topology.hosts.emplace(host.id, std::move(host));
  }
}

void ReadShares(const Fields& root, Places& places, Problems& problems, Topology& topology) {
  for (const auto& [name, node] : root.Named("shares", false)) {
    const Fields fields(*node, absl::StrCat("share ", name), {"site", "path"}, problems);
    places.Set(absl::StrCat("shares/", name), node->line);
    const std::string path = fields.Text("path", true).value_or("");
    const bool climbs = absl::StrCat(path, "/").find("/../") != std::string::npos;
    if (!path.empty() && (path.front() != '/' || path.size() > 1000 || climbs)) {
      fields.Report(fields.LineOf("path"), "path", Quoted(path),
                    "an absolute path without \"..\", at most 1000 bytes",
                    "write the folder where the SQL hosts have the share mounted");
    }
    Share share{ShareId(name), NameOf<SiteId>(fields, "site", true), path};
    topology.shares.emplace(share.id, std::move(share));
  }
}

std::optional<Instance> ReadInstance(const YamlNode& node, const std::string& what,
                                     bool share_required, Problems& problems) {
  const Fields fields(node, what, {"role", "host", "service", "share"}, problems);
  Instance instance;
  instance.host = NameOf<HostId>(fields, "host", true);
  instance.service = NameOf<ResourceId>(fields, "service", true);
  instance.share = NameOf<ShareId>(fields, "share", share_required);
  const std::vector<InstanceRole> roles = {InstanceRole::kPrimary, InstanceRole::kPrimaryMirror,
                                           InstanceRole::kBackup, InstanceRole::kBackupMirror};
  std::vector<std::string> words;
  for (const InstanceRole role : roles) words.emplace_back(ToString(role));
  const std::optional<std::string> word = fields.Word("role", true, words);
  if (!word.has_value()) return std::nullopt;
  for (const InstanceRole role : roles) {
    if (ToString(role) == *word) instance.role = role;
  }
  return instance;
}

void ReadShipping(const YamlNode& node, const std::string& what, Problems& problems) {
  const Fields fields(node, absl::StrCat(what, ", shipping"), {"mode", "method"}, problems);
  fields.Word("mode", false, {"archive"}, {{"streaming", "ship logs by streaming"}});
  fields.Word("method", false, {"copy"}, {{"pgbackrest", "ship logs with pgbackrest"}});
}

Database ReadDatabase(const std::string& name, const YamlNode& node, const std::string& pool,
                      Places& places, Problems& problems) {
  const std::string what = absl::StrCat("pool ", pool, ", database ", name);
  const std::string path = absl::StrCat("pools/", pool, "/databases/", name);
  const Fields fields(
      node, what, {"policy", "engine", "shipping", "mirror_loss", "mirror_loss_after", "instances"},
      problems);
  places.Set(path, node.line);
  Database database;
  database.id = DatabaseId(name);
  const std::optional<std::string> policy = fields.Word("policy", true, {"protect", "ignore"});
  database.policy = policy == "ignore" ? DatabasePolicy::kIgnore : DatabasePolicy::kProtect;
  database.engine = fields
                        .Word("engine", true, {"postgresql"},
                              {{"sqlserver", "run SQL Server databases"},
                               {"command", "run databases by commands of your own"}})
                        .value_or("");
  if (const YamlNode* shipping = fields.Optional("shipping")) {
    ReadShipping(*shipping, what, problems);
  }
  for (const std::string_view key : {"mirror_loss", "mirror_loss_after"}) {
    if (!fields.Has(key)) continue;
    fields.Report(fields.LineOf(key), key, fields.Optional(key)->Describe(), "nothing",
                  "remove it: this version of Baton can't run mirrors");
  }
  for (const YamlNode* item : fields.List("instances", true)) {
    std::optional<Instance> instance =
        ReadInstance(*item, absl::StrCat(what, ", instance"),
                     database.policy == DatabasePolicy::kProtect, problems);
    if (!instance.has_value()) {
      places.MarkIncomplete(path);
      continue;
    }
    places.Set(absl::StrCat(path, "/instances/", database.instances.size()), item->line);
    database.instances.push_back(*std::move(instance));
  }
  return database;
}

void ReadChat(const YamlNode& node, Places& places, Problems& problems, Pool& pool) {
  const std::string what = absl::StrCat("pool ", pool.id.value(), ", chat");
  const std::string path = absl::StrCat("pools/", pool.id.value(), "/chat");
  const Fields fields(node, what, {"engine", "servers"}, problems);
  places.Set(path, node.line);
  pool.chat_engine = fields
                         .Word("engine", true, {"prosody"},
                               {{"ejabberd", "run ejabberd"},
                                {"lync", "run Lync"},
                                {"command", "run chat servers by commands of your own"}})
                         .value_or("");
  for (const YamlNode* item : fields.List("servers", true)) {
    const Fields server(*item, absl::StrCat(what, ", server"), {"host", "service", "active"},
                        problems);
    places.Set(absl::StrCat(path, "/servers/", pool.chat_servers.size()), item->line);
    pool.chat_servers.push_back({NameOf<HostId>(server, "host", true),
                                 NameOf<ResourceId>(server, "service", true),
                                 server.Flag("active")});
  }
}

void ReadLimits(const YamlNode& node, const std::string& what, PoolLimits& limits,
                Problems& problems) {
  const Fields fields(node, absl::StrCat(what, ", limits"), {"loss", "outage", "active_servers"},
                      problems);
  limits.loss = fields.Time("loss", limits.loss);
  limits.outage = fields.Time("outage", limits.outage);
  limits.active_servers =
      fields.Number("active_servers", limits.active_servers, 1, kActiveServersMax);
}

Pool ReadPool(const std::string& name, const YamlNode& node, Places& places, Problems& problems) {
  const std::string what = absl::StrCat("pool ", name);
  const std::string path = absl::StrCat("pools/", name);
  const Fields fields(node, what, {"home", "backup", "fencing", "limits", "databases", "chat"},
                      problems);
  places.Set(path, node.line);
  for (const std::string_view key : {"home", "backup", "limits"}) {
    places.Set(absl::StrCat(path, "/", std::string(key)), fields.LineOf(key));
  }
  Pool pool;
  pool.id = PoolId(name);
  pool.home = NameOf<SiteId>(fields, "home", true);
  pool.backup = NameOf<SiteId>(fields, "backup", true);
  fields.Word("fencing", false, {"operator"}, {{"lease", "fence by lease"}});
  if (const YamlNode* limits = fields.Optional("limits")) {
    ReadLimits(*limits, what, pool.limits, problems);
  }
  for (const auto& [database, entry] : fields.Named("databases", true)) {
    pool.databases.push_back(ReadDatabase(database, *entry, name, places, problems));
  }
  if (const YamlNode* chat = fields.Required("chat", "the chat servers")) {
    ReadChat(*chat, places, problems, pool);
  } else {
    places.MarkIncomplete(absl::StrCat(path, "/chat"));
  }
  return pool;
}

}  // namespace

int Places::LineOf(std::string path) const {
  while (!path.empty()) {
    if (const auto found = lines_.find(path); found != lines_.end()) return found->second;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
  return 0;
}

Topology ReadTopology(const YamlNode& root, Places& places, Problems& problems) {
  const Fields fields(root, "the topology", {"sites", "links", "hosts", "shares", "pools"},
                      problems);
  Topology topology;
  ReadSites(fields, places, problems, topology);
  ReadLinks(fields, places, problems, topology);
  ReadHosts(fields, places, problems, topology);
  ReadShares(fields, places, problems, topology);
  for (const auto& [name, node] : fields.Named("pools", true)) {
    Pool pool = ReadPool(name, *node, places, problems);
    topology.pools.emplace(pool.id, std::move(pool));
  }
  return topology;
}

}  // namespace baton
