// An agent that speaks the session protocol and plays its host in memory: what it was told to do
// shows in what it observes next. Its ledger outlives its sessions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

#include "baton/v1/agent_session.grpc.pb.h"
#include "common/base/mutex.h"
#include "common/protocol/action.h"
#include "common/protocol/observation.h"
#include "common/runtime/system_clock.h"

namespace baton::testing {

// Thread-safe. Connects again and again until Stop.
class FakeAgent {
 public:
  using Dial = std::function<std::shared_ptr<grpc::Channel>()>;

  FakeAgent(std::string host, std::vector<Observation> resources, Dial dial);
  ~FakeAgent() { Stop(); }
  void Stop();

  // By action name: what the next tries end with instead of what they do.
  void Answer(const std::string& action, Outcome outcome);
  void AnswerNormally(const std::string& action);
  // The next tries of the action are accepted and end only when they are cancelled.
  void Hold(const std::string& action);
  // What is held was never accepted.
  void Forget();
  // The host loses power: what it ran is down, its database as it was at that moment. Until Return
  // nothing is heard of it.
  void Die();
  void Return();
  // What a dry run of the action says.
  void Refuse(const std::string& action, Outcome outcome);

  Observation Of(const std::string& resource);
  // What came in the present session, in order: "welcome", "revoke", "confirm", "Fence", …
  std::vector<std::string> heard();
  // How often each command id acted; more than once is a broken rule.
  std::map<std::string, int> acted();

 private:
  using Stream = grpc::ClientReaderWriter<v1::AgentMessage, v1::CoordinatorMessage>;

  void Run();
  void Session(const std::shared_ptr<grpc::Channel>& channel);
  v1::AgentMessage Hello() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::AgentMessage Report() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<v1::AgentMessage> Handle(const v1::CoordinatorMessage& message);
  std::vector<v1::AgentMessage> OnCommand(const v1::Command& proto)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRevoke(const v1::Revoke& revoke) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome Act(const Command& command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string host_;
  const Dial dial_;
  const SystemClock clock_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  uint64_t counter_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Observation> resources_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Outcome> finished_ ABSL_GUARDED_BY(mutex_);  // the ledger
  std::map<std::string, int> acted_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Outcome> answers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Outcome> refusals_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> holds_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> held_ ABSL_GUARDED_BY(mutex_);  // command ids
  std::vector<std::string> heard_ ABSL_GUARDED_BY(mutex_);
  bool dead_ ABSL_GUARDED_BY(mutex_) = false;
  int boots_ ABSL_GUARDED_BY(mutex_) = 1;
  std::thread thread_;
};

Observation StoppedPrimary();
Observation StoppedBackup();
Observation StoppedChat();

}  // namespace baton::testing
