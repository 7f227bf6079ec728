#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

#include "common/rpc/endpoint.h"
#include "common/rpc/status_proto.h"
#include "coordinator/config/topology_config.h"
#include "coordinator/transport/session_service.h"
#include "tests/integration/coordinator/world.h"

namespace baton::testing {
namespace {

v1::AgentMessage HelloOf(const std::string& ledger, uint64_t counter) {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_host("hq-sql1");
  hello.set_boot_id("b");
  hello.set_protocol(1);
  hello.set_ledger_id(ledger);
  hello.set_session_counter(counter);
  return message;
}

// One stream, driven by hand.
class Stream {
 public:
  explicit Stream(TestCoordinator& coordinator)
      : stub_(v1::AgentSessionService::NewStub(coordinator.Channel())),
        stream_(stub_->OpenSession(&context_)) {}
  ~Stream() {
    context_.TryCancel();
    if (!finished_) stream_->Finish();
  }
  bool Write(const v1::AgentMessage& message) { return stream_->Write(message); }
  bool Read(v1::CoordinatorMessage& message) { return stream_->Read(&message); }
  // Reads whatever comes until the coordinator ends the stream.
  absl::Status End() {
    v1::CoordinatorMessage message;
    while (stream_->Read(&message)) {
    }
    finished_ = true;
    return FromGrpc(stream_->Finish());
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::AgentSessionService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::CoordinatorMessage>> stream_;
  bool finished_ = false;
};

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() { EXPECT_TRUE(world_.Apply(SampleText(), "r1").ok()); }
  World world_;
};

TEST_F(StreamTest, ANewerSessionEndsTheOlderWithAReason) {
  Stream older(world_.coordinator);
  v1::CoordinatorMessage message;
  ASSERT_TRUE(older.Write(HelloOf("l", 1)));
  ASSERT_TRUE(older.Read(message));
  EXPECT_TRUE(message.has_welcome());
  Stream newer(world_.coordinator);
  ASSERT_TRUE(newer.Write(HelloOf("l", 2)));
  ASSERT_TRUE(newer.Read(message));
  EXPECT_TRUE(message.has_welcome());
  const absl::Status end = older.End();
  EXPECT_EQ(end.code(), absl::StatusCode::kAborted) << end;
  EXPECT_EQ(ErrorReason(end), "SESSION_REPLACED");
}

TEST_F(StreamTest, AnotherLedgerIsRefusedWithTheCommandThatAcceptsIt) {
  Stream first(world_.coordinator);
  v1::CoordinatorMessage message;
  ASSERT_TRUE(first.Write(HelloOf("l1", 1)));
  ASSERT_TRUE(first.Read(message));
  Stream other(world_.coordinator);
  ASSERT_TRUE(other.Write(HelloOf("l2", 9)));
  const absl::Status end = other.End();
  EXPECT_EQ(ErrorReason(end), "LEDGER_UNKNOWN") << end;
  const auto stub = v1::AgentService::NewStub(world_.coordinator.Channel());
  v1::AcceptAgentRequest accept;
  accept.set_host("hq-sql1");
  accept.set_reason("new disk");
  accept.set_request_id("a1");
  for (int i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    v1::Agent agent;
    const grpc::Status status = stub->AcceptAgent(&context, accept, &agent);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(agent.ledger_id(), "l2");
    EXPECT_EQ(agent.refused(), "");
  }
  EXPECT_EQ(ErrorReason(first.End()), "SESSION_REPLACED");
}

TEST_F(StreamTest, GarbageEndsItsOwnStreamAndNothingElse) {
  Stream good(world_.coordinator);
  v1::CoordinatorMessage message;
  ASSERT_TRUE(good.Write(HelloOf("l", 1)));
  ASSERT_TRUE(good.Read(message));
  Stream empty(world_.coordinator);
  ASSERT_TRUE(empty.Write(v1::AgentMessage()));
  EXPECT_EQ(empty.End().code(), absl::StatusCode::kInvalidArgument);
  Stream huge(world_.coordinator);
  v1::AgentMessage large = HelloOf("l", 1);
  large.mutable_hello()->set_host(std::string(8 << 20, 'x'));
  huge.Write(large);
  EXPECT_FALSE(huge.End().ok());
  v1::AgentMessage beat;
  beat.mutable_heartbeat()->mutable_age();
  EXPECT_TRUE(good.Write(beat));
}

// Durable in memory.
class MemoryJournal : public Journal {
 public:
  explicit MemoryJournal(Scheduler& loop) : loop_(loop) {}
  void Append(std::vector<Fact> facts,
              std::function<void(absl::StatusOr<std::vector<Record>>)> done) override {
    std::vector<Record> records;
    for (Fact& fact : facts) {
      records.push_back({++last_, absl::UnixEpoch(), std::move(fact)});
    }
    loop_.Post([done = std::move(done), records] { done(records); });
  }

 private:
  Scheduler& loop_;
  uint64_t last_ = 0;
};

TEST(SlowReaderTest, AReaderThatDoesNotReadIsCutAndItsSessionEnds) {
  const SystemClock clock;
  LoopThread thread(clock);
  EventLoop& loop = thread.loop();
  MemoryJournal journal(loop);
  SessionRegistry registry(clock, loop, {.journal = JournalId("j")});
  Driver driver(journal, registry, loop,
                {.on_record = [&](const Record& record) { registry.OnRecord(record); },
                 .on_fatal = [](const absl::Status&) {}});
  registry.Attach(driver);
  loop.Post([&] {
    registry.SetTopology(
        std::make_shared<const Topology>(ParseTopology(SampleText(), "sample", {}).value()));
    driver.Start();
  });
  SessionService service(registry, loop, {.bytes = 1 << 20, .messages = 16});
  grpc::ServerBuilder builder;
  ApplyServerDefaults(builder);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  {
    grpc::ClientContext context;
    const auto stub = v1::AgentSessionService::NewStub(server->InProcessChannel(ClientArguments()));
    const auto stream = stub->OpenSession(&context);
    v1::CoordinatorMessage message;
    ASSERT_TRUE(stream->Write(HelloOf("l", 1)));
    ASSERT_TRUE(stream->Read(&message));
    loop.Post([&] {
      for (int i = 0; i < 1000; ++i) {
        registry.Query(HostId("hq-sql1"), CommandId(std::string(16 << 10, 'x')));
      }
    });
    int read = 0;
    while (stream->Read(&message)) ++read;
    EXPECT_LE(read, 20);
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  server->Shutdown(std::chrono::system_clock::now());
  Mutex mutex;
  CondVar wake;
  bool drained = false;
  loop.Post([&] {
    EXPECT_FALSE(registry.agents().at(HostId("hq-sql1")).connected);
    MutexLock lock(&mutex);
    drained = true;
    wake.SignalAll();
  });
  MutexLock lock(&mutex);
  while (!drained) wake.Wait(&mutex);
}

}  // namespace
}  // namespace baton::testing
