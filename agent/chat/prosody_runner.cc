#include "agent/chat/prosody_runner.h"

#include <utility>
#include <variant>

#include "agent/chat/prosody_actions.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

constexpr absl::Duration kObserveTimeout = absl::Seconds(2);
// Dry runs and looks have no time limit of their own.
constexpr absl::Duration kLookTimeout = absl::Seconds(10);

struct Actor {
  chat::ActionContext* context;

  template <class Kind>
  absl::StatusOr<std::string> operator()(const Kind& action) const {
    if constexpr (requires { chat::Act(context, action); }) {
      return chat::Act(context, action);
    } else {
      return chat::Refusal("UNSUPPORTED_ACTION", "a chat server has no such action");
    }
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProsodyRunner>> ProsodyRunner::Create(const ProsodyHost& host) {
  BATON_ASSIGN_OR_RETURN(chat::ProsodyServer server, chat::ProsodyServer::Create(host));
  return std::unique_ptr<ProsodyRunner>(new ProsodyRunner(std::move(server)));
}

ProsodyRunner::ProsodyRunner(chat::ProsodyServer server) : server_(std::move(server)) {}

ProsodyRunner::~ProsodyRunner() { interruption_.Raise(); }

Outcome ProsodyRunner::Run(const Command& command, std::function<void(Progress)> progress) {
  chat::ActionContext context(&server_, &command, &interruption_, std::move(progress));
  const absl::StatusOr<std::string> acted = std::visit(Actor{&context}, command.action);
  Outcome outcome = context.OutcomeOf(acted.status(), acted.ok() ? *acted : "");
  outcome.observation = server_.Observe(kObserveTimeout);
  return outcome;
}

void ProsodyRunner::Start(const Command& command, std::function<void(Progress)> progress,
                          std::function<void(Outcome)> done) {
  {
    MutexLock lock(&mutex_);
    running_ = command.id;
    interruption_.Clear();
  }
  worker_.Post([this, command, progress = std::move(progress), done = std::move(done)]() mutable {
    Outcome outcome = Run(command, std::move(progress));
    {
      MutexLock lock(&mutex_);
      running_ = CommandId();
    }
    done(std::move(outcome));
  });
}

void ProsodyRunner::Cancel(const CommandId& id) {
  MutexLock lock(&mutex_);
  if (running_ == id) interruption_.Raise();
}

void ProsodyRunner::Look(const Command& command, std::function<void(Outcome)> done) {
  worker_.Post([this, asked = command, done = std::move(done)]() mutable {
    asked.timeout = kLookTimeout;
    chat::ActionContext context(&server_, &asked, &interruption_, nullptr);
    Outcome outcome = context.OutcomeOf(chat::LookFor(&context), "it is so");
    if (!outcome.ok()) outcome.code = OutcomeCode::kUnknown;
    outcome.observation = server_.Observe(kObserveTimeout);
    done(std::move(outcome));
  });
}

void ProsodyRunner::Check(const Action& action, std::function<void(Outcome)> done) {
  worker_.Post([this, action, done = std::move(done)] {
    Command command;
    command.timeout = kLookTimeout;
    command.action = action;
    chat::ActionContext context(&server_, &command, &interruption_, nullptr);
    Outcome outcome = context.OutcomeOf(chat::CheckFirst(&context), "could be done");
    if (outcome.code == OutcomeCode::kFailed) outcome.code = OutcomeCode::kRefused;
    done(std::move(outcome));
  });
}

}  // namespace baton
