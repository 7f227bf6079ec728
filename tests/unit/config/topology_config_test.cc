#include "coordinator/config/topology_config.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/config/topology_text.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kPrimary[] = "- {role: primary, host: hq-sql1, service: mgc, share: hq-logs}";
constexpr char kBackup[] = "- {role: backup, host: dr-sql1, service: mgc, share: dr-logs}";

TEST(TopologyConfigTest, ReadsTheSample) {
  const absl::StatusOr<Topology> topology = Parse(SampleTopology());
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->sites.size(), 3u);
  EXPECT_TRUE(topology->sites.at(SiteId("witness")).hosts_only);
  EXPECT_TRUE(topology->hosts.at(HostId("co1")).coordinator);
  EXPECT_EQ(topology->LinkBetween(SiteId("dr"), SiteId("hq")), LinkKind::kFar);
  EXPECT_EQ(topology->shares.at(ShareId("dr-logs")).path, "/srv/baton/dr-logs");
  const Pool* pool = topology->FindPool(PoolId("chat.example.com"));
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(pool->home, SiteId("hq"));
  EXPECT_EQ(pool->backup, SiteId("dr"));
  EXPECT_EQ(pool->limits.loss, absl::Seconds(30));
  EXPECT_EQ(pool->limits.active_servers, 1);
  const Database* mgc = pool->FindDatabase(DatabaseId("mgc"));
  ASSERT_NE(mgc, nullptr);
  EXPECT_EQ(mgc->engine, "postgresql");
  ASSERT_NE(mgc->Find(InstanceRole::kBackup), nullptr);
  EXPECT_EQ(mgc->Find(InstanceRole::kBackup)->host, HostId("dr-sql1"));
  EXPECT_EQ(mgc->Find(InstanceRole::kPrimary)->share, ShareId("hq-logs"));
  ASSERT_EQ(pool->chat_servers.size(), 4u);
  EXPECT_TRUE(pool->chat_servers[0].active);
  EXPECT_FALSE(pool->chat_servers[1].active);
}

TEST(TopologyConfigTest, NamesFileLineFoundWantedAndRemedy) {
  const std::string text = Edited({{"host: dr-sql1", "host: dr-sql9"}});
  const std::string before = text.substr(0, text.find("dr-sql9"));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  EXPECT_EQ(Complaint(text),
            "t.yaml:" + std::to_string(line) +
                ": pool chat.example.com, database mgc, backup: host: found the unknown host "
                "'dr-sql9', wanted co1, dr-chat1, dr-chat2, dr-sql1, hq-chat1, hq-chat2 or "
                "hq-sql1; correct it, or add it under hosts");
  EXPECT_EQ(Parse(text).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(TopologyConfigTest, TellsEveryProblemInTheOrderOfTheFile) {
  const std::string complaint = Complaint(Edited({{"home: hq", "home: moon"},
                                                  {"loss: 30s", "loss: 30 parsecs"},
                                                  {"share: dr-logs", "share: tapes"},
                                                  {"engine: prosody", "engine: pigeons"}}));
  EXPECT_EQ(std::count(complaint.begin(), complaint.end(), '\n'), 3) << complaint;
  EXPECT_LT(complaint.find("moon"), complaint.find("parsecs"));
  EXPECT_LT(complaint.find("parsecs"), complaint.find("tapes"));
  EXPECT_LT(complaint.find("tapes"), complaint.find("pigeons"));
}

TEST(TopologyConfigTest, RefusesUnknownKeysAndSuggestsTheKnownOne) {
  EXPECT_THAT(Complaint(Edited({{"coordinator: true", "coordinater: true"}})),
              HasSubstr("host co1: found the unknown key 'coordinater', wanted site or "
                        "coordinator; did you mean coordinator?"));
  EXPECT_THAT(Complaint(SampleTopology() + "colour: blue\n"),
              HasSubstr("the topology: found the unknown key 'colour'"));
  EXPECT_THAT(Complaint(Edited({{"loss: 30s", "lost: 30s"}})),
              HasSubstr("limits: found the unknown key 'lost'"));
}

TEST(TopologyConfigTest, RefusesKeysNamedTwice) {
  EXPECT_THAT(Complaint(Edited({{"  hq-chat2: {site: hq}", "  hq-chat1: {site: dr}"}})),
              HasSubstr("key 'hq-chat1': found it a second time (first in line "));
}

TEST(TopologyConfigTest, RefusesUnknownSites) {
  EXPECT_THAT(Complaint(Edited({{"dr-sql1: {site: dr}", "dr-sql1: {site: mars}"}})),
              HasSubstr("host dr-sql1: site: found the unknown site 'mars', wanted dr, hq or "
                        "witness"));
  EXPECT_THAT(Complaint(Edited({{"hq-logs: {site: hq", "hq-logs: {site: mars"}})),
              HasSubstr("share hq-logs: site: found the unknown site 'mars'"));
  EXPECT_THAT(Complaint(Edited({{"between: [hq, dr]", "between: [hq, mars]"}})),
              HasSubstr("link: between: found the unknown site 'mars'"));
}

TEST(TopologyConfigTest, RefusesHomeAsBackupAndSitesThatNeverServe) {
  EXPECT_THAT(Complaint(Edited({{"backup: dr ", "backup: hq "}})),
              HasSubstr("backup: found the home site hq, wanted another site"));
  EXPECT_THAT(Complaint(Edited({{"backup: dr ", "backup: witness "}})),
              HasSubstr("backup: found witness, which is hosts_only"));
}

TEST(TopologyConfigTest, RefusesTwoPrimaries) {
  const std::string complaint = Complaint(
      Edited({{kBackup, "- {role: primary, host: hq-chat2, service: mgc, share: hq-logs}"}}));
  EXPECT_THAT(complaint, HasSubstr("primary: found a second one on hq-chat2, wanted exactly one"));
  EXPECT_THAT(complaint, HasSubstr("backup: found none, wanted exactly one, at the backup site"));
}

TEST(TopologyConfigTest, RefusesAProtectedDatabaseWithoutPrimaryOrBackup) {
  EXPECT_THAT(Complaint(Edited({{kPrimary, ""}})),
              HasSubstr("primary: found none, wanted exactly one, at the home site"));
  EXPECT_THAT(Complaint(Edited({{kBackup, ""}})),
              HasSubstr("backup: found none, wanted exactly one, at the backup site"));
}

TEST(TopologyConfigTest, RefusesInstancesAtTheWrongSite) {
  EXPECT_THAT(Complaint(Edited({{kBackup,
                                 "- {role: backup, host: hq-chat2, service: mgc, share: "
                                 "hq-logs}"}})),
              HasSubstr("backup: found hq-chat2 at site hq, wanted a host of the backup site dr"));
  EXPECT_THAT(Complaint(Edited({{kPrimary,
                                 "- {role: primary, host: dr-chat2, service: mgc, "
                                 "share: dr-logs}"}})),
              HasSubstr("primary: found dr-chat2 at site dr, wanted a host of the home site hq"));
}

TEST(TopologyConfigTest, RefusesAShareOfTheOtherSite) {
  EXPECT_THAT(Complaint(Edited({{"service: mgc, share: hq-logs", "service: mgc, share: dr-logs"},
                                {kBackup,
                                 "- {role: backup, host: dr-sql1, service: mgc, share: "
                                 "hq-logs}"}})),
              HasSubstr("primary: share: found dr-logs of site dr, wanted a share of site hq, "
                        "where hq-sql1 is"));
}

TEST(TopologyConfigTest, AcceptsOneShareOnlyWhereItOutlivesHome) {
  EXPECT_EQ(Complaint(Edited({{"share: hq-logs", "share: dr-logs"}})), "");
  EXPECT_THAT(Complaint(Edited({{"share: dr-logs", "share: hq-logs"}})),
              HasSubstr("share: found only hq-logs, at the home site"));
}

TEST(TopologyConfigTest, RefusesSharesThatAreOneFolderOrNoAbsolutePath) {
  EXPECT_THAT(
      Complaint(Edited({{"dr-logs: {site: dr, path: /srv/baton/dr-logs}",
                         "dr-logs: {site: dr, path: /a}\n  dr-old: {site: dr, path: /a}"}})),
      HasSubstr("share dr-old: path: found '/a', which is share dr-logs too"));
  EXPECT_THAT(Complaint(Edited({{"path: /srv/baton/dr-logs", "path: srv/dr"}})),
              HasSubstr("share dr-logs: path: found 'srv/dr', wanted an absolute path"));
  EXPECT_THAT(Complaint(Edited({{"path: /srv/baton/dr-logs", "path: /srv/../etc"}})),
              HasSubstr("wanted an absolute path without \"..\""));
}

TEST(TopologyConfigTest, RefusesActiveServersOverTheLimitOrNone) {
  EXPECT_THAT(Complaint(Edited({{"host: hq-chat2, service: prosody",
                                 "host: hq-chat2, service: prosody, active: true"}})),
              HasSubstr("active servers: found 2, wanted at most 1"));
  EXPECT_THAT(Complaint(Edited({{", active: true", ""}})),
              HasSubstr("active servers: found none, wanted from 1 to 1"));
  EXPECT_THAT(Complaint(Edited({{"active_servers: 1 ", "active_servers: 5 "}})),
              HasSubstr("active_servers: found '5', wanted a whole number from 1 to 4"));
}

TEST(TopologyConfigTest, RefusesSeveralActiveServersOfProsody) {
  EXPECT_THAT(Complaint(Edited({{"active_servers: 1 ", "active_servers: 2 "}})),
              HasSubstr("active_servers: found 2, wanted 1; correct it: Prosody doesn't cluster"));
}

TEST(TopologyConfigTest, RefusesActiveServersFarFromTheDatabase) {
  const std::string far = Edited(
      {{", active: true", ""},
       {"host: dr-chat1, service: prosody", "host: dr-chat1, service: prosody, active: true"}});
  EXPECT_THAT(Complaint(far), HasSubstr("active servers: found dr-chat1 at dr, far from the "
                                        "database, wanted servers at hq or at a site near it"));
  const std::string near = Edited(
      {{"kind: far", "kind: near"},
       {", active: true", ""},
       {"host: dr-chat1, service: prosody", "host: dr-chat1, service: prosody, active: true"}});
  EXPECT_EQ(Complaint(near), "");
}

TEST(TopologyConfigTest, RefusesABackupSiteWhereNothingCouldServe) {
  EXPECT_THAT(Complaint(Edited({{"- {host: dr-chat1, service: prosody}", ""},
                                {"- {host: dr-chat2, service: prosody}", ""}})),
              HasSubstr("chat: found no server at the backup site, wanted one at dr or near it"));
}

TEST(TopologyConfigTest, RefusesTheOnlyCoordinatorAtHomeUnlessAllowed) {
  const std::string text = Edited({{"co1: {site: witness", "co1: {site: hq"}});
  EXPECT_THAT(Complaint(text), HasSubstr("coordinator: found the only one at the home site hq"));
  EXPECT_EQ(Complaint(text, {.allow_coordinator_at_home = true}), "");
  EXPECT_THAT(Complaint(Edited({{", coordinator: true", ""}})),
              HasSubstr("coordinator: found no host that carries it"));
}

TEST(TopologyConfigTest, RefusesInPlainWordsWhatThisVersionCannotRun) {
  EXPECT_THAT(Complaint(Edited({{"mode: archive", "mode: streaming"}})),
              HasSubstr("this version of Baton can't ship logs by streaming"));
  EXPECT_THAT(Complaint(Edited({{"method: copy", "method: pgbackrest"}})),
              HasSubstr("this version of Baton can't ship logs with pgbackrest"));
  EXPECT_THAT(Complaint(Edited({{"fencing: operator", "fencing: lease"}})),
              HasSubstr("this version of Baton can't fence by lease"));
  EXPECT_THAT(Complaint(Edited({{"engine: postgresql", "engine: sqlserver"}})),
              HasSubstr("this version of Baton can't run SQL Server databases"));
  EXPECT_THAT(Complaint(Edited({{"engine: prosody", "engine: ejabberd"}})),
              HasSubstr("this version of Baton can't run ejabberd"));
  EXPECT_THAT(Complaint(Edited({{"policy: protect ",
                                 "mirror_loss: degrade\n        policy: "
                                 "protect "}})),
              HasSubstr("this version of Baton can't run mirrors"));
  EXPECT_THAT(Complaint(Edited({{kBackup,
                                 "- {role: backup, host: dr-sql1, service: mgc, share: dr-logs}\n"
                                 "          - {role: backup_mirror, host: dr-chat2, service: mgc, "
                                 "share: dr-logs}"}})),
              HasSubstr("backup_mirror: found a mirror, wanted roles primary and backup only; "
                        "remove it: this version of Baton can't run mirrors"));
}

TEST(TopologyConfigTest, RefusesWrongTimes) {
  for (const std::string wrong : {"30", "-5s", "0s", "inf", "200h", "soon", "[30s]"}) {
    EXPECT_THAT(Complaint(Edited({{"loss: 30s", "loss: " + wrong}})),
                HasSubstr("limits: loss: found "))
        << wrong;
  }
}

TEST(TopologyConfigTest, RefusesWrongFlagsAndNames) {
  EXPECT_THAT(Complaint(Edited({{"active: true", "active: yes"}})),
              HasSubstr("active: found 'yes', wanted true or false"));
  EXPECT_THAT(Complaint(Edited({{"host: dr-sql1, service: mgc", "host: dr-sql1, service: a/b"}})),
              HasSubstr("service: found 'a/b', wanted letters, digits"));
  EXPECT_THAT(Complaint(Edited({{"  dr-chat2: {site: dr}", "  \"-x\": {site: dr}"}})),
              HasSubstr("hosts: found '-x', wanted letters, digits"));
}

TEST(TopologyConfigTest, RefusesAnIgnoredDatabaseInTheClusterOfAProtectedOne) {
  const std::string text = Edited({{"    chat:\n",
                                    "      mgccomp:\n"
                                    "        policy: ignore\n"
                                    "        engine: postgresql\n"
                                    "        instances:\n"
                                    "          - {role: primary, host: hq-sql1, service: mgc}\n"
                                    "    chat:\n"}});
  EXPECT_THAT(Complaint(text), HasSubstr("PostgreSQL ships whole clusters"));
  const std::string apart = Edited({{"    chat:\n",
                                     "      mgccomp:\n"
                                     "        policy: ignore\n"
                                     "        engine: postgresql\n"
                                     "        instances:\n"
                                     "          - {role: primary, host: hq-sql1, service: comp}\n"
                                     "    chat:\n"}});
  EXPECT_EQ(Complaint(apart), "");
}

TEST(TopologyConfigTest, RefusesTwoInstancesOfOneDatabaseOnAHost) {
  EXPECT_THAT(Complaint(Edited({{kBackup,
                                 "- {role: backup, host: hq-sql1, service: mgc2, share: "
                                 "hq-logs}"}})),
              HasSubstr("two instances on host hq-sql1, wanted one a host"));
}

TEST(TopologyConfigTest, RefusesOneServiceTwiceOnAHost) {
  EXPECT_THAT(
      Complaint(Edited({{"host: hq-chat2, service: prosody", "host: hq-chat1, service: prosody"}})),
      HasSubstr("service hq-chat1/prosody: found it in pool chat.example.com, chat and in "
                "pool chat.example.com, chat, wanted one use"));
}

TEST(TopologyConfigTest, RefusesAPoolThatProtectsNothing) {
  EXPECT_THAT(Complaint(Edited({{"policy: protect ", "policy: ignore "}})),
              HasSubstr("databases: found none to protect"));
}

TEST(TopologyConfigTest, ComplainsOnceOfWhatCouldNotBeRead) {
  const std::string complaint = Complaint(Edited({{"role: backup", "role: understudy"}}));
  EXPECT_THAT(complaint, HasSubstr("role: found 'understudy', wanted primary, primary_mirror, "
                                   "backup or backup_mirror"));
  EXPECT_THAT(complaint, Not(HasSubstr("\n")));
}

TEST(TopologyConfigTest, PointsAtTheLineThatIsNoYaml) {
  EXPECT_THAT(Complaint(Edited({{"hosts:\n", "hosts: [\n"}})),
              MatchesRegex("t.yaml:[0-9]+: this line: found no YAML .*"));
  EXPECT_THAT(Complaint(""), HasSubstr("found nothing in it, wanted a topology"));
  EXPECT_THAT(Complaint("- a\n- b\n"), HasSubstr("found a list, wanted a mapping"));
}

}  // namespace
}  // namespace baton
