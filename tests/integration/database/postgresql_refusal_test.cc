// What the actions refuse, and what the probe and the dry run name.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// One world for all: each test leaves it as it found it, a primary at home and a standby away.
class RefusalTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = new World(); }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }
  static World& world() { return *world_; }
  static Site& home() { return world_->home(); }
  static Site& away() { return world_->away(); }

  static void ExpectRefused(const Outcome& outcome, const std::string& reason) {
    EXPECT_EQ(outcome.code, OutcomeCode::kRefused) << outcome.message;
    EXPECT_EQ(outcome.reason, reason) << outcome.message;
  }

  static World* world_;
};
World* RefusalTest::world_ = nullptr;

TEST_F(RefusalTest, AnotherClusterIsNamed) {
  const Outcome checked =
      world().Do(home(), CheckDatabase{InstanceRole::kPrimary, "4711", false, true});
  EXPECT_EQ(checked.reason, "WRONG_SYSTEM_ID");
  EXPECT_THAT(checked.message, AllOf(HasSubstr("4711"), HasSubstr(world().system_id())));
  Lineage other = world().LineageOf(away());
  other.system_id = "4711";
  ExpectRefused(world().Do(away(), Recover{other}), "WRONG_SYSTEM_ID");
}

TEST_F(RefusalTest, AnotherRoleIsNamed) {
  EXPECT_EQ(world().Do(away(), CheckDatabase{InstanceRole::kPrimary, "", false, true}).reason,
            "WRONG_ROLE");
  EXPECT_EQ(world().Do(home(), CheckDatabase{InstanceRole::kBackup, "", false, true}).reason,
            "WRONG_ROLE");
}

TEST_F(RefusalTest, UnsafeSettingsAreNamed) {
  std::ofstream(home().folder + "/etc/extra.conf") << "fsync = off\n";
  world().Sql(home(), "SELECT pg_reload_conf()");
  world().Eventually("fsync=off is seen", [] {
    return world().Observe(home()).database()->problem.find("fsync") != std::string::npos;
  });
  EXPECT_EQ(world().Do(home(), CheckDatabase{InstanceRole::kPrimary, "", false, true}).reason,
            "UNSAFE_SETTINGS");
  std::filesystem::remove(home().folder + "/etc/extra.conf");
  world().Sql(home(), "SELECT pg_reload_conf()");
  world().Eventually("it is safe again",
                     [] { return world().Observe(home()).database()->problem.empty(); });
}

TEST_F(RefusalTest, AWeakerCommitOfOneRoleIsNamed) {
  world().Sql(home(), "CREATE ROLE chat LOGIN");
  world().Sql(home(), "ALTER ROLE chat SET synchronous_commit = off");
  EXPECT_THAT(world().Observe(home()).database()->problem,
              AllOf(HasSubstr("synchronous_commit"), HasSubstr("role chat")));
  world().Sql(home(), "DROP ROLE chat");
}

TEST_F(RefusalTest, APrimaryIsNeitherShippedNorMadeToFollowUnfenced) {
  ExpectRefused(world().Do(home(), ShipTail{}), "NOT_FENCED");
  ExpectRefused(world().Do(home(), StartStandby{world().lineages()}), "RUNS_WRITABLE");
  ExpectRefused(world().Do(home(), CopyPendingLogs{world().lineages()}), "HOLDS_THE_RIGHT");
  ExpectRefused(world().Do(home(), ApplyPendingLogs{LogPosition{1, 1}}), "NOT_IN_RECOVERY");
}

TEST_F(RefusalTest, AStandbyIsNeverUnfencedNorShipped) {
  ExpectRefused(world().Do(away(), Unfence{world().LineageOf(away())}), "IS_A_STANDBY");
  ExpectRefused(world().Do(away(), ShipTail{}), "NO_RIGHT");
  EXPECT_EQ(world().Observe(away()).database()->state, DatabaseState::kStandby);
}

TEST_F(RefusalTest, AnEpochBelowTheFenceIsRefused) {
  absl::StatusOr<FenceRecord> record = away().fences->Read();
  ASSERT_TRUE(record.ok());
  Lineage lineage = world().LineageOf(away());
  record->fence_epoch = {1, 9};
  ASSERT_TRUE(away().fences->Write(*record).ok());
  ExpectRefused(world().Do(away(), Recover{lineage}), "STALE_EPOCH");
  ExpectRefused(world().Do(away(), Fence{}), "STALE_EPOCH");
  ExpectRefused(world().Do(away(), CopyPendingLogs{world().lineages()}), "STALE_EPOCH");
  ExpectRefused(world().Do(away(), StartStandby{world().lineages()}), "STALE_EPOCH");
  EXPECT_EQ(world().Observe(away()).database()->state, DatabaseState::kStandby);
  while (world().epoch() < Epoch{1, 9}) world().NextEpoch();
}

TEST_F(RefusalTest, AWaitThatEndsWithoutTheLogSaysWhatItWaitsFor) {
  const Outcome applied = world().Do(away(), ApplyPendingLogs{LogPosition{1, uint64_t{1} << 40}},
                                     absl::Milliseconds(700));
  EXPECT_EQ(applied.code, OutcomeCode::kFailed);
  EXPECT_THAT(applied.message, AllOf(HasSubstr("1:100/0"), HasSubstr("startup")));
}

TEST_F(RefusalTest, DryRunsFindWhatTheActionsWillNeed) {
  for (const Action& action :
       std::vector<Action>{EndConnections{}, Fence{}, ShipTail{},
                           CheckDatabase{InstanceRole::kPrimary, "", true, true}}) {
    const Outcome outcome = world().Check(home(), action);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
  }
  for (const Action& action :
       std::vector<Action>{CopyPendingLogs{}, ApplyPendingLogs{}, Recover{}, StartStandby{},
                           CheckDatabase{InstanceRole::kBackup, "", true, true}}) {
    const Outcome outcome = world().Check(away(), action);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
  }
  EXPECT_EQ(world().Check(home(), Recover{}).reason, "NOT_IN_RECOVERY");
  EXPECT_EQ(world().Check(home(), Drain{}).reason, "NOT_A_DATABASE_ACTION");
  EXPECT_EQ(world().Observe(home()).database()->state, DatabaseState::kPrimary);
}

TEST_F(RefusalTest, AServerThatTheGateNeverSawIsNamed) {
  ASSERT_TRUE(world().Do(away(), Stop{}).ok());
  PgCtl(away(), {"start", "-w", "-l", away().folder + "/past_the_gate.log", "-o",
                 "-c config_file=" + away().folder + "/etc/postgresql.conf"});
  const Outcome checked =
      world().Do(away(), CheckDatabase{InstanceRole::kBackup, world().system_id(), false, true});
  PgCtl(away(), {"stop", "-w", "-m", "fast"});
  EXPECT_EQ(checked.reason, "STARTED_PAST_THE_GATE") << checked.message;
  EXPECT_TRUE(world().Do(away(), Start{}).ok());
}

TEST_F(RefusalTest, AShareWithoutItsMarkerIsNamed) {
  const std::string marker = home().share_path() + "/.baton-share";
  std::filesystem::rename(marker, marker + ".away");
  const Outcome checked = world().Check(home(), ShipTail{});
  std::filesystem::rename(marker + ".away", marker);
  EXPECT_EQ(checked.code, OutcomeCode::kFailed);
  EXPECT_THAT(checked.message, HasSubstr("home-share"));
}

// An agent that starts after its fence file was lost writes it anew from its ledger, closed.
TEST_F(RefusalTest, ALostFenceFileIsNoLogShippedToItsEnd) {
  world().NextEpoch();
  ASSERT_TRUE(world().Do(home(), Fence{}).ok());
  FenceRecord record = *home().fences->Read();
  record.phase = FencePhase::kClosed;
  ASSERT_TRUE(home().fences->Write(record).ok());
  world().NextEpoch();
  const Outcome back = world().Do(home(), Unfence{world().LineageOf(home())});
  ASSERT_TRUE(back.ok()) << back.message;
  EXPECT_EQ(world().Observe(home()).database()->state, DatabaseState::kPrimary);
}

TEST_F(RefusalTest, ALogShippedToItsEndIsNotGoneOnWith) {
  world().NextEpoch();
  ASSERT_TRUE(world().Do(home(), Fence{}).ok());
  ASSERT_TRUE(world().Do(home(), ShipTail{}).ok());
  world().NextEpoch();
  ExpectRefused(world().Do(home(), Unfence{world().LineageOf(home())}), "SHIPPED_TO_ITS_END");
  // What remains is to follow, and to be promoted.
  const Lineage lineage = world().LineageOf(home());
  const Outcome standby = world().Do(home(), StartStandby{{}});
  ASSERT_TRUE(standby.ok()) << standby.message;
  const Outcome recovered = world().Do(home(), Recover{lineage});
  ASSERT_TRUE(recovered.ok()) << recovered.message;
  EXPECT_EQ(recovered.position->timeline, 2u);
}

}  // namespace
}  // namespace baton::test
