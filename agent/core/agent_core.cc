#include "agent/core/agent_core.h"

#include <utility>

namespace baton::agent {
namespace {

constexpr size_t kMessagesQueuedMax = 1024;
constexpr absl::Duration kFirstReconnect = absl::Milliseconds(50);
constexpr absl::Duration kLongestReconnect = absl::Seconds(5);

std::vector<ResourceName> NamesOf(const std::vector<AgentCore::Resource>& resources) {
  std::vector<ResourceName> names;
  for (const AgentCore::Resource& resource : resources) names.push_back(resource.name);
  return names;
}

}  // namespace

AgentCore::AgentCore(Options options, Ports ports, const std::vector<Resource>& resources,
                     const Ledger::Contents& contents)
    : options_(std::move(options)),
      ports_(ports),
      state_(MakeState(options_.host, options_.version, NamesOf(resources), contents,
                       ports.clock->SinceBoot())),
      backoff_(kFirstReconnect, kLongestReconnect, options_.seed),
      alive_(std::make_shared<bool>(true)) {
  for (const Resource& resource : resources) resources_[resource.name.resource] = resource;
}

AgentCore::~AgentCore() {
  for (const auto& [key, id] : timers_) ports_.scheduler->Cancel(id);
}

void AgentCore::Start() { PostEvent(Started{}); }

void AgentCore::NoteFence(const ResourceId& resource, const FenceRecord& record) {
  PostEvent(FenceEntered{resource, record});
}

// `f` does not run once this object is gone.
void AgentCore::Post(std::function<void()> f) {
  ports_.scheduler->Post([alive = std::weak_ptr<bool>(alive_), f = std::move(f)] {
    if (!alive.expired()) f();
  });
}

void AgentCore::PostEvent(What what) {
  Post([this, what = std::move(what)]() mutable { Take(std::move(what)); });
}

void AgentCore::Take(What&& what) {
  queue_.push_back(std::move(what));
  Run();
}

void AgentCore::TakeMessage(uint64_t stream, FromCoordinator&& message) {
  if (stream == flooded_stream_) return;
  if (messages_queued_ >= kMessagesQueuedMax) {
    flooded_stream_ = stream;
    return Take(LinkClosed{stream, absl::ResourceExhaustedError(
                                       "the coordinator sends faster than the ledger writes")});
  }
  ++messages_queued_;
  Take(MessageCame{stream, std::move(message)});
}

void AgentCore::Run() {
  while (!writing_ && !queue_.empty()) {
    AgentEvent event{ports_.clock->SinceBoot(), std::move(queue_.front())};
    queue_.pop_front();
    if (std::holds_alternative<MessageCame>(event.what)) --messages_queued_;
    Step(event);
  }
}

void AgentCore::Step(const AgentEvent& event) {
  const absl::Duration now = event.now;
  Decision decision = Decide(state_, event);
  if (decision.entries.empty()) return Apply(std::move(decision), now);
  writing_ = true;
  std::vector<Ledger::Entry> entries = decision.entries;
  // Shared, since a std::function must be copyable.
  auto held = std::make_shared<Decision>(std::move(decision));
  ports_.ledger->Write(std::move(entries),
                       [this, alive = std::weak_ptr<bool>(alive_), scheduler = ports_.scheduler,
                        held, now](absl::Status status) {
                         scheduler->Post([this, alive, held, now, status = std::move(status)] {
                           if (alive.expired()) return;
                           writing_ = false;
                           if (status.ok()) {
                             Apply(std::move(*held), now);
                           } else {
                             queue_.push_front(LedgerFailed{held->entries, status});
                           }
                           Run();
                         });
                       });
}

void AgentCore::Apply(Decision&& decision, absl::Duration decided_at) {
  for (const Ledger::Entry& entry : decision.entries) Evolve(state_, entry, decided_at);
  for (const Change& change : decision.changes) Evolve(state_, change);
  for (Effect& effect : decision.effects) {
    std::visit([&](auto& one) { Do(one, decided_at); }, effect);
  }
}

}  // namespace baton::agent
