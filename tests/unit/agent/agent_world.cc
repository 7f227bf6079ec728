#include "tests/unit/agent/agent_world.h"

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"

namespace baton::agent {
namespace {

template <class Key, class Value>
void Put(std::vector<std::pair<Key, Value>>& list, const Key& key, const Value& value) {
  for (auto& [known, held] : list) {
    if (known != key) continue;
    held = value;
    return;
  }
  list.emplace_back(key, value);
}

}  // namespace

void FakeLedger::Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) {
  auto work = [this, entries = std::move(entries), done = std::move(done)] {
    if (failure.ok()) {
      for (const Entry& entry : entries) Enter(entry);
    }
    loop_->Post([done, status = failure] { done(status); });
  };
  if (delay == absl::ZeroDuration()) return work();
  loop_->After(delay, work);
}

void FakeLedger::Enter(const Entry& entry) {
  history.push_back(entry);
  if (const auto* accepted = std::get_if<CommandAccepted>(&entry)) {
    EXPECT_EQ(Find(accepted->command.id), nullptr) << "accepted twice";
    disk.commands.push_back({accepted->command, std::nullopt});
  } else if (const auto* finished = std::get_if<CommandFinished>(&entry)) {
    for (LedgerCommand& command : disk.commands) {
      if (command.command.id == finished->command) command.outcome = finished->outcome;
    }
  } else if (const auto* seen = std::get_if<EpochSeen>(&entry)) {
    const Epoch before = EpochOf(seen->pool);
    const bool pinned = std::any_of(disk.journals.begin(), disk.journals.end(),
                                    [&](const auto& one) { return one.first == seen->pool; });
    if (!seen->journal.empty() && (!pinned || seen->epoch.generation > before.generation)) {
      Put(disk.journals, seen->pool, seen->journal);
    }
    Put(disk.epochs, seen->pool, std::max(before, seen->epoch));
  } else if (const auto* fence = std::get_if<FenceWritten>(&entry)) {
    Put(disk.fences, fence->resource, fence->record);
  } else if (const auto* session = std::get_if<SessionOpened>(&entry)) {
    EXPECT_GT(session->counter, disk.session_counter);
    disk.session_counter = session->counter;
  }
}

const LedgerCommand* FakeLedger::Find(const CommandId& id) const {
  for (const LedgerCommand& command : disk.commands) {
    if (command.command.id == id) return &command;
  }
  return nullptr;
}

Epoch FakeLedger::EpochOf(const PoolId& pool) const {
  for (const auto& [known, epoch] : disk.epochs) {
    if (known == pool) return epoch;
  }
  return Epoch{};
}

void FakeRunner::Start(const Command& command, std::function<void(Progress)> progress,
                       std::function<void(Outcome)> done) {
  EXPECT_FALSE(running.has_value()) << "a second command while one runs";
  const LedgerCommand* entry = ledger->Find(command.id);
  EXPECT_TRUE(entry != nullptr && !entry->outcome.has_value()) << "acts before it is Accepted";
  EXPECT_EQ(++starts[command.id], 1) << command.id << " acts twice";
  running = {command, std::move(progress), std::move(done)};
}

void FakeRunner::Look(const Command& command, std::function<void(Outcome)> done) {
  looked.push_back(command.id);
  done(look);
}

void FakeRunner::Check(const Action& action, std::function<void(Outcome)> done) {
  checked.push_back(std::string(ActionName(action)));
  done(OkOutcome());
}

void FakeRunner::Finish(Outcome outcome) {
  ASSERT_TRUE(running.has_value());
  Running ended = *std::move(running);
  running.reset();
  ended.done(std::move(outcome));
}

void FakeProbe::Observe(std::function<void(Observation)> done) {
  EXPECT_TRUE(waiting.empty()) << "a look overlaps another";
  ++looks;
  waiting.push_back(std::move(done));
  if (!hangs) Answer();
}

void FakeProbe::Answer() {
  std::vector<std::function<void(Observation)>> asked = std::move(waiting);
  waiting.clear();
  for (const auto& done : asked) done(seen);
}

void FakeFenceFile::Read(
    std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) {
  auto answer = [this, done = std::move(done)] {
    if (!unreadable.ok()) return done(unreadable, boot);
    if (file.has_value()) return done(*file, boot);
    done(absl::NotFoundError("no fence file"), boot);
  };
  if (!hangs) return answer();
  waiting.push_back(answer);
}

void FakeFenceFile::Write(const FenceRecord& record, std::function<void(absl::Status)> done) {
  ++writes;
  auto work = [this, record, done = std::move(done)] {
    if (failure.ok()) file = record;
    done(failure);
  };
  if (!writes_hang) return work();
  waiting.push_back(work);
}

void FakeFenceFile::Enforce(std::function<void(absl::Status)> done) {
  EXPECT_TRUE(enforcing.empty()) << "one at a time";
  enforcing.push_back(std::move(done));
}

void FakeChildren::End(std::vector<ChildProcess> children,
                       std::function<void(std::vector<ChildProcess>)> done) {
  ended.insert(ended.end(), children.begin(), children.end());
  done({});
}

void FakeLink::Open(const Hello& hello, Events events) {
  open = true;
  hellos.push_back(hello);
  streams.push_back(std::move(events));
}

HostWorld::HostWorld() : ledger(&loop) {
  for (const ResourceId& id : {kDatabase, kChat}) {
    runners[id].ledger = &ledger;
    probes[id];
    fences[id];
  }
  probes[kDatabase].seen.detail = DatabaseObservation{};
  probes[kChat].seen.detail = ChatObservation{};
}

void HostWorld::Boot() {
  core.reset();
  loop.Clear();
  std::vector<AgentCore::Resource> given;
  for (auto& [id, runner] : runners) {
    runner.running.reset();
    probes[id].waiting.clear();
    fences[id].waiting.clear();
    fences[id].enforcing.clear();
    const auto other = acting.find(id);
    ActionRunner* acts = other == acting.end() ? &runner : other->second;
    given.push_back({{id, kPool}, &probes[id], acts, &fences[id]});
  }
  AgentCore::Options options = {HostId("h1"), "test", 7,
                                [this](Severity, const std::string& text) { log.push_back(text); }};
  core = std::make_unique<AgentCore>(
      options, AgentCore::Ports{&loop, &loop, &ledger, &children, &link}, given, ledger.disk);
  core->Start();
  loop.RunReady();
}

void HostWorld::BootAndWelcome(const JournalId& journal) {
  Boot();
  WelcomeNow(journal);
}

void HostWorld::WelcomeNow(const JournalId& journal) {
  Deliver(Welcome{SessionId("s"), journal, absl::Seconds(1)});
}

void HostWorld::Deliver(const FromCoordinator& message) {
  ASSERT_FALSE(link.streams.empty());
  link.streams.back().message(message);
  loop.RunReady();
}

void HostWorld::LoseLink(absl::Status status) {
  link.streams.back().closed(std::move(status));
  loop.RunReady();
}

Command HostWorld::MakeCommand(const std::string& id, Epoch epoch,
                               const ResourceId& resource) const {
  Command command;
  command.id = CommandId(id);
  command.pool = kPool;
  command.resource = resource;
  command.epoch = epoch;
  command.timeout = absl::Seconds(30);
  command.action = EndConnections{};
  return command;
}

std::optional<Outcome> HostWorld::Told(const std::string& id) const {
  std::optional<Outcome> outcome;
  for (const Finished& finished : link.All<Finished>()) {
    if (finished.command == CommandId(id)) outcome = finished.outcome;
  }
  return outcome;
}

FenceRecord OpenFence(Epoch write, const LedgerId& ledger) {
  FenceRecord record;
  record.pool = kPool;
  record.resource = kDatabase;
  record.phase = FencePhase::kOpen;
  record.fence_epoch = write;
  record.write = Lineage{"sys", write, HostId("h1"), ShareId("s1"), std::nullopt};
  record.ledger = ledger;
  record.confirmed_boot = kBoot;
  return record;
}

}  // namespace baton::agent
