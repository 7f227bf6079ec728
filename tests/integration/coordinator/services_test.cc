#include <set>
#include <string>

#include "gtest/gtest.h"

#include "common/rpc/status_proto.h"
#include "tests/integration/coordinator/world.h"

namespace baton::testing {
namespace {

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(ServicesTest, ATopologyIsAppliedOncePerRequestAndAcrossRestarts) {
  World world;
  const absl::StatusOr<v1::Topology> first = world.Apply(SampleText(), "r1");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->revision(), 1u);
  EXPECT_GT(first->changes_size(), 0);
  EXPECT_EQ(world.Apply("nonsense", "r1").value().revision(), 1u) << "the same request again";
  EXPECT_EQ(world.Apply(SampleText(), "r2").value().revision(), 1u) << "nothing changes";
  const std::string shorter = Replaced(SampleText(), "loss: 30s", "loss: 20s");
  EXPECT_EQ(world.Apply(shorter, "r3").value().revision(), 2u);
  world.coordinator.Stop();
  ASSERT_TRUE(world.coordinator.Start().ok());
  EXPECT_EQ(world.Apply("nonsense", "r3").value().revision(), 2u);
  EXPECT_EQ(world.Apply(SampleText(), "r4").value().revision(), 3u);
}

TEST(ServicesTest, ARefusedTopologyNamesFileLineAndChangesNothing) {
  World world;
  const absl::Status status =
      world.Apply(Replaced(SampleText(), "host: dr-sql1", "host: nowhere"), "r1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.ToString().find("topology.yaml:"), std::string::npos) << status;
  EXPECT_NE(status.ToString().find("nowhere"), std::string::npos) << status;
  EXPECT_EQ(world.Pool().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world.Apply(SampleText(), "").status().message(), "request_id: not set");
}

TEST(ServicesTest, WhatHoldsARightCannotBeRemoved) {
  World world;
  world.Adopt();
  ASSERT_EQ(world.Writers(), std::vector<std::string>{"hq-sql1"});
  const absl::Status status =
      world.Apply(Replaced(SampleText(), "hq-sql1", "hq-sql9"), "r2").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.ToString().find("hq-sql1: holds the right to write"), std::string::npos)
      << status;
}

TEST(ServicesTest, ARightIsNotHandedToAnotherServiceByRenamingIt) {
  World world;
  world.Adopt();
  const std::string renamed =
      Replaced(SampleText(), "host: hq-sql1, service: mgc", "host: hq-sql1, service: mgc2");
  ASSERT_NE(renamed, SampleText());
  const absl::Status status = world.Apply(renamed, "r2").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.ToString().find("hq-sql1: holds the right to write"), std::string::npos)
      << status;
}

TEST(ServicesTest, ATopologyThatChangesAnythingNeedsAReasonAndKeepsIt) {
  World world;
  const absl::Status refused = world.Apply(SampleText(), "r1", "").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.ToString().find("--reason"), std::string::npos) << refused;
  EXPECT_EQ(world.Apply(SampleText(), "r1", "first installation").value().reason(),
            "first installation");
  EXPECT_EQ(world.Apply(SampleText(), "r2", "").value().revision(), 1u)
      << "nothing changes, so nothing needs a reason";
}

TEST(ServicesTest, APlanIsMadeOncePerRequestAndAcrossRestarts) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready()) << world.AwaitReady().DebugString();
  const auto first = world.Create(v1::PLAN_KIND_SWITCHOVER, "move-1");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(first->has_plan()) << first->DebugString();
  EXPECT_EQ(world.Create(v1::PLAN_KIND_SWITCHOVER, "move-1")->plan().name(), first->plan().name());
  EXPECT_EQ(world.AwaitRest(first->plan().name()).state(), v1::PLAN_STATE_SUCCEEDED);
  world.coordinator.Stop();
  ASSERT_TRUE(world.coordinator.Start().ok());
  EXPECT_EQ(world.Create(v1::PLAN_KIND_SWITCHOVER, "move-1")->plan().name(), first->plan().name());
  EXPECT_EQ(world.Get(first->plan().name())->state(), v1::PLAN_STATE_SUCCEEDED);
}

TEST(ServicesTest, PlansNeedAPoolAReasonAndARequestId) {
  World world;
  EXPECT_EQ(ErrorReason(world.Create(v1::PLAN_KIND_ADOPT, "r").status()), "NO_TOPOLOGY");
  ASSERT_TRUE(world.Apply(SampleText(), "r1").ok());
  EXPECT_EQ(world.Create(v1::PLAN_KIND_ADOPT, "").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(world.Create(v1::PLAN_KIND_UNSPECIFIED, "r").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(world.Get("nothing").status().code(), absl::StatusCode::kNotFound);
}

TEST(ServicesTest, ARefusedPlanTellsEveryReason) {
  World world;
  ASSERT_TRUE(world.Apply(SampleText(), "r1").ok());
  const auto refused = world.Create(v1::PLAN_KIND_ADOPT, "adopt");
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_FALSE(refused->has_plan());
  std::set<std::string> subjects;
  for (const v1::Refusal& refusal : refused->refusals()) subjects.insert(refusal.subject());
  EXPECT_TRUE(subjects.contains("hq-sql1")) << refused->DebugString();
  EXPECT_TRUE(subjects.contains("dr-sql1")) << refused->DebugString();
}

TEST(ServicesTest, ADryRunAsksTheAgentsAndChangesNothing) {
  World world;
  world.Adopt();
  ASSERT_TRUE(world.AwaitReady().switchover_ready());
  const size_t events = world.Events(1).size();
  const auto fine = world.Create(v1::PLAN_KIND_SWITCHOVER, "", true);
  ASSERT_TRUE(fine.ok()) << fine.status();
  EXPECT_TRUE(fine->refusals().empty()) << fine->DebugString();
  EXPECT_GT(fine->plan().steps_size(), 10);
  world.agent("dr-sql1").Refuse("Recover", RefusedOutcome("DISK_FULL", "found 1 MB free"));
  const auto refused = world.Create(v1::PLAN_KIND_SWITCHOVER, "", true);
  ASSERT_EQ(refused->refusals_size(), 1) << refused->DebugString();
  EXPECT_EQ(refused->refusals(0).rule(), "DISK_FULL");
  EXPECT_EQ(refused->refusals(0).subject(), "dr-sql1/mgc");
  EXPECT_EQ(world.Writers(), std::vector<std::string>{"hq-sql1"});
  EXPECT_EQ(world.Events(1).size(), events);
}

TEST(ServicesTest, EventsAreResumedFromAnyNumberWithoutGapOrRepeat) {
  World world;
  world.Adopt();
  const std::vector<v1::Event> all = world.Events(0);
  ASSERT_GT(all.size(), 20u);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].sequence(), i + 1);
  world.coordinator.Stop();
  ASSERT_TRUE(world.coordinator.Start().ok());
  const std::vector<v1::Event> rest = world.Events(11);
  ASSERT_GE(rest.size(), all.size() - 10);
  for (size_t i = 10; i < all.size(); ++i) {
    EXPECT_EQ(rest[i - 10].sequence(), i + 1);
    EXPECT_EQ(rest[i - 10].text(), all[i].text());
  }
}

TEST(ServicesTest, AFutureEventIsOutOfRange) {
  World world;
  const auto stub = v1::EventService::NewStub(world.coordinator.Channel());
  grpc::ClientContext context;
  v1::WatchEventsRequest request;
  request.set_from_sequence(1000);
  const auto stream = stub->WatchEvents(&context, request);
  v1::Event event;
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST(ServicesTest, AFollowerHearsWhatHappensNext) {
  World world;
  const auto stub = v1::EventService::NewStub(world.coordinator.Channel());
  grpc::ClientContext context;
  v1::WatchEventsRequest request;
  request.set_follow(true);
  const auto stream = stub->WatchEvents(&context, request);
  ASSERT_TRUE(world.Apply(SampleText(), "r1").ok());
  v1::Event event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.kind(), "TOPOLOGY_APPLIED");
  ASSERT_TRUE(world.Apply(Replaced(SampleText(), "loss: 30s", "loss: 20s"), "r2").ok());
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.sequence(), 2u);
  context.TryCancel();
  stream->Finish();
}

}  // namespace
}  // namespace baton::testing
