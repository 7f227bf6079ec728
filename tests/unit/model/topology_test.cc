#include "coordinator/model/topology.h"

#include <gtest/gtest.h>

#include "coordinator/model/snapshot.h"

namespace baton {
namespace {

Topology Sample() {
  Topology topology;
  topology.links = {{SiteId("hq"), SiteId("dr"), LinkKind::kFar},
                    {SiteId("dr"), SiteId("annex"), LinkKind::kNear}};
  topology.hosts[HostId("hq-sql1")] = {HostId("hq-sql1"), SiteId("hq"), false};
  Pool& pool = topology.pools[PoolId("chat")];
  pool.id = PoolId("chat");
  pool.databases.resize(1);
  pool.databases[0].id = DatabaseId("mgc");
  pool.databases[0].instances = {
      {InstanceRole::kPrimary, HostId("hq-sql1"), ResourceId("mgc"), ShareId("hq-logs")},
      {InstanceRole::kBackup, HostId("dr-sql1"), ResourceId("mgc"), ShareId("dr-logs")}};
  pool.chat_servers = {{HostId("hq-sql1"), ResourceId("prosody"), true}};
  return topology;
}

TEST(TopologyTest, LinksGoBothWaysAndTheUnnamedOnesAreFar) {
  const Topology topology = Sample();
  EXPECT_EQ(topology.LinkBetween(SiteId("annex"), SiteId("dr")), LinkKind::kNear);
  EXPECT_EQ(topology.LinkBetween(SiteId("dr"), SiteId("hq")), LinkKind::kFar);
  EXPECT_EQ(topology.LinkBetween(SiteId("hq"), SiteId("annex")), LinkKind::kFar);
  EXPECT_EQ(topology.LinkBetween(SiteId("hq"), SiteId("hq")), LinkKind::kNear);
}

TEST(TopologyTest, FindsWhatItNamesAndNothingElse) {
  const Topology topology = Sample();
  const Pool* pool = topology.FindPool(PoolId("chat"));
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(topology.FindPool(PoolId("other")), nullptr);
  const Database* database = pool->FindDatabase(DatabaseId("mgc"));
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(pool->FindDatabase(DatabaseId("other")), nullptr);
  EXPECT_EQ(database->Find(InstanceRole::kBackup)->host, HostId("dr-sql1"));
  EXPECT_EQ(database->Find(InstanceRole::kPrimaryMirror), nullptr);
  EXPECT_EQ(database->OnHost(HostId("hq-sql1"))->role, InstanceRole::kPrimary);
  EXPECT_EQ(database->OnHost(HostId("hq-chat1")), nullptr);
  EXPECT_EQ(topology.SiteOf(HostId("hq-sql1")), SiteId("hq"));
  EXPECT_TRUE(topology.SiteOf(HostId("other")).empty());
}

TEST(TopologyTest, ListsTheResourcesOfAHostDatabasesFirst) {
  const auto resources = Sample().ResourcesOf(HostId("hq-sql1"));
  ASSERT_EQ(resources.size(), 2u);
  EXPECT_EQ(resources[0].second.ToString(), "hq-sql1/mgc");
  EXPECT_EQ(resources[1].second.ToString(), "hq-sql1/prosody");
  EXPECT_EQ(resources[0].first, PoolId("chat"));
}

TEST(SnapshotTest, KnowsOnlyWhatWasSeen) {
  Snapshot seen;
  EXPECT_FALSE(seen.Connected(HostId("h")));
  seen.agents[HostId("h")].connected = true;
  EXPECT_TRUE(seen.Connected(HostId("h")));
  EXPECT_EQ(seen.Find({HostId("h"), ResourceId("r")}), nullptr);
  seen.resources[{HostId("h"), ResourceId("r")}].observation.service_managed = true;
  EXPECT_TRUE(seen.Find({HostId("h"), ResourceId("r")})->service_managed);
  EXPECT_EQ(seen.FindPoolState(PoolId("p")), nullptr);
}

}  // namespace
}  // namespace baton
