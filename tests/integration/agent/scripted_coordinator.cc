#include "tests/integration/agent/scripted_coordinator.h"

#include <utility>

#include "grpcpp/server_builder.h"

#include "common/rpc/endpoint.h"

namespace baton {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

}  // namespace

void ScriptedSession::Welcome(const std::string& journal) {
  v1::CoordinatorMessage message;
  message.mutable_welcome()->set_session_id("session");
  message.mutable_welcome()->set_journal_id(journal);
  message.mutable_welcome()->mutable_report_interval()->set_nanos(100'000'000);
  Send(message);
}

void ScriptedSession::Send(const v1::CoordinatorMessage& message) {
  MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Write(message);
}

void ScriptedSession::Send(const v1::Command& command) {
  v1::CoordinatorMessage message;
  *message.mutable_command() = command;
  Send(message);
}

void ScriptedSession::End(grpc::Status status) {
  MutexLock lock(&mutex_);
  end_ = std::move(status);
  if (context_ != nullptr) context_->TryCancel();
}

std::optional<v1::AgentMessage> ScriptedSession::Await(
    const std::function<bool(const v1::AgentMessage&)>& wanted) {
  MutexLock lock(&mutex_);
  while (true) {
    while (!heard_.empty()) {
      v1::AgentMessage message = std::move(heard_.front());
      heard_.pop_front();
      if (wanted(message)) return message;
    }
    if (!changed_.WaitFor(&mutex_, kPatience) && heard_.empty()) return std::nullopt;
  }
}

std::optional<v1::Outcome> ScriptedSession::AwaitFinished(const std::string& command) {
  const auto message = Await([&](const v1::AgentMessage& heard) {
    return heard.has_finished() && heard.finished().command() == command;
  });
  if (!message.has_value()) return std::nullopt;
  return message->finished().outcome();
}

bool ScriptedSession::AwaitAccepted(const std::string& command) {
  return Await([&](const v1::AgentMessage& heard) {
           return heard.has_accepted() && heard.accepted().command() == command;
         })
      .has_value();
}

grpc::Status ScriptedSession::Serve(const std::function<void()>& opened) {
  Stream* stream = nullptr;
  {
    MutexLock lock(&mutex_);
    stream = stream_;
  }
  v1::AgentMessage message;
  if (!stream->Read(&message)) return grpc::Status::OK;
  hello_ = message.hello();
  opened();
  while (stream->Read(&message)) {
    MutexLock lock(&mutex_);
    heard_.push_back(message);
    changed_.SignalAll();
  }
  MutexLock lock(&mutex_);
  stream_ = nullptr;
  context_ = nullptr;
  return end_.value_or(grpc::Status::OK);
}

ScriptedCoordinator::ScriptedCoordinator() {
  grpc::ServerBuilder builder;
  ApplyServerDefaults(builder);
  int port = 0;
  (void)AddListener(builder, "127.0.0.1:0", &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

ScriptedCoordinator::~ScriptedCoordinator() {
  std::vector<std::shared_ptr<ScriptedSession>> all;
  {
    MutexLock lock(&mutex_);
    all = all_;
  }
  for (const auto& session : all) session->End(grpc::Status::OK);
  server_->Shutdown();
}

void ScriptedCoordinator::Refuse(grpc::Status status) {
  MutexLock lock(&mutex_);
  refuse_ = std::move(status);
}

int ScriptedCoordinator::refused() const {
  MutexLock lock(&mutex_);
  return refused_;
}

std::shared_ptr<ScriptedSession> ScriptedCoordinator::AwaitSession() {
  MutexLock lock(&mutex_);
  while (sessions_.empty()) {
    if (!changed_.WaitFor(&mutex_, kPatience) && sessions_.empty()) return nullptr;
  }
  std::shared_ptr<ScriptedSession> session = sessions_.front();
  sessions_.pop_front();
  return session;
}

grpc::Status ScriptedCoordinator::OpenSession(grpc::ServerContext* context,
                                              ScriptedSession::Stream* stream) {
  auto session = std::make_shared<ScriptedSession>(stream, context);
  {
    MutexLock lock(&mutex_);
    if (!refuse_.ok()) {
      ++refused_;
      return refuse_;
    }
    all_.push_back(session);
  }
  return session->Serve([&] {
    MutexLock lock(&mutex_);
    sessions_.push_back(session);
    changed_.SignalAll();
  });
}

v1::Command WireCommand(const std::string& id, uint64_t epoch_counter) {
  v1::Command command;
  command.set_id(id);
  command.set_plan("plan-1");
  command.set_pool("chat.example.com");
  command.set_resource("mgc");
  command.mutable_epoch()->set_generation(1);
  command.mutable_epoch()->set_counter(epoch_counter);
  command.set_sequence(1);
  command.mutable_timeout()->set_seconds(30);
  command.mutable_action()->mutable_end_connections();
  return command;
}

}  // namespace baton
