#include "tests/simulation/oracle.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/simulation/agent.h"
#include "tests/simulation/trace.h"

namespace baton::sim {
namespace {

constexpr std::array<CheckerInfo, kCheckers> kInfos = {{
    {"one-writer", "architecture.md, rule 1",
     "At most one instance of a database can be written to, at any instant."},
    {"epochs-only-grow", "architecture.md, rule 2",
     "An epoch is raised above all before it, an agent never forgets one, and a fence outlives "
     "every restart."},
    {"durable-before-sent", "architecture.md, rule 3",
     "A record is durable before the command that follows from it is sent."},
    {"accepted-before-acting", "architecture.md, rule 3",
     "A command is in the ledger before it acts, the same id never acts twice, a retry is a new "
     "id."},
    {"replay-is-memory", "architecture.md, rule 4",
     "Replaying the journal, or a ledger, gives exactly the state in memory."},
    {"never-assumes", "architecture.md, rule 4", "A success that is recorded is a fact."},
    {"nothing-lost", "architecture.md, rule 5",
     "Every acknowledged message is in what is served, once."},
    {"ends-or-waits", "architecture.md, rule 7",
     "Every plan ends or waits visibly, and with everything mended the pool moves and serves."},
    {"fenced-on-return", "architecture.md, rule 8",
     "What comes back from a reboot starts nothing writable before its right was confirmed."},
    {"served-goes-on", "architecture.md, rule 9",
     "Nothing stops what serves, but a command of a plan or a fence."},
    {"order", "protocol.md, Order",
     "Recover begins when the losing side is proven fenced and its last record applied."},
    {"fence-phases", "protocol.md, A fence has two durable phases",
     "A proven fence is stopped with standby.signal in place; a shipped tail is in the share."},
    {"fence-file", "protocol.md, The fence file", "Ledger first, then the file, then its folder."},
    {"gate", "protocol.md, The gate",
     "Writable starts need an open, confirmed fence; none follows the proof of a fence; nobody "
     "confirms a right that is being taken away."},
    {"supervisor", "protocol.md, The supervisor",
     "A server that could write is stopped when its fence closes, agent or no agent."},
    {"lineage", "protocol.md, Archives have lineage",
     "One directory per right to write, and nothing beyond its seal is followed."},
    {"share-marker", "protocol.md, The share", "Nothing counts as shipped that is in no share."},
    {"rejoin", "protocol.md, Rejoin never destroys orphans",
     "The old primary follows: its log goes nowhere that the new one's does not."},
    {"chat", "protocol.md, Chat",
     "One chat server takes clients, it uses the database that holds the right, and one that was "
     "deactivated is gone."},
    {"session", "protocol.md, Session", "A command acts only in the session that carried it."},
    {"one-command", "protocol.md, Agent",
     "A restarted agent ends what an earlier one left before it speaks."},
    {"peers", "architecture.md, rule 10",
     "Nothing that a peer sends acts unasked, or makes a process hold more than its bounds."},
    {"refuses", "architecture.md, rule 6",
     "A failover past the loss limit, or away from who answers or was not said to be lost, is "
     "refused."},
    {"loss", "protocol.md, Coordinator", "A failover loses no more than it announced."},
    {"orphans", "protocol.md, Rejoin never destroys orphans",
     "What one instance alone holds is kept until somebody names it to be thrown away."},
    {"undo", "protocol.md, Undo after the tail was shipped",
     "Nothing is written in a timeline that was shipped to its end; after an undo everything is "
     "where it was."},
}};

}  // namespace

const CheckerInfo& InfoOf(Checker checker) { return kInfos[static_cast<int>(checker)]; }

void Oracle::Fail(Checker checker, std::string what) {
  if (violation_.has_value()) return;
  violation_ = Violation{checker, std::move(what), world_.queue.now()};
  world_.Tell([&] {
    return absl::StrCat("*** ", std::string(InfoOf(checker).name), " broken: ", violation_->what);
  });
}

void Oracle::Trace(const std::string& line) {
  if (tracing_) trace_.push_back(absl::StrCat(world_.queue.now(), " ", line));
}

// --- from the world ---

void Oracle::OnWritable(const Unit& unit) {
  std::vector<const Unit*>& able = writable_[unit.database];
  std::erase(able, &unit);
  if (unit.Writable()) able.push_back(&unit);
  if (tracing_) {
    Trace(absl::StrCat("writable ", unit.ref.ToString(), " ", unit.Writable() ? "yes" : "no"));
  }
  const auto shipped = shipped_.find(unit.index);
  if (unit.Writable() && shipped != shipped_.end() && unit.data.timeline == shipped->second) {
    Fail(Checker::kUndo, absl::StrCat(unit.ref.ToString(), " accepts writes in timeline ",
                                      shipped->second, ", which was shipped to its end"));
  }
  // A false word that one is lost is the exception; it ends when that one answers, or, once the
  // other one is being recovered, is seen to be fenced.
  const auto present =
      std::count_if(able.begin(), able.end(), [this](const Unit* one) { return !Excused(*one); });
  if (present > 1) {
    Fail(Checker::kOneWriter, absl::StrCat(able[0]->ref.ToString(), " and ",
                                           able[1]->ref.ToString(), " both accept writes"));
  }
}

void Oracle::OnGate(const Unit& unit, GateVerdict verdict,
                    const std::optional<FenceRecord>& fence) {
  if (tracing_) {
    Trace(absl::StrCat("gate ", unit.ref.ToString(), " ", std::string(ToString(verdict))));
  }
  if (verdict != GateVerdict::kReadWrite) return;
  if (!fence.has_value() || fence->phase != FencePhase::kOpen) {
    Fail(Checker::kGate,
         absl::StrCat(
             "the gate lets ", unit.ref.ToString(), " start writable though its fence is ",
             fence.has_value() ? std::string(ToString(fence->phase)) : std::string("missing")));
    return;
  }
  const auto confirmed = confirmed_.find(unit.index);
  if (confirmed == confirmed_.end() || confirmed->second != unit.host.boot) {
    Fail(Checker::kFencedOnReturn,
         absl::StrCat(unit.ref.ToString(), " starts writable in boot ", unit.host.boot.value(),
                      ", in which nobody has confirmed its right"));
  }
}

void Oracle::OnServerUp(const Unit& unit, bool read_write) {
  if (read_write && proven_.contains(unit.index)) {
    Fail(Checker::kGate,
         absl::StrCat(unit.ref.ToString(), " came up writable after its fence had been proven"));
  }
}

void Oracle::OnStopBegins(const Unit& unit, bool asked) {
  const auto& fence = unit.fence.visible;
  if (!fence.has_value() || fence->phase >= FencePhase::kClosing) return;
  const auto acting = acting_.find(unit.index);
  if (asked && acting != acting_.end() &&
      (std::holds_alternative<Fence>(acting->second.action) ||
       std::holds_alternative<Deactivate>(acting->second.action) ||
       std::holds_alternative<ShipTail>(acting->second.action) ||
       std::holds_alternative<Stop>(acting->second.action))) {
    return;
  }
  Fail(Checker::kServedGoesOn,
       absl::StrCat(unit.ref.ToString(), " is stopped, and neither a command nor a fence says so"));
}

void Oracle::CheckHeld(const std::string& what, size_t held, size_t most) {
  if (held <= most) return;
  Fail(Checker::kPeers, absl::StrCat("found ", held, " ", what, ", wanted ", most, " at most"));
}

void Oracle::OnFenceDamaged(const Unit& unit, const FenceRecord& before,
                            const std::optional<FenceRecord>& left) {
  if (left.has_value() && *left != before) {
    Fail(Checker::kFenceFile, absl::StrCat("the damaged fence file of ", unit.ref.ToString(),
                                           " is read as ", std::string(ToString(left->phase)),
                                           " under epoch ", left->fence_epoch.ToString()));
  }
  if (left.has_value()) return;
  damaged_.insert(unit.index);
  closed_by_others_.insert(unit.index);
  fenced_by_hand_.insert(unit.index);
}

void Oracle::OnFenceWritten(const Unit& unit, const FenceRecord& record) {
  if (unit.fence.visible == record) damaged_.erase(unit.index);
  if (tracing_) {
    Trace(absl::StrCat("fence ", unit.ref.ToString(), " ", std::string(ToString(record.phase)), " ",
                       record.fence_epoch.ToString(), " ",
                       record.write.has_value() ? record.write->epoch.ToString() : "-"));
  }
  Epoch& highest = fence_epochs_[unit.index];
  if (record.fence_epoch < highest) {
    Fail(Checker::kEpochsOnlyGrow,
         absl::StrCat("the fence of ", unit.ref.ToString(), " went from epoch ", highest.ToString(),
                      " to ", record.fence_epoch.ToString()));
  }
  highest = record.fence_epoch;
  if (damaged_.contains(unit.index)) return;
  if (!unit.fence.durable.has_value() || unit.fence.durable->fence_epoch < record.fence_epoch) {
    Fail(Checker::kFenceFile,
         absl::StrCat("the fence of ", unit.ref.ToString(),
                      " counts as written, and would not survive a power cut"));
  }
}

void Oracle::OnFenceLedger(const Unit& unit, const FenceRecord& record,
                           const std::optional<FenceRecord>& in_ledger) {
  if (unit.fence.visible == record) closed_by_others_.erase(unit.index);
  if (in_ledger.has_value() && in_ledger->fence_epoch >= record.fence_epoch) return;
  Fail(Checker::kFenceFile,
       absl::StrCat("the fence of ", unit.ref.ToString(), " is in its file and not in the ledger"));
}

void Oracle::OnFenceLost(const Unit& unit) {
  const auto it = fence_epochs_.find(unit.index);
  if (it == fence_epochs_.end() || damaged_.contains(unit.index)) return;
  const auto& fence = unit.fence.visible;
  if (fence.has_value() && fence->fence_epoch >= it->second) return;
  Fail(Checker::kEpochsOnlyGrow,
       absl::StrCat("the fence of ", unit.ref.ToString(), " under epoch ", it->second.ToString(),
                    " did not survive a power cut"));
}

void Oracle::CheckAcknowledged(const Unit& unit, const char* when) {
  std::vector<int64_t> held;
  held.reserve(unit.data.log.size());
  for (const LogEntry& entry : unit.data.log) {
    if (entry.message != 0) held.push_back(entry.message);
  }
  std::sort(held.begin(), held.end());
  if (std::adjacent_find(held.begin(), held.end()) != held.end()) {
    Fail(Checker::kNothingLost, absl::StrCat(when, " ", unit.ref.ToString(), " has one twice"));
  }
  for (const Acknowledged& acked : acked_) {
    if (acked.database != unit.database ||
        std::binary_search(held.begin(), held.end(), acked.message)) {
      continue;
    }
    Fail(Checker::kNothingLost, absl::StrCat(when, " ", unit.ref.ToString(), " lacks message ",
                                             acked.message, ", which a client was told is safe"));
    return;
  }
}

void Oracle::OnPromotion(const Unit& unit) {
  if (tracing_) {
    Trace(absl::StrCat("promoted ", unit.ref.ToString(), " ", unit.data.Position().ToString()));
  }
  const auto plan = recovering_.find(unit.index);
  const Execution* recovers =
      plan == recovering_.end() ? nullptr : durable_.FindExecution(plan->second);
  if (recovers != nullptr && recovers->plan->kind == PlanKind::kFailover) {
    CheckLoss(unit, *recovers->plan);
  }
  CheckAcknowledged(unit, "promoted,");
}

void Oracle::OnShipped(const Unit& unit, const FileName& name, const Share& share) {
  if (share.mounted) return;
  Fail(Checker::kShareMarker, absl::StrCat(unit.ref.ToString(), " ships segment ", name.segment,
                                           " to ", share.id.value(), ", which is not mounted"));
}

void Oracle::OnAsksToShip(const Unit& unit, const LineageKey& key) {
  const auto& write = unit.fence.visible.has_value() ? unit.fence.visible->write : std::nullopt;
  if (key.host != unit.host.index || (write.has_value() && write->epoch != key.epoch)) {
    Fail(Checker::kLineage, absl::StrCat(unit.ref.ToString(), " ships into the directory of epoch ",
                                         key.epoch.ToString(), ", which is another's"));
  }
}

void Oracle::OnDiverged(const Unit& unit) {
  Fail(Checker::kRejoin, absl::StrCat(unit.ref.ToString(), " cannot follow: ", unit.problem));
}

void Oracle::OnChatServes(const Unit& unit) {
  if (Absent(unit)) return;
  int accepting = 0;
  for (const auto& other : world_.units) {
    if (!other->is_database() && other->accepting && !Excused(*other)) ++accepting;
  }
  if (accepting > 1) {
    Fail(Checker::kChat,
         absl::StrCat("two chat servers take clients, one is ", unit.ref.ToString()));
  }
  const Unit* database = world_.InstanceOn(0, unit.uses);
  // Closed by somebody who is no plan: chat can only hang until it is open again.
  if (database != nullptr && closed_by_others_.contains(database->index)) return;
  if (database == nullptr || !database->fence.visible.has_value() ||
      database->fence.visible->phase >= FencePhase::kClosing) {
    Fail(Checker::kChat, absl::StrCat(unit.ref.ToString(),
                                      " takes clients over a database that may not be written"));
  }
}

void Oracle::OnAcknowledged(int64_t message, const Unit& database) {
  // Of one whose right was taken while it was away: nobody promised that it lasts.
  (Absent(database) ? lost_ : acked_).push_back(Find(message, database));
  if (tracing_) Trace(absl::StrCat("acknowledged ", message, " ", database.ref.ToString()));
}

// --- from the agents ---

void Oracle::OnAct(const Unit& unit, const Command& command, const Epoch& durable_epoch,
                   bool accepted) {
  acting_[unit.index] = command;
  if (tracing_) {
    Trace(absl::StrCat("act ", command.id.value(), " ", std::string(ActionName(command.action)),
                       " ", unit.ref.ToString(), " ", command.epoch.ToString()));
  }
  if (!sent_.contains(command.id)) {
    Fail(Checker::kPeers, absl::StrCat(command.id.value(), " acts, and nobody has sent it"));
  }
  if (!accepted) {
    Fail(Checker::kAcceptedBeforeActing,
         absl::StrCat(command.id.value(), " acts, and the ledger on disk does not hold it"));
  }
  if (!acted_.insert(command.id).second) {
    Fail(Checker::kAcceptedBeforeActing, absl::StrCat(command.id.value(), " acts a second time"));
  }
  if (durable_epoch < command.epoch) {
    Fail(Checker::kEpochsOnlyGrow,
         absl::StrCat(command.id.value(), " acts under epoch ", command.epoch.ToString(),
                      ", the ledger of ", unit.host.id.value(), " knows only ",
                      durable_epoch.ToString()));
  }
  if (std::holds_alternative<Recover>(command.action)) {
    recovering_[unit.index] = command.plan;
    CheckMayRecover(unit, command);
  }
  if (std::holds_alternative<Activate>(command.action)) CheckPointsAtWriter(unit, command);
}

void Oracle::CheckMayRecover(const Unit& unit, const Command& command) {
  const std::vector<Step>& steps = durable_.FindExecution(command.plan)->plan->steps;
  const auto ships = [&steps](const Unit& one) {
    return std::any_of(steps.begin(), steps.end(), [&one](const Step& step) {
      const Action* action = step.action();
      return action != nullptr && std::holds_alternative<ShipTail>(*action) &&
             step.target == one.ref;
    });
  };
  for (const auto& other : world_.units) {
    if (!other->is_database() || other->host.index == unit.host.index) continue;
    if (Excused(*other) || !other->data.Whole()) continue;
    const auto& fence = other->fence.visible;
    const bool shipped = ships(*other);
    const FencePhase wanted = shipped ? FencePhase::kClosed : FencePhase::kClosing;
    const bool fenced =
        fence.has_value() ? fence->phase >= wanted : damaged_.contains(other->index);
    if (!fenced || other->Writable()) {
      Fail(Checker::kOrder,
           absl::StrCat("Recover of ", unit.ref.ToString(), " begins while ", other->ref.ToString(),
                        " is not fenced", shipped ? " and shipped" : ""));
      return;
    }
  }
  for (const auto& [database, final] : finals_) {
    const Unit* gains = world_.InstanceOn(database, unit.host.index);
    const bool planned =
        std::any_of(world_.units.begin(), world_.units.end(), [&, of = database](const auto& one) {
          return one->database == of && one.get() != gains && ships(*one);
        });
    if (!planned) continue;
    if (gains->data.timeline > final.timeline || gains->data.end > final.lsn) continue;
    // It had, and was started anew since: what it lacks when it is promoted is looked at then.
    if (gains->data.forgotten > final) continue;
    Fail(Checker::kOrder,
         absl::StrCat("Recover of ", unit.ref.ToString(), " begins while ", gains->ref.ToString(),
                      " has applied ", gains->data.Position().ToString(),
                      " and the final position is ", final.ToString()));
  }
}

void Oracle::OnActed(const Unit& unit, const Command& command, const Outcome& outcome) {
  acting_.erase(unit.index);
  if (tracing_) {
    Trace(absl::StrCat("acted ", command.id.value(), " ", std::string(ToString(outcome.code)), " ",
                       TracePosition(outcome.position)));
  }
  const bool moves = std::holds_alternative<Quarantine>(command.action);
  if (moves && outcome.reason == "NO_ROOM" && !unit.data.Whole()) {
    Fail(Checker::kOrphans,
         absl::StrCat(unit.ref.ToString(), " has no room for a quarantine, and its data is gone"));
  }
  if (!outcome.ok()) return;
  if (std::holds_alternative<Fence>(command.action)) {
    const bool stopped = !unit.Runs() || unit.state() == ServerState::kStandby;
    if (!stopped || unit.Writable() || !unit.data.standby_signal) {
      Fail(Checker::kFencePhases,
           absl::StrCat("Fence of ", unit.ref.ToString(), " counts as proven, and ",
                        !unit.data.standby_signal ? "standby.signal is missing"
                                                  : "it can still be written to"));
    }
    proven_.insert(unit.index);
  } else if (std::holds_alternative<Deactivate>(command.action)) {
    if (unit.Runs()) {
      Fail(Checker::kChat, absl::StrCat(unit.ref.ToString(), " counts as deactivated and runs"));
    }
    proven_.insert(unit.index);
  } else if (std::holds_alternative<ShipTail>(command.action)) {
    finals_[unit.database] = *outcome.position;
    shipped_[unit.index] = outcome.position->timeline;
    CheckShipped(unit, *outcome.position);
  }
}

// Every segment up to the final position lies in the share, in the lineage's directory or, where
// the instance got its right back in the same timeline, in one before it.
void Oracle::CheckShipped(const Unit& unit, const LogPosition& final) {
  const auto& fence = unit.fence.visible;
  if (!fence.has_value() || !fence->write.has_value()) return;
  const LineageKey key = world_.KeyOf(unit.database, *fence->write);
  const Share& share = *world_.ShareOf(fence->write->share);
  const uint64_t first = unit.data.history.empty() ? kSegmentBytes : unit.data.history.back().lsn;
  for (uint64_t n = first / kSegmentBytes; n <= final.lsn / kSegmentBytes; ++n) {
    const FileName name{final.timeline, n, false};
    const bool there = std::any_of(share.files.begin(), share.files.end(), [&](const auto& entry) {
      const LineageKey& directory = entry.first.first;
      return directory.database == key.database && directory.host == key.host &&
             entry.first.second == name;
    });
    // Somebody took it away since.
    const bool was = std::any_of(share.gone.begin(), share.gone.end(), [&](const auto& one) {
      return one.first.database == key.database && one.first.host == key.host && one.second == name;
    });
    if (there || was) continue;
    Fail(Checker::kFencePhases,
         absl::StrCat("the tail of ", unit.ref.ToString(), " counts as shipped to ",
                      final.ToString(), ", and segment ", n, " is not in the share"));
    return;
  }
}

void Oracle::OnAgentEnds(int host) {
  for (const Unit* unit : world_.hosts[host].units) acting_.erase(unit->index);
}

void Oracle::OnAgentEpoch(int host, const Epoch& epoch) {
  Epoch& seen = agent_epochs_[host];
  seen = std::max(seen, epoch);
}

void Oracle::OnLedgerReplayed(int host, bool same) {
  if (same) return;
  Fail(Checker::kReplayIsMemory, absl::StrCat("the ledger of ", world_.hosts[host].id.value(),
                                              " tells another story than the memory of its agent"));
}

void Oracle::OnSession(const Command& command, uint64_t carried, uint64_t now) {
  if (carried == now) return;
  Fail(Checker::kSession, absl::StrCat(command.id.value(), " was carried by session ", carried,
                                       " and acts in session ", now));
}

void Oracle::OnOrphanActs(int host, bool agent_speaks) {
  if (!agent_speaks) return;
  Fail(Checker::kOneCommand,
       absl::StrCat("a child of a command that an earlier agent on ", world_.hosts[host].id.value(),
                    " began still acts, and the new agent speaks already"));
}

void Oracle::OnConfirmed(const Unit& unit, const BootId& boot) {
  confirmed_[unit.index] = boot;
  proven_.erase(unit.index);
}

}  // namespace baton::sim
