// Who speaks for which host, and what they saw.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "baton/v1/agent_session.pb.h"
#include "common/base/clock.h"
#include "common/base/scheduler.h"
#include "coordinator/executor/driver.h"
#include "coordinator/executor/ports.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/transport/session_link.h"

namespace baton {

// An agent that was turned away because its ledger is not the one known for its host.
struct RefusedAgent {
  LedgerId ledger;
  std::string why;
  std::string peer;
};

// The sessions of all agents (protocol.md "Session"): at most one per host, opened by Hello and
// Welcome, ready once its first full report is in. Owns the observations. Everything is called, and
// calls back, on the loop. A message that is not understood ends its own session and nothing else.
class SessionRegistry : public AgentGateway {
 public:
  struct Options {
    JournalId journal;
    absl::Duration report_interval = absl::Seconds(1);
  };
  // How far a command is; for those who watch.
  using OnProgress = std::function<void(const HostId&, const v1::CommandProgress&)>;

  SessionRegistry(const Clock& clock, Scheduler& scheduler, Options options);
  ~SessionRegistry() override;

  // Once, before any session. The driver outlives the registry's use of it.
  void Attach(Driver& driver) { driver_ = &driver; }
  void SetProgressHook(OnProgress hook) { on_progress_ = std::move(hook); }

  // Sessions of hosts that are gone from the topology end.
  void SetTopology(std::shared_ptr<const Topology> topology);
  // After each record: confirmations may have become due, or an accepted ledger may speak.
  void OnRecord(const Record& record);

  void Send(const HostId& host, const Command& command) override;
  void Query(const HostId& host, const CommandId& command) override;
  void Cancel(const HostId& host, const CommandId& command) override;
  bool Connected(const HostId& host) const override;

  // Checks the real preconditions of `action` on the agent; `done` comes once, at the latest after
  // `limit`. Without a session, or when it ends: refused.
  void DryRun(const ResourceRef& target, const Action& action, absl::Duration limit,
              std::function<void(Outcome)> done);

  // Null: none is waiting to be accepted.
  const RefusedAgent* FindRefused(const HostId& host) const;
  std::string PeerOf(const HostId& host) const;
  // It has a session, and told in it how everything on it stands.
  bool HasReported(const HostId& host) const;

  // For snapshots, which date them (Snapshot::Date). The revision grows with every change.
  const std::map<HostId, AgentView>& agents() const { return agents_; }
  const std::map<ResourceRef, SeenResource>& resources() const { return resources_; }
  uint64_t revision() const { return revision_; }

  // From the streams. A link is used until OnClosed or until Close was called on it.
  void OnOpened(SessionLink* link);
  void OnMessage(SessionLink* link, v1::AgentMessage message);
  void OnClosed(SessionLink* link);

 private:
  struct PendingDryRun {
    std::function<void(Outcome)> done;
    TimerId timer = 0;
  };
  struct Session {
    SessionLink* link = nullptr;
    SessionId id;  // empty until Welcome
    HostId host;   // empty until Hello
    LedgerId ledger;
    uint64_t counter = 0;
    BootId boot;
    std::string version;
    bool ready = false;                           // its observations are of this session
    absl::Duration heard = absl::ZeroDuration();  // since boot, the last message
    TimerId watchdog = 0;
    std::map<ResourceRef, Epoch> confirmed;         // told, and not withdrawn since
    std::map<ResourceRef, absl::Duration> retold;   // when an unconfirmed one was told again
    std::map<ResourceRef, absl::Duration> revoked;  // when one was told to be fenced
    std::map<std::string, PendingDryRun> dry_runs;
  };
  struct LastCounter {
    LedgerId ledger;
    uint64_t counter = 0;
  };

  Session* Find(SessionLink* link);
  Session* FindWelcomed(const HostId& host);
  const Session* FindWelcomed(const HostId& host) const;

  // Hello, in session_open.cc. An error ends the session with it.
  absl::Status OnHello(Session& session, const v1::Hello& hello);
  absl::Status CheckHello(const v1::Hello& hello) const;
  void Pin(const HostId& host, const LedgerId& ledger);
  absl::Status Admit(Session& session);
  absl::Status ReplaceOlder(const Session& session);
  absl::Status RefuseLedger(const Session& session, const LedgerId& known);

  // Everything after Welcome, in session_messages.cc.
  absl::Status Handle(Session& session, const v1::AgentMessage& message);
  absl::Status OnReport(Session& session, const v1::Report& report);
  absl::Status OnFinished(const Session& session, const std::string& command,
                          const v1::Outcome& outcome);
  absl::Status OnCommandState(const Session& session, const v1::CommandState& state);
  absl::Status OnDryRunResult(Session& session, const v1::DryRunResult& result);
  bool Owns(const Session& session, const CommandId& command) const;
  void Store(const Session& session, const Observation& seen);
  void NoteClock(const Session& session, absl::Time clock);

  void Watch(Session& session);
  void CheckAlive(SessionLink* link, bool second_look);
  void TellConfirmations(Session& session);
  void RepeatConfirmation(Session& session, const ResourceRef& resource);
  void SendConfirm(Session& session, const Confirmation& confirmation);
  // Fences what came back (protocol.md, rule 8), or notes that it is seen to be.
  void SettleReturns(Session& session);
  void NoteReturned(const Revocation& revocation);
  // Forgets the session, tells the driver, and answers its dry runs.
  std::unique_ptr<Session> Drop(SessionLink* link);
  void End(SessionLink* link, const absl::Status& status);
  void Touch(const Session& session);

  const Clock& clock_;
  Scheduler& scheduler_;
  const Options options_;
  Driver* driver_ = nullptr;
  OnProgress on_progress_;
  std::shared_ptr<const Topology> topology_;

  std::map<SessionLink*, std::unique_ptr<Session>> sessions_;
  std::map<HostId, SessionLink*> welcomed_;
  std::set<ResourceRef> returning_;  // seen to be fenced, whose record is not durable yet
  std::set<HostId> pinning_;         // first contacts whose record is not durable yet
  std::map<HostId, LastCounter> counters_;
  std::map<HostId, RefusedAgent> refused_;

  std::map<HostId, AgentView> agents_;
  std::map<ResourceRef, SeenResource> resources_;
  uint64_t revision_ = 0;
  uint64_t last_dry_run_ = 0;
};

}  // namespace baton
