#include "tests/simulation/world.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace baton::sim {
namespace {

const char* const kHostNames[kHosts] = {"hq-sql1",  "dr-sql1",  "hq-chat1", "dr-chat1",
                                        "hq-chat2", "dr-chat2", "coord1"};
const char* const kDatabaseNames[] = {"mgc", "rooms"};

std::shared_ptr<const Topology> MakeTopology(const PoolId& pool_id, int databases, bool spares) {
  auto topology = std::make_shared<Topology>();
  const SiteId hq("hq"), dr("dr"), third("third");
  topology->sites[hq] = {hq, "Headquarters", false};
  topology->sites[dr] = {dr, "Recovery", false};
  topology->sites[third] = {third, "Third", true};
  for (int i = 0; i < kHosts; ++i) {
    if (i >= 4 && i != kCoordinatorHost && !spares) continue;
    const SiteId site = i == kCoordinatorHost ? third : i % 2 == 0 ? hq : dr;
    topology->hosts[HostId(kHostNames[i])] = {HostId(kHostNames[i]), site, i == kCoordinatorHost};
  }
  topology->shares[ShareId("hq-logs")] = {ShareId("hq-logs"), hq, "/hq"};
  topology->shares[ShareId("dr-logs")] = {ShareId("dr-logs"), dr, "/dr"};
  Pool pool;
  pool.id = pool_id;
  pool.home = hq;
  pool.backup = dr;
  pool.chat_engine = "prosody";
  pool.limits.loss = absl::Seconds(2);
  for (int d = 0; d < databases; ++d) {
    const ResourceId service(kDatabaseNames[d]);
    Database database;
    database.id = DatabaseId(kDatabaseNames[d]);
    database.engine = "postgresql";
    database.instances = {
        {InstanceRole::kPrimary, HostId(kHostNames[0]), service, ShareId("hq-logs")},
        {InstanceRole::kBackup, HostId(kHostNames[1]), service, ShareId("dr-logs")}};
    pool.databases.push_back(std::move(database));
  }
  pool.chat_servers = {{HostId(kHostNames[2]), ResourceId("prosody"), true},
                       {HostId(kHostNames[3]), ResourceId("prosody"), false}};
  if (spares) {
    pool.chat_servers.push_back({HostId(kHostNames[4]), ResourceId("prosody"), false});
    pool.chat_servers.push_back({HostId(kHostNames[5]), ResourceId("prosody"), false});
  }
  topology->pools[pool_id] = std::move(pool);
  return topology;
}

}  // namespace

void Story::Tell(Nanos at, std::string line) {
  lines_.push_back(absl::StrCat(absl::Dec(at / kSecond, absl::kZeroPad3), ".",
                                absl::Dec(at / kMilli % 1000, absl::kZeroPad3), "  ",
                                std::move(line)));
}

World::World(uint64_t seed, Mutation broken, bool told, int wanted_databases, bool spares)
    : rng(seed),
      late_rng(seed ^ 0x5BA7E),
      mutation(broken),
      story(told),
      pool("chat.example"),
      databases(wanted_databases),
      agent_hosts(spares ? 6 : 4),
      outside_(queue.Add()) {
  topology = MakeTopology(pool, databases, spares);
  shares[0].id = ShareId("hq-logs");
  shares[1].id = ShareId("dr-logs");
  shares[1].home = 1;
  for (int i = 0; i < kHosts; ++i) {
    hosts[i].index = i;
    hosts[i].id = HostId(kHostNames[i]);
    hosts[i].site = topology->SiteOf(hosts[i].id);
    hosts[i].boot = BootId(absl::StrCat("boot-", i, "-0"));
  }
  const auto add = [this](int host, const char* name, int database) {
    const int index = static_cast<int>(units.size());
    units.push_back(std::make_unique<Unit>(*this, index, hosts[host], ResourceId(name), database));
    hosts[host].units.push_back(units.back().get());
  };
  for (int d = 0; d < databases; ++d) {
    add(0, kDatabaseNames[d], d);
    add(1, kDatabaseNames[d], d);
  }
  for (int host = 2; host < agent_hosts; ++host) add(host, "prosody", -1);
}

Unit* World::Find(const ResourceRef& ref) const {
  for (const auto& unit : units) {
    if (unit->ref == ref) return unit.get();
  }
  return nullptr;
}

Unit* World::InstanceOn(int database, int host) const {
  for (Unit* unit : hosts[host].units) {
    if (unit->database == database) return unit;
  }
  return nullptr;
}

Unit* World::ChatOn(int host) const { return InstanceOn(-1, host); }

std::vector<int> World::HostsBeside(int host) const {
  std::vector<int> found;
  for (int i = host % 2; i < agent_hosts; i += 2) found.push_back(i);
  return found;
}

Share* World::ShareOf(const ShareId& id) {
  for (Share& share : shares) {
    if (share.id == id) return &share;
  }
  return nullptr;
}

int World::HostIndex(const HostId& id) const {
  for (const Host& host : hosts) {
    if (host.id == id) return host.index;
  }
  return -1;
}

LineageKey World::KeyOf(int database, const Lineage& lineage) const {
  return {database, lineage.epoch, HostIndex(lineage.instance)};
}

void World::WakeFollowers() {
  for (const auto& unit : units) {
    if (unit->is_database() && unit->state() == ServerState::kStandby) {
      const Nanos delay = Is(Mutation::kServedNotAwaited) ? 3 * kSecond : 0;
      unit->ReplaySoon(delay + Jitter(1 * kMilli, 100 * kMilli));
    }
  }
}

}  // namespace baton::sim
