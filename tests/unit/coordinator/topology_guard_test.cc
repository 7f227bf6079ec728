// Which changes of the topology are refused for what the journal knows of a pool.
#include "coordinator/api/topology_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/topology_text.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const PoolId kPool("chat.example.com");
const DatabaseId kMgc("mgc");

class TopologyGuardTest : public ::testing::Test {
 protected:
  TopologyGuardTest() : now_(*Parse(SampleTopology())) {
    PoolState& pool = Pool();
    pool.adopted = true;
    pool.epoch = {1, 3};
    const Instance& primary = *Mgc(now_).Find(InstanceRole::kPrimary);
    pool.rights[kMgc].writer = primary.host;
    pool.rights[kMgc].lineages = {{"7001", {1, 3}, primary.host, primary.share, std::nullopt}};
  }
  PoolState& Pool() { return state_.pools[kPool]; }
  static Database& Mgc(Topology& topology) {
    for (Database& database : topology.pools.at(kPool).databases) {
      if (database.id == kMgc) return database;
    }
    std::abort();
  }
  std::string Refusal(const Topology& to) {
    return std::string(CheckChangeAllowed(state_, &now_, to).message());
  }

  CoordinatorState state_;
  Topology now_;
};

TEST_F(TopologyGuardTest, WhatChangesNothingIsAllowed) { EXPECT_EQ(Refusal(now_), ""); }

TEST_F(TopologyGuardTest, WhoHoldsARightStays) {
  Topology to = now_;
  Mgc(to).instances[0].service = ResourceId("other");
  EXPECT_THAT(Refusal(to), HasSubstr("holds the right to write"));
}

TEST_F(TopologyGuardTest, WhoHeldARightLastThatIsBetweenTwoInstancesStays) {
  Pool().rights[kMgc].writer = HostId();
  Topology renamed = now_;
  Mgc(renamed).instances[0].service = ResourceId("other");
  EXPECT_THAT(Refusal(renamed), AllOf(HasSubstr("held the right to write last"),
                                      HasSubstr("baton adopt chat.example.com")));
  Topology dropped = now_;
  Mgc(dropped).instances.erase(Mgc(dropped).instances.begin());
  EXPECT_THAT(Refusal(dropped), HasSubstr("held the right to write last"));
  Topology without = now_;
  without.pools.erase(kPool);
  EXPECT_THAT(Refusal(without), HasSubstr("held the right to write last"));
}

TEST_F(TopologyGuardTest, WhatIsToBeFencedStays) {
  const ChatServer server = now_.pools.at(kPool).chat_servers.back();
  Pool().fence_due[{server.host, server.service}] = {1, 2};
  Topology renamed = now_;
  renamed.pools.at(kPool).chat_servers.back().service = ResourceId("other");
  EXPECT_THAT(Refusal(renamed),
              AllOf(HasSubstr(server.host.value()), HasSubstr("is to be fenced under epoch 1.2"),
                    HasSubstr("keep it until its host has answered")));
  Topology dropped = now_;
  dropped.pools.at(kPool).chat_servers.pop_back();
  EXPECT_NE(Refusal(dropped), "");
  Pool().fence_due.clear();
  EXPECT_EQ(Refusal(dropped), "");
}

TEST_F(TopologyGuardTest, ADatabaseThatIsToBeFencedStays) {
  const Instance& backup = *Mgc(now_).Find(InstanceRole::kBackup);
  Pool().fence_due[{backup.host, backup.service}] = {1, 2};
  Topology to = now_;
  std::erase_if(Mgc(to).instances, [&](const Instance& each) { return each.host == backup.host; });
  EXPECT_THAT(Refusal(to), HasSubstr("is to be fenced under epoch 1.2"));
}

// What left before this was asked for does not stop every other change.
TEST_F(TopologyGuardTest, WhatIsNotThereAnyMoreStopsNoChange) {
  Pool().fence_due[{HostId("gone"), ResourceId("prosody")}] = {1, 2};
  EXPECT_EQ(Refusal(now_), "");
}

TEST_F(TopologyGuardTest, ADatabaseThatIsNewToAnAdoptedPoolIsNotProtectedThere) {
  Topology to = now_;
  Database added = Mgc(to);
  added.id = DatabaseId("files");
  for (Instance& instance : added.instances) instance.service = ResourceId("files");
  to.pools.at(kPool).databases.push_back(added);
  EXPECT_THAT(Refusal(to), AllOf(HasSubstr("database files"), HasSubstr("`policy: ignore`"),
                                 HasSubstr("in a pool of its own")));

  to.pools.at(kPool).databases.back().policy = DatabasePolicy::kIgnore;
  EXPECT_EQ(Refusal(to), "");

  to.pools.at(kPool).databases.pop_back();
  struct Pool own = to.pools.at(kPool);
  own.id = PoolId("files.example.com");
  own.databases = {added};
  own.chat_servers.clear();
  to.pools[own.id] = own;
  EXPECT_EQ(Refusal(to), "");
}

TEST_F(TopologyGuardTest, APoolThatIsNotAdoptedTakesAnyDatabase) {
  state_.pools.clear();
  Topology to = now_;
  Database added = Mgc(to);
  added.id = DatabaseId("files");
  to.pools.at(kPool).databases.push_back(added);
  EXPECT_EQ(Refusal(to), "");
}

}  // namespace
}  // namespace baton
