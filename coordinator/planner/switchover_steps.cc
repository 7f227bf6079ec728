#include "coordinator/planner/switchover_steps.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/explain.h"

namespace baton {
namespace {

class Switchover {
 public:
  Switchover(const Inquiry& ask, const PoolState& state, const PlannedMove& move,
             PlanBuilder& builder)
      : ask_(ask), move_(move), moves_(move.moves), builder_(builder) {
    Plan& plan = builder_.plan();
    plan.from_site = ask.seen.topology->SiteOf(moves_.front().from->host);
    plan.to_site = ask.seen.topology->SiteOf(moves_.front().to->host);
    plan.epoch_before = state.epoch;
    plan.epoch = state.epoch.Next();
    plan.undo_epoch = plan.epoch.Next();
    plan.fence_on_return = move.not_reached;
    home_ = plan.to_site == ask.pool.home;
  }

  void Add(const StepList& after) {
    Check(after);
    StepList ready = checks_;
    for (const ChatServer* server : move_.next) {
      if (!Active(*server)) ready.push_back(Point(*server, checks_));
    }
    raised_ = builder_.AddEpoch(builder_.plan().epoch, false, ready);
    Quiesce();
    Ship();
    Serve();
    Protect();
    Undo();
  }

 private:
  bool Active(const ChatServer& server) const {
    return std::find(move_.quiet.begin(), move_.quiet.end(), RefOf(server)) != move_.quiet.end();
  }
  // domain.md's name for the step: on the way to the backup site, and on the way home.
  void Document(const char* failover, const char* failback) {
    builder_.Last().documented_as = home_ ? failback : failover;
  }
  int Point(const ChatServer& server, StepList after) {
    const int index = builder_.Point(RefOf(server), moves_.front().to->host, std::move(after));
    Document("F5", "B7");
    return index;
  }

  void Check(const StepList& after) {
    for (const DatabaseMove& move : moves_) {
      const std::string& name = move.database->id.value();
      checks_.push_back(builder_.AddForDatabase(
          *move.database, *move.from,
          CheckDatabase{InstanceRole::kPrimary, move.right->system_id, true, true},
          absl::StrCat("Check that ", move.from->host.value(), " serves ", name), after));
      checks_.push_back(builder_.AddForDatabase(
          *move.database, *move.to,
          CheckDatabase{InstanceRole::kBackup, move.right->system_id, false, true},
          absl::StrCat("Check that ", move.to->host.value(), " follows with ", name), after));
    }
    for (const ResourceRef& ref : move_.quiet) {
      checks_.push_back(
          builder_.Add(ref, CheckChat{true}, absl::StrCat("Check ", ref.ToString()), after));
    }
    for (const ChatServer* server : move_.next) {
      if (Active(*server)) continue;
      checks_.push_back(builder_.Add(RefOf(*server), CheckChat{false},
                                     absl::StrCat("Check ", RefOf(*server).ToString()), after));
    }
  }

  // Nobody writes any more.
  void Quiesce() {
    StepList quiet;
    for (const ResourceRef& ref : move_.quiet) {
      const PlanBuilder::Quiet steps = builder_.Silence(ref, {raised_});
      Document("", "B1");
      drains_.push_back(steps.drain);
      quiet.push_back(steps.deactivate);
    }
    if (quiet.empty()) quiet.push_back(raised_);
    StepList ended;
    for (const DatabaseMove& move : moves_) {
      ended.push_back(
          OnDatabase(move, *move.from, EndConnections{}, "End the connections of", quiet));
      Document("F4", "");
    }
    for (const DatabaseMove& move : moves_) {
      fences_.push_back(OnDatabase(move, *move.from, Fence{}, "Fence", ended));
    }
  }

  // Every database reaches its final position before the first one is recovered.
  void Ship() {
    StepList applied;
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      const int tail = OnDatabase(move, *move.from, ShipTail{}, "Ship the tail of", {fences_[i]});
      Document("", "B3");
      tails_.push_back(tail);
      const int copy = OnDatabase(move, *move.to, CopyPendingLogs{move.right->lineages},
                                  "Copy the pending logs of", {tail});
      builder_.Last().input_from = tail;
      Document("F1+F2", "");
      applied.push_back(OnDatabase(move, *move.to, ApplyPendingLogs{}, "Apply the pending logs of",
                                   {tail, copy}));
      builder_.Last().input_from = tail;
      Document("F3", "");
    }
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      const Lineage write = Written(move, *move.to, builder_.plan().epoch);
      recovered_.push_back(OnDatabase(move, *move.to, Recover{write, false, move.right->lineages},
                                      "Recover", applied));
      builder_.Last().input_from = tails_[i];
      Document("F4", "B4");
    }
  }

  void Serve() {
    for (const ChatServer* server : move_.next) {
      StepList after = recovered_;
      // One that served until now could not be pointed elsewhere while it ran.
      if (Active(*server)) {
        after = {Point(*server, after)};
        builder_.Last().critical = true;
      }
      active_.push_back(builder_.Activate(RefOf(*server), after));
      builder_.Last().critical = true;
      Document("F7", "B6");
    }
    if (active_.empty()) active_ = recovered_;
  }

  // Beside the users: nothing here is in their way, so nothing here runs before they are served.
  void Protect() {
    for (size_t i = 0; i < move_.next.size(); ++i) {
      builder_.Canary(RefOf(*move_.next[i]), {active_[i]});
    }
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      std::vector<Lineage> fetch = move.right->lineages;
      fetch.push_back(Written(move, *move.to, builder_.plan().epoch));
      StepList after = active_;
      after.push_back(tails_[i]);
      builder_.StartStandby(*move.database, *move.from, std::move(fetch), std::move(after));
      builder_.Last().input_from = tails_[i];
      builder_.Last().skippable = true;
      Document("", "B5");
    }
  }

  // Marks what was added from `first` on as part of the way back, due if `forward` was ever tried.
  void Undoes(int first, int forward) {
    const int size = static_cast<int>(builder_.plan().steps.size());
    for (int i = first; i < size; ++i) {
      builder_.At(i).undo = true;
      builder_.At(i).undoes = forward;
    }
  }
  int Next() const { return static_cast<int>(builder_.plan().steps.size()); }

  // Of a database whose fence never was asked for nothing changed: what there is to give back then
  // is chat alone. Servers that were not drained yet go on as they are.
  void Undo() {
    const Epoch epoch = builder_.plan().undo_epoch;
    const int raised = builder_.AddEpoch(epoch, true, {});
    StepList ready = {raised}, recovered;
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      const int first = Next();
      const PlanBuilder::TakeBack back =
          builder_.GiveBack(*move.database, *move.from, Written(move, *move.from, epoch), {raised});
      Undoes(first, fences_[i]);
      recovered.push_back(back.recover);
      ready.push_back(back.recover);
    }
    for (size_t i = 0; i < move_.quiet.size(); ++i) {
      const ResourceRef& ref = move_.quiet[i];
      const int first =
          builder_.Add(ref, Activate{}, absl::StrCat("Activate ", ref.ToString(), " again"), ready);
      Undoes(first, drains_[i]);
      active_again_.push_back(first);
    }
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      std::vector<Lineage> fetch = move.right->lineages;
      fetch.push_back(Written(move, *move.from, epoch));
      StepList after = active_again_;
      after.push_back(recovered[i]);
      const int first =
          builder_.StartStandby(*move.database, *move.to, std::move(fetch), std::move(after));
      builder_.Last().input_from = recovered[i];
      builder_.OnDatabase(*move.database, *move.to, ApplyPendingLogs{}, "Apply the pending logs of",
                          {recovered[i], first});
      builder_.Last().input_from = recovered[i];
      Undoes(first, fences_[i]);
    }
  }

  // A step that users wait for.
  int OnDatabase(const DatabaseMove& move, const Instance& instance, Action action,
                 const char* title, StepList after) {
    const int index =
        builder_.OnDatabase(*move.database, instance, std::move(action), title, std::move(after));
    builder_.Last().critical = true;
    return index;
  }

  const Inquiry& ask_;
  const PlannedMove& move_;
  const std::vector<DatabaseMove>& moves_;
  PlanBuilder& builder_;
  bool home_ = false;
  StepList checks_;
  int raised_ = 0;
  StepList drains_;                      // parallel to move_.quiet
  StepList fences_, tails_, recovered_;  // parallel to moves_
  StepList active_;                      // parallel to move_.next
  StepList active_again_;
};

}  // namespace

void AddSwitchover(const Inquiry& ask, const PoolState& state, const PlannedMove& move,
                   const StepList& after, PlanBuilder& builder) {
  Switchover(ask, state, move, builder).Add(after);
  Plan& plan = builder.plan();
  for (const DatabaseMove& each : move.moves) {
    plan.explanation.push_back(ExplainMove(ask.seen, *each.database, *each.from, *each.to));
  }
  for (const Database& database : ask.pool.databases) {
    if (database.policy == DatabasePolicy::kIgnore) {
      plan.explanation.push_back(ExplainIgnored(database));
    }
  }
  for (const ResourceRef& ref : move.not_reached) {
    plan.explanation.push_back(ExplainFencedOnReturn(ref));
  }
}

}  // namespace baton
