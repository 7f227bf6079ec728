#include "common/rpc/outbox.h"

#include "gtest/gtest.h"

#include "baton/v1/agent_session.pb.h"
#include "common/rpc/report_merge.h"

namespace baton {
namespace {

constexpr int kHeartbeatSlot = 1;
constexpr int kReportSlot = 2;

v1::AgentMessage Accepted(const std::string& id) {
  v1::AgentMessage message;
  message.mutable_accepted()->set_command(id);
  return message;
}

v1::AgentMessage ReportOf(const std::string& resource, uint64_t users, bool full = false) {
  v1::AgentMessage message;
  message.mutable_report()->set_full(full);
  message.mutable_report()->mutable_clock_time()->set_seconds(static_cast<int64_t>(users));
  v1::Observation& seen = *message.mutable_report()->add_observations();
  seen.set_resource(resource);
  seen.mutable_chat()->set_users(users);
  return message;
}

TEST(OutboxTest, OneWriteIsInFlightAndOrderIsKept) {
  Outbox<v1::AgentMessage> outbox;
  const v1::AgentMessage* first = outbox.Push(Accepted("a")).value();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(outbox.Push(Accepted("b")).value(), nullptr);
  EXPECT_EQ(first->accepted().command(), "a");
  const v1::AgentMessage* second = outbox.WriteDone();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->accepted().command(), "b");
  EXPECT_EQ(outbox.WriteDone(), nullptr);
  EXPECT_FALSE(outbox.in_flight());
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST(OutboxTest, RefusesWhatAPeerThatDoesNotReadWouldPileUp) {
  Outbox<v1::AgentMessage> outbox({.bytes = 1000, .messages = 3});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(outbox.Push(Accepted("a")).ok());
  EXPECT_EQ(outbox.Push(Accepted("a")).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(outbox.messages(), 3u);
  Outbox<v1::AgentMessage> small({.bytes = 100, .messages = 1000});
  ASSERT_TRUE(small.Push(Accepted(std::string(200, 'x'))).ok());
  EXPECT_EQ(small.Push(Accepted("a")).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(OutboxTest, ANewerHeartbeatReplacesAWaitingOneButNotTheOneInFlight) {
  Outbox<v1::AgentMessage> outbox;
  v1::AgentMessage heartbeat;
  heartbeat.mutable_heartbeat()->mutable_age()->set_seconds(1);
  const v1::AgentMessage* in_flight = outbox.Push(heartbeat, kHeartbeatSlot).value();
  for (int age = 2; age < 100; ++age) {
    heartbeat.mutable_heartbeat()->mutable_age()->set_seconds(age);
    EXPECT_EQ(outbox.Push(heartbeat, kHeartbeatSlot).value(), nullptr);
  }
  EXPECT_EQ(in_flight->heartbeat().age().seconds(), 1);
  EXPECT_EQ(outbox.messages(), 2u);
  EXPECT_EQ(outbox.WriteDone()->heartbeat().age().seconds(), 99);
}

TEST(OutboxTest, WaitingReportsBecomeOneWithTheNewestOfEachResource) {
  Outbox<v1::AgentMessage> outbox;
  ASSERT_TRUE(outbox.Push(Accepted("in flight")).ok());
  ASSERT_TRUE(outbox.Push(ReportOf("prosody", 1, true), kReportSlot, MergeReports).ok());
  ASSERT_TRUE(outbox.Push(ReportOf("prosody", 2), kReportSlot, MergeReports).ok());
  ASSERT_TRUE(outbox.Push(ReportOf("mgc", 3), kReportSlot, MergeReports).ok());
  const size_t merged = outbox.bytes();
  const v1::AgentMessage* report = outbox.WriteDone();
  ASSERT_NE(report, nullptr);
  EXPECT_TRUE(report->report().full());
  ASSERT_EQ(report->report().observations_size(), 2);
  EXPECT_EQ(report->report().observations(0).chat().users(), 2u);
  EXPECT_EQ(report->report().observations(1).resource(), "mgc");
  EXPECT_EQ(report->report().clock_time().seconds(), 3);
  EXPECT_EQ(outbox.bytes(), report->ByteSizeLong());
  EXPECT_GT(merged, outbox.bytes());
}

TEST(OutboxTest, AFullReportReplacesEverythingBeforeIt) {
  v1::AgentMessage waiting = ReportOf("gone", 1);
  MergeReports(waiting, ReportOf("prosody", 2, true));
  ASSERT_EQ(waiting.report().observations_size(), 1);
  EXPECT_EQ(waiting.report().observations(0).resource(), "prosody");
}

}  // namespace
}  // namespace baton
