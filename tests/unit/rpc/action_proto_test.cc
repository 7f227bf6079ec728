#include "common/rpc/action_proto.h"

#include <utility>

#include "gtest/gtest.h"

namespace baton {
namespace {

const Lineage kFirst{"73", {1, 1}, HostId("hq-sql1"), ShareId("hq-logs"), LogPosition{1, 0x300}};
const Lineage kSecond{"73", {1, 2}, HostId("dr-sql1"), ShareId("dr-logs"), std::nullopt};

// One of each, in the variant's order.
std::vector<Action> AllActions() {
  return {CheckDatabase{InstanceRole::kBackupMirror, "73", true, false},
          EndConnections{},
          Fence{},
          Unfence{kFirst},
          Start{},
          Stop{},
          StartStandby{{kFirst, kSecond}},
          ShipTail{},
          CopyPendingLogs{{kFirst}},
          ApplyPendingLogs{{1, 0x300}, true},
          Recover{kSecond, true, {kFirst}},
          StopLogShipping{{kFirst, kSecond}, true, {1, 0x3000}},
          SalvageLogs{kFirst, "/mnt/dead/data"},
          ConfigureLogShipping{true},
          Seed{HostId("hq-sql1"), "73"},
          Quarantine{"73", {2, 0x300}, "mgc-1", 512},
          RemoveQuarantine{"mgc-1"},
          CheckChat{false},
          Drain{},
          Deactivate{},
          Activate{},
          PointAt{HostId("dr-sql1")},
          Canary{}};
}

// Actions have no equality of their own: what they are made of is compared through their proto and
// through each field that a proto could lose.
TEST(ActionProtoTest, EveryActionSurvivesTheRoundTrip) {
  const std::vector<Action> actions = AllActions();
  ASSERT_EQ(actions.size(), std::variant_size_v<Action>);
  for (size_t i = 0; i < actions.size(); ++i) {
    ASSERT_EQ(actions[i].index(), i);
    const absl::StatusOr<Action> back = FromProto(ToProto(actions[i]));
    ASSERT_TRUE(back.ok()) << ActionName(actions[i]) << ": " << back.status();
    EXPECT_EQ(back->index(), i);
    EXPECT_EQ(Describe(*back), Describe(actions[i]));
    EXPECT_EQ(ToProto(*back).SerializeAsString(), ToProto(actions[i]).SerializeAsString());
  }
  const auto check = std::get<CheckDatabase>(FromProto(ToProto(actions[0])).value());
  EXPECT_EQ(check.role, InstanceRole::kBackupMirror);
  EXPECT_EQ(check.system_id, "73");
  EXPECT_TRUE(check.checkpoint);
  EXPECT_FALSE(check.running);
  EXPECT_EQ(std::get<Unfence>(FromProto(ToProto(actions[3])).value()).write, kFirst);
  EXPECT_EQ(std::get<StartStandby>(FromProto(ToProto(actions[6])).value()).fetch,
            (std::vector<Lineage>{kFirst, kSecond}));
  EXPECT_EQ(std::get<CopyPendingLogs>(FromProto(ToProto(actions[8])).value()).fetch,
            std::vector<Lineage>{kFirst});
  EXPECT_EQ(std::get<ApplyPendingLogs>(FromProto(ToProto(actions[9])).value()).until,
            (LogPosition{1, 0x300}));
  EXPECT_EQ(std::get<Recover>(FromProto(ToProto(actions[10])).value()).write, kSecond);
  EXPECT_FALSE(std::get<CheckChat>(FromProto(ToProto(actions[17])).value()).running);
  EXPECT_EQ(std::get<PointAt>(FromProto(ToProto(actions[21])).value()).instance, HostId("dr-sql1"));
}

TEST(ActionProtoTest, CommandsSurviveTheRoundTrip) {
  const Command command{
      CommandId("c1"), PlanId("p1"), PoolId("pool"),           ResourceId("mgc"),
      {1, 2},          42,           absl::Milliseconds(1500), PointAt{HostId("x")}};
  const absl::StatusOr<Command> back = FromProto(ToProto(command));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->id, command.id);
  EXPECT_EQ(back->plan, command.plan);
  EXPECT_EQ(back->pool, command.pool);
  EXPECT_EQ(back->resource, command.resource);
  EXPECT_EQ(back->epoch, command.epoch);
  EXPECT_EQ(back->sequence, command.sequence);
  EXPECT_EQ(back->timeout, command.timeout);
  EXPECT_EQ(Describe(back->action), Describe(command.action));
}

TEST(ActionProtoTest, RefusesAnActionOfAnotherVersion) {
  const absl::StatusOr<Action> back = FromProto(v1::Action());
  EXPECT_EQ(back.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(back.status().message(), "action.kind: not set");
  v1::Action role;
  role.mutable_check_database()->set_role(static_cast<v1::InstanceRole>(9));
  EXPECT_EQ(FromProto(role).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ActionProtoTest, RefusesEndlessLists) {
  v1::Action action;
  for (int i = 0; i < 5000; ++i) action.mutable_start_standby()->add_fetch()->set_instance("h");
  EXPECT_EQ(FromProto(action).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace baton
