#include "coordinator/planner/failover.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/explain.h"
#include "coordinator/planner/failover_checks.h"
#include "coordinator/planner/plan_builder.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/word.h"

namespace baton {
namespace {

// The highest epoch that the plan has to rise above: an override lets it go on above a fence that
// was put there by hand.
Epoch EpochAbove(const Inquiry& ask, const PoolState& state) {
  const Epoch highest = HighestSeen(ask);
  const bool above = ask.goal.override_rules.contains(kFenceEpochAhead) &&
                     highest.generation == state.epoch.generation;
  return above ? highest : state.epoch;
}

class Failover {
 public:
  Failover(const Inquiry& ask, const PoolState& state, std::vector<Takeover> takeovers,
           ServingChat serving, std::vector<const ChatServer*> next)
      : ask_(ask),
        takeovers_(std::move(takeovers)),
        serving_(std::move(serving)),
        next_(std::move(next)),
        builder_(ask) {
    Plan& plan = builder_.plan();
    const DatabaseMove& first = takeovers_.front().move;
    plan.from_site = ask.seen.topology->SiteOf(first.from->host);
    plan.to_site = ask.seen.topology->SiteOf(first.to->host);
    plan.epoch_before = state.epoch;
    plan.epoch = EpochAbove(ask, state).Next();
    plan.fence_on_return = serving_.lost;
    for (const Takeover& takeover : takeovers_) {
      if (!takeover.from_reached) plan.fence_on_return.push_back(RefOf(*takeover.move.from));
      plan.losses.push_back(takeover.loss);
    }
    // What is recovered may not be the whole pool, when a move was given up half-way.
    const Database* main = ProtectedDatabases(ask.pool).front();
    for (const Instance& instance : main->instances) {
      if (ask.seen.topology->SiteOf(instance.host) == plan.to_site && instance_.empty()) {
        instance_ = instance.host;
      }
    }
  }

  Plan Make() {
    Check();
    raised_ = builder_.AddEpoch(builder_.plan().epoch, false, std::move(ready_));
    Silence();
    FetchLogs();
    Recover();
    // Users wait for everything so far.
    for (Step& step : builder_.plan().steps) step.critical = true;
    BesideUsers();
    return builder_.Take();
  }

 private:
  void Document(const char* step) { builder_.Last().documented_as = step; }
  bool Serves(const ChatServer& server) const {
    const std::vector<ResourceRef>& now = serving_.reached;
    return std::find(now.begin(), now.end(), RefOf(server)) != now.end();
  }

  // What lies behind the gap was given up.
  bool InGap(const DatabaseMove& move) const {
    return !ask_.seen.Find(RefOf(*move.to))->database()->gap.empty();
  }

  void Check() {
    for (const Takeover& takeover : takeovers_) {
      if (takeover.end == LogEnd::kOwn || takeover.end == LogEnd::kPromoted) continue;
      const DatabaseMove& move = takeover.move;
      ready_.push_back(builder_.AddForDatabase(
          *move.database, *move.to,
          CheckDatabase{InstanceRole::kBackup, move.right->system_id, false, !InGap(move)},
          absl::StrCat("Check that ", move.to->host.value(), " followed with ",
                       move.database->id.value()),
          {}));
    }
    for (const ChatServer* server : next_) {
      if (Serves(*server)) continue;
      const ResourceRef ref = RefOf(*server);
      const int check =
          builder_.Add(ref, CheckChat{false}, absl::StrCat("Check ", ref.ToString()), {});
      ready_.push_back(builder_.Point(ref, instance_, {check}));
      Document("F5");
    }
  }

  // What of the old side can be reached writes no more.
  void Silence() {
    for (const ResourceRef& ref : serving_.reached) {
      const PlanBuilder::Quiet steps = builder_.Silence(ref, {raised_});
      // The stop that follows ends sessions as well, if less politely.
      builder_.At(steps.drain).skippable = true;
      quiet_.push_back(steps.deactivate);
    }
    const StepList drained = quiet_.empty() ? StepList{raised_} : quiet_;
    for (const Takeover& takeover : takeovers_) {
      fences_.push_back(-1);
      if (!takeover.from_reached) continue;
      const DatabaseMove& move = takeover.move;
      fences_.back() = builder_.OnDatabase(*move.database, *move.from, Fence{}, "Fence", drained);
      quiet_.push_back(fences_.back());
    }
    if (quiet_.empty()) quiet_ = {raised_};
  }

  void FetchLogs() {
    for (size_t i = 0; i < takeovers_.size(); ++i) {
      tails_.push_back(-1);
      ends_.push_back(-1);
      const DatabaseMove& move = takeovers_[i].move;
      switch (takeovers_[i].end) {
        case LogEnd::kShipped:
          tails_.back() = builder_.OnDatabase(*move.database, *move.from, ShipTail{},
                                              "Ship the tail of", {fences_[i]});
          ends_.back() = tails_.back();
          CopyAndApply(move, tails_.back(), ApplyPendingLogs{});
          break;
        case LogEnd::kSealed:
          ends_.back() = Seal(takeovers_[i]);
          break;
        case LogEnd::kOwn:
        case LogEnd::kPromoted:
          break;
      }
    }
  }

  // The log of one that died ends where the shares end, from now on and for good. Returns the step
  // that tells where.
  int Seal(const Takeover& takeover) {
    const DatabaseMove& move = takeover.move;
    StepList after = quiet_;
    if (!takeover.salvage.empty()) {
      after = {builder_.OnDatabase(*move.database, *move.to,
                                   SalvageLogs{move.right->lineages.back(), takeover.salvage},
                                   "Salvage the log of", after)};
    }
    const int sealed = builder_.OnDatabase(
        *move.database, *move.to,
        StopLogShipping{move.right->lineages, takeover.without_share, takeover.loss.kept},
        "Stop the log shipping of", after);
    Document("F1");
    ApplyPendingLogs apply;
    apply.to_end = true;
    CopyAndApply(move, sealed, apply);
    return sealed;
  }

  void CopyAndApply(const DatabaseMove& move, int end, const ApplyPendingLogs& apply) {
    const int copy =
        builder_.OnDatabase(*move.database, *move.to, CopyPendingLogs{move.right->lineages},
                            "Copy the pending logs of", {end});
    builder_.Last().input_from = end;
    Document("F2");
    applied_.push_back(builder_.OnDatabase(*move.database, *move.to, apply,
                                           "Apply the pending logs of", {end, copy}));
    builder_.Last().input_from = end;
    Document("F3");
  }

  // It holds no right that it could take back: it is promoted where it stands.
  bool OnlyFollowed(const DatabaseMove& move) const {
    const Observation& seen = *ask_.seen.Find(RefOf(*move.to));
    return seen.fence.write_epoch.none() && seen.database()->state == DatabaseState::kStandby;
  }

  // Every database has what there is before the first one is recovered.
  void Recover() {
    StepList after = quiet_;
    after.insert(after.end(), applied_.begin(), applied_.end());
    for (size_t i = 0; i < takeovers_.size(); ++i) {
      const Takeover& takeover = takeovers_[i];
      const DatabaseMove& move = takeover.move;
      const Lineage write = Written(move, *move.to, builder_.plan().epoch);
      if (takeover.end == LogEnd::kPromoted ||
          (takeover.end == LogEnd::kOwn && !OnlyFollowed(move))) {
        recovered_.push_back(builder_.GiveBack(*move.database, *move.to, write, after).recover);
      } else {
        baton::Recover recover{write};
        if (ends_[i] >= 0) recover.fetch = move.right->lineages;
        recovered_.push_back(
            builder_.OnDatabase(*move.database, *move.to, std::move(recover), "Recover", after));
        if (ends_[i] >= 0) builder_.Last().input_from = ends_[i];
      }
      Document("F4");
    }
    for (const ChatServer* server : next_) {
      StepList ready = recovered_;
      // One that served until now could not be pointed elsewhere while it ran.
      if (Serves(*server)) {
        ready.push_back(builder_.Point(RefOf(*server), instance_, quiet_));
        Document("F5");
      }
      active_.push_back(builder_.Activate(RefOf(*server), std::move(ready)));
      Document("F7");
    }
  }

  void BesideUsers() {
    for (size_t i = 0; i < next_.size(); ++i) builder_.Canary(RefOf(*next_[i]), {active_[i]});
    for (size_t i = 0; i < takeovers_.size(); ++i) {
      if (takeovers_[i].end != LogEnd::kShipped) continue;
      const DatabaseMove& move = takeovers_[i].move;
      std::vector<Lineage> fetch = move.right->lineages;
      fetch.push_back(Written(move, *move.to, builder_.plan().epoch));
      StepList after = active_.empty() ? recovered_ : active_;
      after.push_back(tails_[i]);
      builder_.StartStandby(*move.database, *move.from, std::move(fetch), std::move(after));
      builder_.Last().input_from = tails_[i];
      builder_.Last().skippable = true;
    }
  }

  const Inquiry& ask_;
  std::vector<Takeover> takeovers_;
  ServingChat serving_;
  std::vector<const ChatServer*> next_;
  PlanBuilder builder_;
  HostId instance_;  // that chat uses
  StepList ready_;
  int raised_ = 0;
  StepList quiet_;           // what must have stopped before the other side writes
  StepList fences_, tails_;  // parallel to takeovers_; -1: none
  StepList ends_;            // parallel too: which step tells where the log ends
  StepList applied_, recovered_;
  StepList active_;  // parallel to next_
};

void Explain(const Inquiry& ask, const std::vector<Takeover>& takeovers, Plan& plan) {
  for (const Takeover& takeover : takeovers) {
    const DatabaseMove& move = takeover.move;
    plan.explanation.push_back(ExplainMove(ask.seen, *move.database, *move.from, *move.to));
    if (takeover.end == LogEnd::kPromoted) {
      plan.explanation.push_back(absl::StrCat(
          "a move that was given up had given ", move.to->host.value(), " the right to write ",
          move.database->id.value(), ": it goes on from what it has"));
      if (takeover.from_reached && takeover.loss.window > absl::ZeroDuration()) {
        plan.explanation.push_back(absl::StrCat(move.from->host.value(), " is back: baton adopt ",
                                                ask.pool.id.value(),
                                                " would lose nothing that it wrote"));
      }
    }
    if (!takeover.salvage.empty()) {
      plan.explanation.push_back(absl::StrCat("the loss of ", move.database->id.value(),
                                              " is told without what the log in ", takeover.salvage,
                                              " brings back"));
    }
  }
  for (const Database& database : ask.pool.databases) {
    if (database.policy == DatabasePolicy::kIgnore) {
      plan.explanation.push_back(ExplainIgnored(database));
    }
  }
  for (const ResourceRef& ref : plan.fence_on_return) {
    plan.explanation.push_back(ExplainFencedOnReturn(ref));
  }
}

}  // namespace

std::optional<Plan> MakeFailover(const Inquiry& ask) {
  const std::vector<DatabaseMove> moves = ChooseMoves(ask, Mover::kLastHolder);
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (moves.empty() || state == nullptr) return std::nullopt;
  CheckFailoverWord(ask, moves);
  Overrides overrides(ask);
  std::vector<Takeover> takeovers;
  for (const DatabaseMove& move : moves) {
    takeovers.push_back(CheckTakeover(ask, *state, move, overrides));
  }
  ServingChat serving = SplitServing(ask, *state);
  AddStrays(ask, *state, serving);
  const ChatChoice chat = ChooseChatServers(ask, ask.seen.topology->SiteOf(moves.front().to->host));
  for (const ChatServer* server : chat.next) {
    if (!state->active_chat.contains(RefOf(*server))) CheckIdleChat(ask, *state, RefOf(*server));
  }
  for (const ResourceRef& ref : serving.reached) CheckEpoch(ask, *state, ref);
  if (!ask.refusals.empty()) return std::nullopt;
  const Epoch above = EpochAbove(ask, *state);
  if (above > state->epoch) {
    overrides.Note(kFenceEpochAhead,
                   absl::StrCat("a fence has seen epoch ", above.ToString(), ", this journal ",
                                state->epoch.ToString(), ": the pool goes on above both"));
  }
  Plan plan = Failover(ask, *state, takeovers, serving, chat.next).Make();
  plan.overrides = overrides.Take();
  Explain(ask, takeovers, plan);
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace baton
