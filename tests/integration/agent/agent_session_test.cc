// The agent's core, ledger and transport together, on a real loop, over real gRPC.
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>
#include <unistd.h>

#include "gtest/gtest.h"

#include "agent/core/agent_core.h"
#include "agent/ledger/sqlite_ledger.h"
#include "agent/transport/session_client.h"
#include "common/os/file.h"
#include "common/rpc/endpoint.h"
#include "common/runtime/event_loop.h"
#include "common/runtime/system_clock.h"
#include "tests/integration/agent/scripted_coordinator.h"

namespace baton::agent {
namespace {

const ResourceId kResource("mgc");
const PoolId kPool("chat.example.com");

// Acts until it is told how that ended; remembers over restarts what it was asked for.
class HeldRunner : public ActionRunner {
 public:
  void Start(const Command& command, std::function<void(Progress)> progress,
             std::function<void(Outcome)> done) override {
    progress({"working", 1, 2});
    MutexLock lock(&mutex_);
    ++starts_[command.id];
    done_ = std::move(done);
    changed_.SignalAll();
  }
  void Cancel(const CommandId&) override {
    Finish(Outcome{OutcomeCode::kCancelled, "", "", {}, "", 0, {}});
  }
  void Look(const Command&, std::function<void(Outcome)> done) override { done(OkOutcome()); }
  void Check(const Action&, std::function<void(Outcome)> done) override { done(OkOutcome()); }

  // Waits until something runs.
  void Finish(Outcome outcome) {
    std::function<void(Outcome)> done;
    {
      MutexLock lock(&mutex_);
      while (done_ == nullptr) changed_.Wait(&mutex_);
      done = std::move(done_);
      done_ = nullptr;
    }
    done(std::move(outcome));
  }
  void Forget() {
    MutexLock lock(&mutex_);
    done_ = nullptr;
  }
  int starts(const std::string& id) {
    MutexLock lock(&mutex_);
    return starts_[CommandId(id)];
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<CommandId, int> starts_ ABSL_GUARDED_BY(mutex_);
  std::function<void(Outcome)> done_ ABSL_GUARDED_BY(mutex_);
};

class StillProbe : public Probe {
 public:
  void Observe(std::function<void(Observation)> done) override {
    Observation seen;
    seen.detail = DatabaseObservation{};
    done(seen);
  }
};

class NoFenceFile : public FenceFile {
 public:
  void Read(
      std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) override {
    done(absl::NotFoundError("none"), BootId("boot-1"));
  }
  void Write(const FenceRecord&, std::function<void(absl::Status)> done) override {
    done(absl::OkStatus());
  }
  void Enforce(std::function<void(absl::Status)> done) override { done(absl::OkStatus()); }
};

class NoChildren : public Children {
 public:
  void End(std::vector<ChildProcess>,
           std::function<void(std::vector<ChildProcess>)> done) override {
    done({});
  }
};

// One life of an agent. Ending it is as abrupt as a kill: nothing more is written or said.
class Life {
 public:
  Life(const std::string& ledger, const std::vector<std::string>& addresses, HeldRunner* runner)
      : loop_(clock_) {
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (const std::string& address : addresses) channels.push_back(DialCoordinator(address));
    client_ = std::make_unique<SessionClient>(&loop_, std::move(channels));
    absl::StatusOr<SqliteLedger::Opened> opened =
        SqliteLedger::Open({ledger, HostId("h1"), &clock_});
    EXPECT_TRUE(opened.ok()) << opened.status();
    ledger_ = std::move(opened->ledger);
    core_ = std::make_unique<AgentCore>(
        AgentCore::Options{HostId("h1"), "test", 1,
                           [this](Severity, const std::string& text) {
                             MutexLock lock(&mutex_);
                             log_.push_back(text);
                           }},
        AgentCore::Ports{&loop_, &clock_, ledger_.get(), &children_, client_.get()},
        std::vector<AgentCore::Resource>{{{kResource, kPool}, &probe_, runner, &fence_}},
        opened->contents);
    core_->Start();
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~Life() {
    loop_.Stop();
    thread_.join();
    client_->Close();
    core_.reset();
    client_.reset();
  }
  int Logged(const std::string& text) {
    MutexLock lock(&mutex_);
    int count = 0;
    for (const std::string& line : log_) count += line.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

 private:
  SystemClock clock_;
  EventLoop loop_;
  StillProbe probe_;
  NoFenceFile fence_;
  NoChildren children_;
  Mutex mutex_;
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<SqliteLedger> ledger_;
  std::unique_ptr<SessionClient> client_;
  std::unique_ptr<AgentCore> core_;
  std::thread thread_;
};

class AgentSessionTest : public testing::Test {
 protected:
  AgentSessionTest() {
    char name[] = "/tmp/baton-agent-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~AgentSessionTest() override {
    life_.reset();
    const std::vector<std::string> files = ListDirectory(folder_, 1000).value();
    for (const std::string& file : files) {
      unlink((folder_ + "/" + file).c_str());
    }
    rmdir(folder_.c_str());
  }
  void Live() { Live({coordinator_.address()}); }
  void Live(const std::vector<std::string>& addresses) {
    life_.reset();
    runner_.Forget();
    life_ = std::make_unique<Life>(folder_ + "/ledger.db", addresses, &runner_);
  }
  std::shared_ptr<ScriptedSession> Session() {
    std::shared_ptr<ScriptedSession> session = coordinator_.AwaitSession();
    EXPECT_NE(session, nullptr);
    return session;
  }

  ScriptedCoordinator coordinator_;
  HeldRunner runner_;
  std::string folder_;
  std::unique_ptr<Life> life_;
};

TEST_F(AgentSessionTest, SaysHelloReportsActsAndAnswers) {
  Live();
  auto session = Session();
  EXPECT_EQ(session->hello().host(), "h1");
  EXPECT_EQ(session->hello().boot_id(), "boot-1");
  EXPECT_EQ(session->hello().session_counter(), 1u);
  EXPECT_EQ(session->hello().protocol(), 1u);
  session->Welcome();
  EXPECT_TRUE(session
                  ->Await([](const v1::AgentMessage& heard) {
                    return heard.has_report() && heard.report().full();
                  })
                  .has_value());
  EXPECT_TRUE(session->Await([](const v1::AgentMessage& heard) { return heard.has_heartbeat(); })
                  .has_value());
  session->Send(WireCommand("c1"));
  EXPECT_TRUE(session->AwaitAccepted("c1"));
  EXPECT_TRUE(session
                  ->Await([](const v1::AgentMessage& heard) {
                    return heard.has_progress() && heard.progress().what() == "working";
                  })
                  .has_value());
  runner_.Finish(OkOutcome());
  EXPECT_EQ(session->AwaitFinished("c1")->code(), v1::OUTCOME_CODE_OK);
}

TEST_F(AgentSessionTest, ACommandOutlivesItsSession) {
  Live();
  auto first = Session();
  first->Welcome();
  first->Send(WireCommand("c1"));
  EXPECT_TRUE(first->AwaitAccepted("c1"));
  first->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator died"));
  auto second = Session();
  EXPECT_EQ(second->hello().session_counter(), 2u);
  ASSERT_EQ(second->hello().unfinished_commands_size(), 1);
  EXPECT_EQ(second->hello().unfinished_commands(0), "c1");
  second->Welcome();
  runner_.Finish(OkOutcome());
  EXPECT_EQ(second->AwaitFinished("c1")->code(), v1::OUTCOME_CODE_OK);
  EXPECT_EQ(runner_.starts("c1"), 1);
}

TEST_F(AgentSessionTest, AnAgentThatEndedWhileItActedLooksAndNeverActsAgain) {
  Live();
  auto first = Session();
  first->Welcome();
  first->Send(WireCommand("c1", 7));
  EXPECT_TRUE(first->AwaitAccepted("c1"));
  Live();
  auto second = Session();
  EXPECT_GT(second->hello().session_counter(), first->hello().session_counter());
  EXPECT_EQ(second->hello().ledger_id(), first->hello().ledger_id());
  EXPECT_EQ(second->hello().unfinished_commands_size(), 0);
  second->Welcome();
  EXPECT_EQ(second->AwaitFinished("c1")->code(), v1::OUTCOME_CODE_OK);
  second->Send(WireCommand("c1", 7));
  EXPECT_EQ(second->AwaitFinished("c1")->code(), v1::OUTCOME_CODE_OK);
  second->Send(WireCommand("c2", 6));
  EXPECT_EQ(second->AwaitFinished("c2")->reason(), "EPOCH_TOO_LOW");
  EXPECT_LE(runner_.starts("c1"), 1);
  EXPECT_EQ(runner_.starts("c2"), 0);
}

TEST_F(AgentSessionTest, ARefusalIsLoggedOnceAndTriedUntilItIsOver) {
  coordinator_.Refuse(grpc::Status(grpc::StatusCode::NOT_FOUND, "host h1 is not in the topology"));
  Live();
  while (coordinator_.refused() < 4) std::this_thread::yield();
  EXPECT_EQ(life_->Logged("not in the topology"), 1);
  coordinator_.Refuse(grpc::Status::OK);
  EXPECT_GT(Session()->hello().session_counter(), 4u);
}

TEST_F(AgentSessionTest, DialsEveryCoordinatorInTurnAndStaysWithTheOneThatWelcomes) {
  ScriptedCoordinator follower;
  follower.Refuse(grpc::Status(grpc::StatusCode::UNAVAILABLE, "another one leads"));
  std::string nobody;
  { nobody = ScriptedCoordinator().address(); }
  Live({nobody, follower.address(), coordinator_.address()});
  for (int sessions = 0; sessions < 3; ++sessions) {
    auto session = Session();
    ASSERT_NE(session, nullptr);
    session->Welcome();
    EXPECT_TRUE(session->Await([](const v1::AgentMessage& heard) { return heard.has_report(); })
                    .has_value());
    // After the first it is found at once.
    EXPECT_EQ(follower.refused(), 1);
    session->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator died"));
  }
  coordinator_.Refuse(grpc::Status(grpc::StatusCode::UNAVAILABLE, "another one leads now"));
  follower.Refuse(grpc::Status::OK);
  EXPECT_NE(follower.AwaitSession(), nullptr);
}

TEST_F(AgentSessionTest, ARevokeThatCannotBeReadOrIsForNobodyIsAnsweredAndTheSessionGoesOn) {
  Live();
  auto session = Session();
  session->Welcome();
  for (const std::string& resource :
       {std::string("nothing"), std::string(5000, 'x'), std::string()}) {
    v1::CoordinatorMessage message;
    message.mutable_revoke()->set_pool("chat.example.com");
    message.mutable_revoke()->set_resource(resource);
    session->Send(message);
    const auto heard =
        session->Await([](const v1::AgentMessage& answer) { return answer.has_revoked(); });
    ASSERT_TRUE(heard.has_value()) << resource;
    EXPECT_EQ(heard->revoked().outcome().code(), v1::OUTCOME_CODE_REFUSED);
  }
  session->Send(WireCommand("c1"));
  EXPECT_TRUE(session->AwaitAccepted("c1"));
}

TEST_F(AgentSessionTest, ACommandThatCannotBeReadIsRefusedAndTheSessionGoesOn) {
  Live();
  auto session = Session();
  session->Welcome();
  v1::Command wrong = WireCommand("c1");
  wrong.clear_action();
  session->Send(wrong);
  EXPECT_EQ(session->AwaitFinished("c1")->reason(), "INVALID_COMMAND");
  session->Send(WireCommand("c2"));
  EXPECT_TRUE(session->AwaitAccepted("c2"));
}

TEST_F(AgentSessionTest, ACancelIsAnsweredByTheOutcome) {
  Live();
  auto session = Session();
  session->Welcome();
  session->Send(WireCommand("c1"));
  EXPECT_TRUE(session->AwaitAccepted("c1"));
  v1::CoordinatorMessage cancel;
  cancel.mutable_cancel_command()->set_command("c1");
  session->Send(cancel);
  EXPECT_EQ(session->AwaitFinished("c1")->code(), v1::OUTCOME_CODE_CANCELLED);
}

}  // namespace
}  // namespace baton::agent
