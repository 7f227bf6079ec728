#include "tests/integration/coordinator/fake_agent.h"

#include <utility>

#include "common/rpc/action_proto.h"
#include "common/rpc/protocol_proto.h"

namespace baton::testing {
namespace {

constexpr absl::Duration kReconnect = absl::Milliseconds(5);
constexpr LogPosition kTail{1, 0x3000060};
constexpr LogPosition kFork{2, 0x3000060};

// What an action does to what is seen of its resource.
struct Apply {
  Observation& seen;
  const Command& command;

  Outcome Database(DatabaseState state, FencePhase phase, bool signal) const {
    auto& database = std::get<DatabaseObservation>(seen.detail);
    database.state = state;
    database.standby_signal = signal;
    database.archiving = state == DatabaseState::kPrimary;
    seen.fence.phase = phase;
    seen.fence.proven = phase == FencePhase::kClosing || phase == FencePhase::kClosed;
    seen.fence.write_epoch = phase == FencePhase::kOpen ? command.epoch : Epoch();
    Outcome outcome = OkOutcome();
    outcome.system_id = database.system_id;
    outcome.position = database.position;
    return outcome;
  }
  Outcome Chat(ChatState state, FencePhase phase) const {
    std::get<ChatObservation>(seen.detail).state = state;
    seen.fence.phase = phase;
    seen.fence.write_epoch = phase == FencePhase::kOpen ? command.epoch : Epoch();
    return OkOutcome();
  }

  Outcome operator()(const Fence&) const {
    if (seen.chat() != nullptr) return Chat(ChatState::kDown, FencePhase::kClosing);
    const bool writes = seen.database()->state == DatabaseState::kPrimary;
    return Database(writes ? DatabaseState::kDown : seen.database()->state, FencePhase::kClosing,
                    true);
  }
  Outcome operator()(const Unfence&) const {
    return Database(DatabaseState::kPrimary, FencePhase::kOpen, false);
  }
  Outcome operator()(const StartStandby&) const {
    return Database(DatabaseState::kStandby, FencePhase::kClosed, true);
  }
  Outcome operator()(const ShipTail&) const {
    Outcome outcome = Database(DatabaseState::kDown, FencePhase::kClosed, true);
    outcome.position = kTail;
    return outcome;
  }
  Outcome operator()(const ApplyPendingLogs& apply) const {
    Outcome outcome = OkOutcome();
    outcome.position = apply.until;
    return outcome;
  }
  Outcome operator()(const StopLogShipping&) const {
    Outcome outcome = OkOutcome();
    outcome.position = kTail;
    return outcome;
  }
  Outcome operator()(const Recover&) const {
    Outcome outcome = Database(DatabaseState::kPrimary, FencePhase::kOpen, false);
    outcome.position = kFork;
    return outcome;
  }
  Outcome operator()(const Drain&) const { return Chat(ChatState::kDraining, seen.fence.phase); }
  Outcome operator()(const Deactivate&) const {
    return Chat(ChatState::kDown, FencePhase::kClosed);
  }
  Outcome operator()(const Activate&) const { return Chat(ChatState::kServing, FencePhase::kOpen); }
  Outcome operator()(const PointAt& point) const {
    std::get<ChatObservation>(seen.detail).points_at = point.instance;
    return OkOutcome();
  }
  template <class Other>
  Outcome operator()(const Other&) const {
    return OkOutcome();
  }
};

Observation Common(const char* resource) {
  Observation seen;
  seen.resource = ResourceId(resource);
  seen.pool = PoolId("chat.example.com");
  seen.fence.file_readable = true;
  seen.fence.proven = true;
  seen.service_managed = true;
  return seen;
}

Observation StoppedDatabase(bool standby) {
  Observation seen = Common("mgc");
  DatabaseObservation database;
  database.state = standby ? DatabaseState::kStandby : DatabaseState::kPrimary;
  database.system_id = "7300000000000000001";
  database.version = "15.18";
  database.position = {1, 0x3000028};
  database.standby_signal = standby;
  database.archiving = !standby;
  seen.detail = database;
  return seen;
}

}  // namespace

Observation StoppedPrimary() {
  Observation seen = StoppedDatabase(false);
  auto& database = std::get<DatabaseObservation>(seen.detail);
  database.state = DatabaseState::kDown;
  database.clean_shutdown = true;
  return seen;
}
Observation StoppedBackup() { return StoppedDatabase(true); }
Observation StoppedChat() {
  Observation seen = Common("prosody");
  ChatObservation chat;
  chat.state = ChatState::kDown;
  seen.detail = chat;
  return seen;
}

FakeAgent::FakeAgent(std::string host, std::vector<Observation> resources, Dial dial)
    : host_(std::move(host)), dial_(std::move(dial)) {
  for (Observation& seen : resources) {
    const std::string name = seen.resource.value();
    resources_[name] = std::move(seen);
  }
  thread_ = std::thread([this] { Run(); });
}

void FakeAgent::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    wake_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void FakeAgent::Answer(const std::string& action, Outcome outcome) {
  MutexLock lock(&mutex_);
  answers_[action] = std::move(outcome);
}

void FakeAgent::AnswerNormally(const std::string& action) {
  MutexLock lock(&mutex_);
  holds_.erase(action);
  answers_.erase(action);
}

void FakeAgent::Hold(const std::string& action) {
  MutexLock lock(&mutex_);
  holds_.insert(action);
}

void FakeAgent::Forget() {
  MutexLock lock(&mutex_);
  held_.clear();
}

void FakeAgent::Die() {
  MutexLock lock(&mutex_);
  dead_ = true;
  ++boots_;
  for (auto& [name, seen] : resources_) {
    if (seen.fence.phase == FencePhase::kOpen) {
      seen.fence.phase = FencePhase::kUnconfirmed;
      seen.fence.proven = false;
    }
    if (auto* chat = std::get_if<ChatObservation>(&seen.detail)) chat->state = ChatState::kDown;
    auto* database = std::get_if<DatabaseObservation>(&seen.detail);
    if (database == nullptr) continue;
    database->state = DatabaseState::kDown;
    database->clean_shutdown = false;
    database->archiving = false;
    database->log_end = {1, kTail.lsn + 4096};
  }
  if (context_ != nullptr) context_->TryCancel();
}

void FakeAgent::Return() {
  MutexLock lock(&mutex_);
  dead_ = false;
}

void FakeAgent::Refuse(const std::string& action, Outcome outcome) {
  MutexLock lock(&mutex_);
  refusals_[action] = std::move(outcome);
}

Observation FakeAgent::Of(const std::string& resource) {
  MutexLock lock(&mutex_);
  return resources_.at(resource);
}

std::vector<std::string> FakeAgent::heard() {
  MutexLock lock(&mutex_);
  return heard_;
}

std::map<std::string, int> FakeAgent::acted() {
  MutexLock lock(&mutex_);
  return acted_;
}

void FakeAgent::Run() {
  for (;;) {
    if (const std::shared_ptr<grpc::Channel> channel = dial_()) Session(channel);
    MutexLock lock(&mutex_);
    if (stopping_) return;
    wake_.WaitFor(&mutex_, kReconnect);
    if (stopping_) return;
  }
}

void FakeAgent::Session(const std::shared_ptr<grpc::Channel>& channel) {
  const std::unique_ptr<v1::AgentSessionService::Stub> stub =
      v1::AgentSessionService::NewStub(channel);
  grpc::ClientContext context;
  v1::AgentMessage hello;
  {
    MutexLock lock(&mutex_);
    if (stopping_ || dead_) return;
    context_ = &context;
    heard_.clear();
    hello = Hello();
  }
  const std::unique_ptr<Stream> stream = stub->OpenSession(&context);
  v1::CoordinatorMessage message;
  bool whole = stream->Write(hello);
  while (whole && stream->Read(&message)) {
    for (const v1::AgentMessage& answer : Handle(message)) whole = whole && stream->Write(answer);
  }
  context.TryCancel();
  stream->Finish();
  MutexLock lock(&mutex_);
  context_ = nullptr;
}

v1::AgentMessage FakeAgent::Hello() {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_host(host_);
  hello.set_boot_id("boot-" + host_ + "-" + std::to_string(boots_));
  hello.set_version("0.1.0");
  hello.set_protocol(1);
  hello.set_ledger_id("ledger-" + host_);
  hello.set_session_counter(++counter_);
  return message;
}

v1::AgentMessage FakeAgent::Report() {
  v1::AgentMessage message;
  message.mutable_report()->set_full(true);
  *message.mutable_report()->mutable_clock_time() = ToProto(clock_.Now());
  for (const auto& [name, seen] : resources_) {
    *message.mutable_report()->add_observations() = ToProto(seen);
  }
  return message;
}

std::vector<v1::AgentMessage> FakeAgent::Handle(const v1::CoordinatorMessage& message) {
  MutexLock lock(&mutex_);
  v1::AgentMessage answer;
  switch (message.kind_case()) {
    case v1::CoordinatorMessage::kWelcome:
      heard_.push_back("welcome");
      return {Report()};
    case v1::CoordinatorMessage::kReportNow:
      return {Report()};
    case v1::CoordinatorMessage::kConfirm:
      heard_.push_back("confirm");
      return {};
    case v1::CoordinatorMessage::kRevoke:
      heard_.push_back("revoke");
      OnRevoke(message.revoke());
      answer.mutable_revoked()->set_pool(message.revoke().pool());
      answer.mutable_revoked()->set_resource(message.revoke().resource());
      *answer.mutable_revoked()->mutable_epoch() = message.revoke().epoch();
      *answer.mutable_revoked()->mutable_outcome() = ToProto(OkOutcome());
      return {answer, Report()};
    case v1::CoordinatorMessage::kCancelCommand: {
      const std::string& id = message.cancel_command().command();
      if (held_.erase(id) == 0) return {};
      Outcome outcome = RefusedOutcome("CANCELLED", "nothing was done");
      outcome.code = OutcomeCode::kCancelled;
      finished_[id] = outcome;
      answer.mutable_finished()->set_command(id);
      *answer.mutable_finished()->mutable_outcome() = ToProto(outcome);
      return {answer};
    }
    case v1::CoordinatorMessage::kCommand:
      return OnCommand(message.command());
    case v1::CoordinatorMessage::kQueryCommand: {
      v1::CommandState& state = *answer.mutable_command_state();
      state.set_command(message.query_command().command());
      const auto known = finished_.find(state.command());
      state.set_state(held_.contains(state.command()) ? v1::CommandState::STATE_RUNNING
                      : known == finished_.end()      ? v1::CommandState::STATE_NOT_ACCEPTED
                                                      : v1::CommandState::STATE_FINISHED);
      if (known != finished_.end()) *state.mutable_outcome() = ToProto(known->second);
      return {answer};
    }
    case v1::CoordinatorMessage::kDryRun: {
      const absl::StatusOr<Action> action = FromProto(message.dry_run().action());
      answer.mutable_dry_run_result()->set_id(message.dry_run().id());
      const auto refusal = refusals_.find(std::string(ActionName(action.value())));
      *answer.mutable_dry_run_result()->mutable_outcome() =
          ToProto(refusal == refusals_.end() ? OkOutcome() : refusal->second);
      return {answer};
    }
    default:
      return {};
  }
}

std::vector<v1::AgentMessage> FakeAgent::OnCommand(const v1::Command& proto) {
  const absl::StatusOr<Command> command = FromProto(proto);
  if (!command.ok()) return {};
  v1::AgentMessage accepted, progress, finished;
  accepted.mutable_accepted()->set_command(command->id.value());
  progress.mutable_progress()->set_command(command->id.value());
  progress.mutable_progress()->set_what("working");
  const std::string action(ActionName(command->action));
  heard_.push_back(action);
  if (holds_.contains(action)) {
    held_.insert(command->id.value());
    return {accepted, progress};
  }
  finished.mutable_finished()->set_command(command->id.value());
  const Outcome outcome = Act(*command);
  finished_[command->id.value()] = outcome;
  *finished.mutable_finished()->mutable_outcome() = ToProto(outcome);
  return {accepted, progress, Report(), finished};
}

void FakeAgent::OnRevoke(const v1::Revoke& revoke) {
  const auto resource = resources_.find(revoke.resource());
  if (resource == resources_.end()) return;
  Observation& seen = resource->second;
  seen.fence.phase = FencePhase::kClosing;
  seen.fence.fence_epoch = FromProto(revoke.epoch());
  seen.fence.write_epoch = Epoch();
  seen.fence.proven = true;
  auto* database = std::get_if<DatabaseObservation>(&seen.detail);
  if (database != nullptr) database->standby_signal = true;
}

Outcome FakeAgent::Act(const Command& command) {
  ++acted_[command.id.value()];
  const auto answer = answers_.find(std::string(ActionName(command.action)));
  if (answer != answers_.end()) return answer->second;
  const auto resource = resources_.find(command.resource.value());
  if (resource == resources_.end()) return RefusedOutcome("NO_RESOURCE", "no such resource");
  Observation& seen = resource->second;
  if (command.epoch < seen.fence.fence_epoch) return RefusedOutcome("EPOCH_OLD", "epoch too low");
  seen.fence.fence_epoch = command.epoch;
  Outcome outcome = std::visit(Apply{seen, command}, command.action);
  outcome.observation = seen;
  return outcome;
}

}  // namespace baton::testing
