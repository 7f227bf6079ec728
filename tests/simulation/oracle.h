// Knows the truth, whatever anybody says, and judges it by one checker per rule.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/protocol/action.h"
#include "common/protocol/observation.h"
#include "coordinator/executor/state.h"
#include "coordinator/model/goal.h"
#include "coordinator/model/snapshot.h"
#include "tests/simulation/world.h"

namespace baton::sim {

enum class Checker {
  kOneWriter,             // rule 1
  kEpochsOnlyGrow,        // rule 2
  kDurableBeforeSent,     // rule 3: a record before its command
  kAcceptedBeforeActing,  // rule 3: Accepted before acting, an id acts once
  kReplayIsMemory,        // rule 4: of the journal, and of each ledger
  kNeverAssumes,          // rule 4: a success that was recorded is true
  kNothingLost,           // rule 5
  kEndsOrWaits,           // rule 7
  kFencedOnReturn,        // rule 8
  kServedGoesOn,          // rule 9
  kOrder,                 // protocol.md "Order"
  kFencePhases,           // protocol.md "A fence has two durable phases"
  kFenceFile,             // protocol.md "The fence file"
  kGate,                  // protocol.md "The gate"
  kSupervisor,            // protocol.md "The supervisor"
  kLineage,               // protocol.md "Archives have lineage"
  kShareMarker,           // protocol.md "The share carries a marker"
  kRejoin,                // protocol.md "Rejoin never destroys orphans"
  kChat,                  // protocol.md "Chat"
  kSession,               // protocol.md "Session"
  kOneCommand,            // protocol.md "Agent": one command per resource at a time
  kPeers,                 // rule 10
  kRefuses,               // rule 6
  kLoss,                  // protocol.md "Coordinator": loss
  kOrphans,               // protocol.md "Rejoin never destroys orphans"
  kUndo,                  // protocol.md "Undo after the tail was shipped"
};
inline constexpr int kCheckers = 26;
struct CheckerInfo {
  std::string_view name;
  std::string_view rule;  // where it is written
  std::string_view sentence;
};
const CheckerInfo& InfoOf(Checker checker);

struct Violation {
  Checker checker = Checker::kOneWriter;
  std::string what;
  Nanos at = 0;
};

class Oracle {
 public:
  explicit Oracle(World& world) : world_(world) {}

  const std::optional<Violation>& violation() const { return violation_; }
  void Fail(Checker checker, std::string what);

  // --- from the world ---
  void OnWritable(const Unit& unit);
  void OnServerUp(const Unit& unit, bool read_write);
  void OnGate(const Unit& unit, GateVerdict verdict, const std::optional<FenceRecord>& fence);
  void OnStopBegins(const Unit& unit, bool asked);
  void OnFenceWritten(const Unit& unit, const FenceRecord& record);
  // A runner wrote the fence file: the ledger held it before.
  void OnFenceLedger(const Unit& unit, const FenceRecord& record,
                     const std::optional<FenceRecord>& in_ledger);
  void OnFenceLost(const Unit& unit);
  // Bytes of a fence file are gone; `left` is how it is read now.
  void OnFenceDamaged(const Unit& unit, const FenceRecord& before,
                      const std::optional<FenceRecord>& left);
  void OnPromotion(const Unit& unit);
  // A shipper has asked the fence and goes for this directory.
  void OnAsksToShip(const Unit& unit, const LineageKey& key);
  void OnShipped(const Unit& unit, const FileName& name, const Share& share);
  void OnDiverged(const Unit& unit);
  void OnChatServes(const Unit& unit);
  int64_t NewMessage() { return ++last_message_; }
  void OnAcknowledged(int64_t message, const Unit& database);
  uint64_t acknowledged() const { return acked_.size(); }
  int64_t last_acknowledged() const { return acked_.empty() ? 0 : acked_.back().message; }

  // --- from the agents ---
  void OnAct(const Unit& unit, const Command& command, const Epoch& durable_epoch, bool accepted);
  void OnActed(const Unit& unit, const Command& command, const Outcome& outcome);
  void OnAgentEnds(int host);
  void OnAgentEpoch(int host, const Epoch& epoch);
  // A ledger was compared with what its agent knows.
  void OnLedgerReplayed(int host, bool same);
  // `carried`: the number of the session that carried the command, `now` that of the agent's own.
  void OnSession(const Command& command, uint64_t carried, uint64_t now);
  // A child of a command that an earlier agent began.
  void OnOrphanActs(int host, bool agent_speaks);
  void OnConfirmed(const Unit& unit, const BootId& boot);
  // An agent opens a fence on the coordinator's word, not by a command.
  void OnReopened(const Unit& unit, const FenceRecord& record);
  // A supervisor has found an open fence and no server of its own.
  void OnUnattended(const Unit& unit);
  // The data of an instance is about to be removed; `named`: by an operator's word.
  void OnDataGone(const Unit& unit, const DataDirectory& data, bool named);

  // --- from the operator ---
  // A plan was made of what the operator `said`, and of what the coordinator has `seen`.
  void OnPlanned(const Plan& plan, const Goal& said, const Snapshot& seen);
  void OnReportsLate() { reports_late_ = true; }

  // Somebody lets a plan go on: his word about those of whom it told him.
  void OnResumed(const PlanId& plan);

  // --- from the coordinator ---
  void OnStarts();
  void OnAppended(const std::vector<Fact>& facts);
  void OnSessionOpened(const HostId& host);
  void OnSessionEnded(const HostId& host) { open_.erase(host); }
  void OnDurable(const Record& record);
  void OnSent(const Command& command);
  void OnConfirmSent(const Unit& unit, const Epoch& epoch, const Execution* running);
  void OnRecorded(const Record& record, const Execution& execution);
  void OnReplayed(const CoordinatorState& replayed, const CoordinatorState& memory);
  void OnFencedByHand(const Unit& unit);
  // Long enough after a fence by hand: its supervisor has acted.
  void OnHandFenceDue(const Unit& unit);

  // Of something that peers can make a process hold.
  void CheckHeld(const std::string& what, size_t held, size_t most);

  // Its right was taken while it was away, and nobody has seen it fenced since.
  bool Absent(const Unit& unit) const;
  // It is, and somebody's word stands for it: it has not answered since, or only when a Recover had
  // begun, or was said to be lost once more.
  bool Excused(const Unit& unit) const;
  // With nothing in the way any more: who came back is fenced.
  void CheckReturned();

  // --- at the end ---
  void CheckServed(const CoordinatorState& state);
  // A plan that neither waits nor has anything under way.
  void CheckGoesOn(const Execution& execution);

  const std::vector<std::string>& trace() const { return trace_; }
  void KeepTrace() { tracing_ = true; }
  void Trace(const std::string& line);
  bool tracing() const { return tracing_; }

 private:
  struct Acknowledged {
    int64_t message = 0;
    int database = 0;
    LogPosition position;
    Nanos at = 0;
  };
  Acknowledged Find(int64_t message, const Unit& unit) const;
  void CheckLoss(const Unit& unit, const Plan& plan);
  void CheckLossOfGivenUp(const Unit& unit, const Plan& plan);
  void CheckChatChosen(const Plan& plan, const Snapshot& seen);
  void CheckGapNamed(const Plan& plan, const Goal& said, const Snapshot& seen);
  void CheckWordGiven(const Plan& plan, const Goal& said, const Snapshot& seen);
  void CheckNobodyAwaited(const Plan& plan, const Snapshot& seen);
  void CheckOrphansKept();
  void CheckUndone(const Plan& plan);
  void OnAdmitted(const Plan& plan);
  void NoteContacts();
  void OnNoted(const ReturnNoted& fact);
  bool Recovers(const Fact& fact) const;
  void OnReturned(const ReturnFenced& fact);
  void CheckHolds(const Step& step, const Outcome& outcome);
  void CheckShipped(const Unit& unit, const LogPosition& final);
  void CheckPointsAtWriter(const Unit& unit, const Command& command);
  void CheckMayRecover(const Unit& unit, const Command& command);
  void CheckAcknowledged(const Unit& unit, const char* when);

  World& world_;
  std::optional<Violation> violation_;
  std::map<int, std::vector<const Unit*>> writable_;  // by database
  CoordinatorState durable_;                          // as the journal tells it
  PoolState before_;                                  // when the last plan was admitted
  std::vector<Acknowledged> acked_;
  std::vector<Acknowledged> lost_;  // by failovers, or told by who had no right any more
  std::set<int64_t> discarded_;
  std::set<HostId> open_;       // hosts with a session, as far as this coordinator got
  std::set<int> contacted_;     // units whose return was heard before a Recover began
  bool recover_asked_ = false;  // its record is on its way to the disk, or there
  Nanos started_ = 0;           // when the coordinator did
  std::set<HostId> heard_;      // that had a session with it
  std::set<std::pair<PlanId, HostId>> said_again_;  // lost on a word given while told to be silent
  std::map<int, PlanId> recovering_;                // by unit: for which plan it was last asked
  std::map<int, uint32_t> shipped_;  // by unit: the timeline that was shipped to its end
  Nanos raised_ = 0;                 // when an epoch was last raised
  bool reports_late_ = false;        // one lay unread: nobody can tell how old it is
  Nanos planned_ = 0;                // when the last failover was planned
  std::map<PlanId, Nanos> planned_at_;
  int64_t last_message_ = 0;
  std::set<CommandId> durable_commands_;
  std::set<Epoch> durable_epochs_;
  std::set<CommandId> acted_;
  std::map<int, Epoch> agent_epochs_;  // by host
  std::map<int, Epoch> fence_epochs_;  // by unit
  std::set<CommandId> sent_;
  std::map<int, Command> acting_;  // by unit
  std::set<int> proven_;           // units whose fence was proven, and not opened since
  std::map<int, std::pair<Epoch, BootId>> confirmations_;  // by unit: what was last told
  std::map<int, BootId> confirmed_;  // by unit: the boot in which its right was confirmed
  std::set<int> fenced_by_hand_;
  std::set<int> closed_by_others_;     // since the last command that wrote their fence
  std::set<int> damaged_;              // units whose fence file was damaged, not written since
  std::map<int, LogPosition> finals_;  // by database: what the last ShipTail told
  std::vector<std::string> trace_;
  bool tracing_ = false;
};

// One line for people.
std::string DescribeFact(const Record& record, const Execution& execution);

}  // namespace baton::sim
