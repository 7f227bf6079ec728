#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "coordinator/config/topology_config.h"
#include "tests/unit/config/topology_text.h"

namespace baton {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Topology Sample() { return Parse(SampleTopology()).value(); }

TEST(TopologyChangesTest, AreNoneBetweenEquals) {
  EXPECT_THAT(DescribeChanges(Sample(), Sample()), IsEmpty());
  EXPECT_THAT(PoolsChanged(Sample(), Sample()), IsEmpty());
}

TEST(TopologyChangesTest, TellWhatWasAndWhatBecomes) {
  const Topology edited = Parse(Edited({{"loss: 30s", "loss: 20s"}})).value();
  EXPECT_THAT(DescribeChanges(Sample(), edited),
              ElementsAre("pool chat.example.com: limits.loss was 30s, becomes 20s"));
  EXPECT_THAT(PoolsChanged(Sample(), edited), ElementsAre(PoolId("chat.example.com")));
}

TEST(TopologyChangesTest, TellWhatIsAddedAndRemoved) {
  const Topology edited = Parse(Edited({{"  dr-chat2: {site: dr}", "  dr-chat3: {site: dr}"},
                                        {"host: dr-chat2", "host: dr-chat3"}}))
                              .value();
  EXPECT_THAT(DescribeChanges(Sample(), edited),
              ElementsAre("host dr-chat2: removed",
                          "pool chat.example.com, chat server dr-chat2/prosody: removed",
                          "host dr-chat3: added (site dr)",
                          "pool chat.example.com, chat server dr-chat3/prosody: added"));
}

TEST(TopologyChangesTest, OfAHostThatNoPoolUsesLeavePoolsAlone) {
  const Topology edited =
      Parse(Edited({{"  co1: {", "  co2: {site: witness, coordinator: true}\n  co1: {"}})).value();
  EXPECT_THAT(DescribeChanges(Sample(), edited),
              ElementsAre("host co2: added (coordinator true, site witness)"));
  EXPECT_THAT(PoolsChanged(Sample(), edited), IsEmpty());
}

TEST(TopologyChangesTest, OfAUsedShareOrLinkChangeThePool) {
  const Topology share =
      Parse(Edited({{"path: /srv/baton/dr-logs", "path: /mnt/dr-logs"}})).value();
  EXPECT_THAT(DescribeChanges(Sample(), share),
              ElementsAre("share dr-logs: path was /srv/baton/dr-logs, becomes /mnt/dr-logs"));
  EXPECT_THAT(PoolsChanged(Sample(), share), ElementsAre(PoolId("chat.example.com")));
  const Topology link = Parse(Edited({{"kind: far", "kind: near"}})).value();
  EXPECT_THAT(PoolsChanged(Sample(), link), ElementsAre(PoolId("chat.example.com")));
}

TEST(TopologyChangesTest, FromNothingAddEverything) {
  EXPECT_THAT(DescribeChanges(Topology(), Sample()),
              Contains("pool chat.example.com: added (backup dr, chat.engine prosody, fencing "
                       "operator, home hq, limits.active_servers 1, limits.loss 30s, "
                       "limits.outage 1m)"));
  EXPECT_THAT(PoolsChanged(Topology(), Sample()), ElementsAre(PoolId("chat.example.com")));
  EXPECT_THAT(PoolsChanged(Sample(), Topology()), ElementsAre(PoolId("chat.example.com")));
}

}  // namespace
}  // namespace baton
