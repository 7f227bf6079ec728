#include "common/rpc/protocol_proto.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

Observation DatabaseSeen() {
  Observation seen;
  seen.resource = ResourceId("mgc");
  seen.pool = PoolId("chat.example.com");
  seen.fence = {FencePhase::kClosing, {2, 7}, {2, 6}, true, true, LogPosition{3, 0x13000028}};
  DatabaseObservation database;
  database.state = DatabaseState::kStandby;
  database.system_id = "7300000000000000001";
  database.version = "15.18";
  database.position = {3, 0x13000060};
  database.clean_shutdown = true;
  database.in_recovery = true;
  database.standby_signal = true;
  database.archiving = true;
  database.last_archived = "000000030000000000000012";
  database.archive_failure = "share is full";
  database.ready_files = 4;
  database.lag_bytes = 1 << 20;
  database.lag = absl::Milliseconds(1500);
  database.client_sessions = 12;
  database.problem = "fsync is off";
  QuarantineEntry entry;
  entry.name = "1.2";
  entry.fork = {2, 0x5000000};
  entry.end = {1, 0x5004000};
  for (const std::optional<uint64_t> commits : std::vector<std::optional<uint64_t>>{{}, 0, 12}) {
    entry.commits = commits;
    database.quarantine.push_back(entry);
  }
  seen.detail = database;
  seen.service_managed = true;
  seen.age = absl::Nanoseconds(1'250'000'001);
  return seen;
}

Observation ChatSeen() {
  Observation seen;
  seen.resource = ResourceId("prosody");
  seen.pool = PoolId("chat.example.com");
  seen.fence.phase = FencePhase::kUnconfirmed;
  ChatObservation chat;
  chat.state = ChatState::kDraining;
  chat.points_at = HostId("dr-sql1");
  chat.users = 3;
  chat.sessions = 5;
  chat.rooms = 2;
  chat.problem = "";
  seen.detail = chat;
  return seen;
}

TEST(ProtocolProtoTest, ObservationsSurviveTheRoundTrip) {
  Observation nothing;
  nothing.resource = ResourceId("mgc");
  nothing.pool = PoolId("p");
  for (const Observation& seen : {DatabaseSeen(), ChatSeen(), nothing}) {
    const absl::StatusOr<Observation> back = FromProto(ToProto(seen));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, seen);
  }
}

TEST(ProtocolProtoTest, EveryEnumValueSurvivesTheRoundTrip) {
  for (int i = 0; i < 5; ++i) {
    DatabaseObservation database;
    database.state = static_cast<DatabaseState>(i);
    EXPECT_EQ(FromProto(ToProto(database)).value(), database);
    EXPECT_EQ(FromProto(ToProto(static_cast<OutcomeCode>(i))).value(), static_cast<OutcomeCode>(i));
  }
  for (int i = 0; i < 4; ++i) {
    ChatObservation chat;
    chat.state = static_cast<ChatState>(i);
    EXPECT_EQ(FromProto(ToProto(chat)).value(), chat);
    EXPECT_EQ(FromProto(ToProto(static_cast<FencePhase>(i))).value(), static_cast<FencePhase>(i));
  }
}

TEST(ProtocolProtoTest, OutcomesSurviveTheRoundTrip) {
  Outcome bare = FailedOutcome("TIMED_OUT", "the standby applied 1:0/3000060, wanted 1:0/4000000");
  Outcome full = OkOutcome();
  full.position = LogPosition{2, 77};
  full.system_id = "73";
  full.bytes = 1024;
  full.observation = DatabaseSeen();
  for (const Outcome& outcome : {bare, full}) {
    const absl::StatusOr<Outcome> back = FromProto(ToProto(outcome));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, outcome);
  }
}

TEST(ProtocolProtoTest, LineagesKeepTheDifferenceBetweenUnsealedAndSealedAtZero) {
  Lineage lineage{"73", {1, 2}, HostId("hq-sql1"), ShareId("hq-logs"), std::nullopt};
  EXPECT_EQ(FromProto(ToProto(lineage)).value(), lineage);
  lineage.sealed = LogPosition{};
  EXPECT_EQ(FromProto(ToProto(lineage)).value(), lineage);
}

TEST(ProtocolProtoTest, RefusesUnknownValuesNamingTheField) {
  v1::Observation proto = ToProto(DatabaseSeen());
  proto.mutable_database()->set_state(static_cast<v1::DatabaseState>(99));
  const absl::StatusOr<Observation> back = FromProto(proto);
  EXPECT_EQ(back.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(back.status().ToString().find("observation.database.state: unknown value 99"),
            std::string::npos)
      << back.status();
  EXPECT_EQ(FromProto(v1::Outcome()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ProtocolProtoTest, RefusesUnboundedTextAndNegativeAges) {
  v1::Observation proto = ToProto(ChatSeen());
  proto.set_resource(std::string(100'000, 'x'));
  EXPECT_EQ(FromProto(proto).status().code(), absl::StatusCode::kInvalidArgument);
  proto = ToProto(ChatSeen());
  proto.mutable_age()->set_seconds(-1);
  EXPECT_EQ(FromProto(proto).status().code(), absl::StatusCode::kInvalidArgument);
  proto = ToProto(ChatSeen());
  proto.clear_pool();
  EXPECT_EQ(FromProto(proto).status().message(), "observation.pool: not set");
}

TEST(ProtocolProtoTest, OutputOfProgramsIsMadeFitForTheWire) {
  Outcome outcome = FailedOutcome("X", "caf\xe9 " + std::string(100'000, 'y'));
  const v1::Outcome proto = ToProto(outcome);
  v1::Outcome parsed;
  ASSERT_TRUE(parsed.ParseFromString(proto.SerializeAsString()));
  const absl::StatusOr<Outcome> back = FromProto(parsed);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->message.substr(0, 5), "caf? ");
}

TEST(ProtocolProtoTest, InfiniteDurationsTravelAsTheLongestThatFits) {
  EXPECT_TRUE(FromProto("d", ToProto(absl::InfiniteDuration())).ok());
  const absl::Time time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(FromProto("t", ToProto(time)).value(), time);
  EXPECT_TRUE(FromProto("t", ToProto(absl::InfiniteFuture())).ok());
}

}  // namespace
}  // namespace baton
