#include "coordinator/cli/client.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cli/fake_console.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_messages.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

const grpc::Status kAway(grpc::StatusCode::UNAVAILABLE, "connection refused");

class ClientTest : public ::testing::Test {
 protected:
  Client Make(absl::Duration timeout = absl::Seconds(30)) {
    return Client({{"first:1", first_.Channel()}, {"second:2", second_.Channel()}},
                  terminal_.terminal(), timeout, 1);
  }

  FakeCoordinator first_;
  FakeCoordinator second_;
  FakeTerminal terminal_;
};

TEST_F(ClientTest, TriesTheNextAddressWhenOneIsAway) {
  first_.FailNext(kAway, 100);
  second_.SetPools(SamplePools());
  Client client = Make();
  const auto pools = client.ListPools(v1::ListPoolsRequest());
  ASSERT_TRUE(pools.ok()) << pools.status();
  EXPECT_EQ(pools->pools_size(), 1);
  EXPECT_EQ(client.address(), "second:2");
}

TEST_F(ClientTest, AsksAgainWithTheSameRequestId) {
  first_.FailNext(kAway, 2);
  second_.FailNext(kAway, 2);
  Client client = Make();
  v1::CreatePlanRequest request;
  request.set_request_id("r1");
  EXPECT_TRUE(client.CreatePlan(request).ok());
  ASSERT_EQ(first_.create_requests().size(), 3u);
  for (const v1::CreatePlanRequest& seen : first_.create_requests()) {
    EXPECT_EQ(seen.request_id(), "r1");
  }
}

TEST_F(ClientTest, GivesUpWithEveryAddressAndARemedy) {
  first_.FailNext(kAway, 100);
  second_.FailNext(kAway, 100);
  Client client = Make();
  const absl::Status status = client.GetTopology(v1::GetTopologyRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no coordinator answers: tried first:1, second:2 (connection refused); "
                        "start baton-coordinator, or name its address with --coordinator"));
}

TEST_F(ClientTest, DoesNotRepeatWhatWasAnswered) {
  first_.FailNext(grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "a plan runs"));
  Client client = Make();
  const absl::Status status = client.CreatePlan(v1::CreatePlanRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(first_.create_requests().size() + second_.create_requests().size(), 1u);
}

TEST_F(ClientTest, AnOlderCoordinatorIsNamed) {
  first_.FailNext(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""));
  Client client = Make();
  EXPECT_THAT(std::string(client.PausePlan(v1::OperatePlanRequest()).status().message()),
              HasSubstr("the coordinator at first:1 knows no such call: it is older"));
}

TEST_F(ClientTest, AStreamEndsWithItsStatus) {
  Client client = Make();
  v1::WatchEventsRequest request;
  request.set_follow(true);
  const std::unique_ptr<EventStream> stream = client.WatchEvents(request);
  v1::Event event;
  EXPECT_EQ(stream->Next(&event, terminal_.clock.Now()), EventStream::Result::kTimeout);
  ASSERT_TRUE(first_.WaitForStreams(1));
  event.set_sequence(7);
  first_.AddEvent(event);
  event.Clear();
  ASSERT_EQ(stream->Next(&event, absl::InfiniteFuture()), EventStream::Result::kEvent);
  EXPECT_EQ(event.sequence(), 7u);
  first_.EndStreams(kAway);
  EXPECT_EQ(stream->Next(&event, absl::InfiniteFuture()), EventStream::Result::kEnded);
  EXPECT_EQ(stream->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(stream->Next(&event, absl::InfiniteFuture()), EventStream::Result::kEnded);
}

TEST_F(ClientTest, AStreamCanBeCancelled) {
  Client client = Make();
  v1::WatchEventsRequest request;
  request.set_follow(true);
  const std::unique_ptr<EventStream> stream = client.WatchEvents(request);
  stream->Cancel();
  v1::Event event;
  EXPECT_EQ(stream->Next(&event, absl::InfiniteFuture()), EventStream::Result::kEnded);
  EXPECT_EQ(stream->status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace baton
