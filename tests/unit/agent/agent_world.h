// One host for the agent's core: its disk survives what happens to the agent.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/core/agent_core.h"
#include "tests/unit/agent/virtual_loop.h"

namespace baton::agent {

inline const PoolId kPool("chat.example.com");
inline const ResourceId kDatabase("mgc");
inline const ResourceId kChat("prosody");
inline const BootId kBoot("boot-1");
inline const JournalId kJournal("journal-1");

// The ledger's disk. What was written and what was answered may differ when the agent ends.
class FakeLedger : public Ledger {
 public:
  explicit FakeLedger(VirtualLoop* loop) : loop_(loop) { disk.id = LedgerId("ledger-1"); }
  void Write(std::vector<Entry> entries, std::function<void(absl::Status)> done) override;
  void Enter(const Entry& entry);
  const LedgerCommand* Find(const CommandId& id) const;
  Epoch EpochOf(const PoolId& pool) const;

  Contents disk;
  std::vector<Entry> history;
  absl::Status failure;  // what the next writes end with
  absl::Duration delay = absl::ZeroDuration();

 private:
  VirtualLoop* loop_;
};

class FakeRunner : public ActionRunner {
 public:
  struct Running {
    Command command;
    std::function<void(Progress)> progress;
    std::function<void(Outcome)> done;
  };
  void Start(const Command& command, std::function<void(Progress)> progress,
             std::function<void(Outcome)> done) override;
  void Cancel(const CommandId& id) override { cancelled.push_back(id); }
  void Look(const Command& command, std::function<void(Outcome)> done) override;
  void Check(const Action& action, std::function<void(Outcome)> done) override;
  void Finish(Outcome outcome);

  FakeLedger* ledger = nullptr;
  std::optional<Running> running;
  std::map<CommandId, int> starts;
  std::vector<CommandId> cancelled;
  std::vector<CommandId> looked;
  std::vector<std::string> checked;
  Outcome look = OkOutcome();
};

class FakeProbe : public Probe {
 public:
  void Observe(std::function<void(Observation)> done) override;
  void Answer();

  bool hangs = false;  // answers only when told
  int looks = 0;
  Observation seen;
  std::vector<std::function<void(Observation)>> waiting;
};

class FakeFenceFile : public FenceFile {
 public:
  void Read(std::function<void(absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>)> done) override;
  void Write(const FenceRecord& record, std::function<void(absl::Status)> done) override;
  void Enforce(std::function<void(absl::Status)> done) override;

  std::optional<FenceRecord> file;
  BootId boot = kBoot;
  int writes = 0;
  bool hangs = false;                                        // reads answer only when told
  bool writes_hang = false;                                  // likewise
  absl::Status failure;                                      // of writes
  absl::Status unreadable;                                   // of reads, unless OK
  std::vector<std::function<void(absl::Status)>> enforcing;  // each answers when told
  std::vector<std::function<void()>> waiting;
};

class FakeChildren : public Children {
 public:
  void End(std::vector<ChildProcess> children,
           std::function<void(std::vector<ChildProcess>)> done) override;
  std::vector<ChildProcess> ended;
};

class FakeLink : public CoordinatorLink {
 public:
  void Open(const Hello& hello, Events events) override;
  void Send(const ToCoordinator& message) override { sent.push_back(message); }
  void Close() override { open = false; }

  template <class Message>
  std::vector<Message> All() const {
    std::vector<Message> all;
    for (const ToCoordinator& message : sent) {
      if (const auto* one = std::get_if<Message>(&message)) all.push_back(*one);
    }
    return all;
  }

  bool open = false;
  std::vector<Hello> hellos;
  std::vector<Events> streams;
  std::vector<ToCoordinator> sent;
};

struct HostWorld {
  HostWorld();

  // (Re)starts the agent over the same disk; what the one before had under way is lost.
  void Boot();
  // Boot, and Welcome from the coordinator of `journal`.
  void BootAndWelcome(const JournalId& journal = kJournal);
  void WelcomeNow(const JournalId& journal = kJournal);
  void Deliver(const FromCoordinator& message);
  void LoseLink(absl::Status status = absl::UnavailableError("gone"));
  Command MakeCommand(const std::string& id, Epoch epoch = {1, 1},
                      const ResourceId& resource = kDatabase) const;
  // The last Finished of a command; none: not told.
  std::optional<Outcome> Told(const std::string& id) const;

  VirtualLoop loop;
  FakeLedger ledger;
  FakeChildren children;
  FakeLink link;
  std::map<ResourceId, FakeRunner> runners;
  std::map<ResourceId, ActionRunner*> acting;  // in place of the one above
  std::map<ResourceId, FakeProbe> probes;
  std::map<ResourceId, FakeFenceFile> fences;
  std::vector<std::string> log;
  std::unique_ptr<AgentCore> core;
};

FenceRecord OpenFence(Epoch write, const LedgerId& ledger = LedgerId("ledger-1"));

}  // namespace baton::agent
