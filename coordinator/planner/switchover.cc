#include "coordinator/planner/switchover.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/explain.h"
#include "coordinator/planner/plan_builder.h"
#include "coordinator/planner/switchover_checks.h"

namespace baton {
namespace {

class Switchover {
 public:
  Switchover(const Inquiry& ask, const PoolState& state, std::vector<DatabaseMove> moves,
             std::vector<const ChatServer*> next)
      : ask_(ask), state_(state), moves_(std::move(moves)), next_(std::move(next)), builder_(ask) {
    Plan& plan = builder_.plan();
    plan.from_site = ask.seen.topology->SiteOf(moves_.front().from->host);
    plan.to_site = ask.seen.topology->SiteOf(moves_.front().to->host);
    plan.epoch_before = state.epoch;
    plan.epoch = state.epoch.Next();
    plan.undo_epoch = plan.epoch.Next();
    home_ = plan.to_site == ask.pool.home;
  }

  Plan Make() {
    Check();
    StepList ready = checks_;
    for (const ChatServer* server : next_) {
      if (!Active(*server)) ready.push_back(Point(*server, checks_));
    }
    raised_ = builder_.AddEpoch(builder_.plan().epoch, false, ready);
    Quiesce();
    Ship();
    Serve();
    Protect();
    Undo();
    return builder_.Take();
  }

 private:
  bool Active(const ChatServer& server) const { return state_.active_chat.contains(RefOf(server)); }
  // domain.md's name for the step: on the way to the backup site, and on the way home.
  void Document(const char* failover, const char* failback) {
    builder_.Last().documented_as = home_ ? failback : failover;
  }
  int Point(const ChatServer& server, StepList after) {
    const HostId& instance = moves_.front().to->host;
    const int index =
        builder_.Add(RefOf(server), PointAt{instance},
                     absl::StrCat("Point ", RefOf(server).ToString(), " at ", instance.value()),
                     std::move(after));
    Document("F5", "B7");
    return index;
  }

  void Check() {
    for (const DatabaseMove& move : moves_) {
      const std::string& name = move.database->id.value();
      checks_.push_back(builder_.AddForDatabase(
          *move.database, *move.from,
          CheckDatabase{InstanceRole::kPrimary, move.right->system_id, true, true},
          absl::StrCat("Check that ", move.from->host.value(), " serves ", name), {}));
      checks_.push_back(builder_.AddForDatabase(
          *move.database, *move.to,
          CheckDatabase{InstanceRole::kBackup, move.right->system_id, false, true},
          absl::StrCat("Check that ", move.to->host.value(), " follows with ", name), {}));
    }
    for (const auto& [ref, epoch] : state_.active_chat) {
      checks_.push_back(
          builder_.Add(ref, CheckChat{true}, absl::StrCat("Check ", ref.ToString()), {}));
    }
    for (const ChatServer* server : next_) {
      if (Active(*server)) continue;
      checks_.push_back(builder_.Add(RefOf(*server), CheckChat{false},
                                     absl::StrCat("Check ", RefOf(*server).ToString()), {}));
    }
  }

  // Nobody writes any more.
  void Quiesce() {
    StepList quiet;
    for (const auto& [ref, epoch] : state_.active_chat) {
      const int drain =
          builder_.Add(ref, Drain{}, absl::StrCat("Drain ", ref.ToString()), {raised_});
      builder_.Last().critical = true;
      quiet.push_back(
          builder_.Add(ref, Deactivate{}, absl::StrCat("Deactivate ", ref.ToString()), {drain}));
      builder_.Last().critical = true;
      Document("", "B1");
    }
    if (quiet.empty()) quiet.push_back(raised_);
    StepList ended;
    for (const DatabaseMove& move : moves_) {
      ended.push_back(
          OnDatabase(move, *move.from, EndConnections{}, "End the connections of ", quiet));
      Document("F4", "");
    }
    for (const DatabaseMove& move : moves_) {
      fences_.push_back(OnDatabase(move, *move.from, Fence{}, "Fence ", ended));
    }
  }

  // Every database reaches its final position before the first one is recovered.
  void Ship() {
    StepList applied;
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      const int tail = OnDatabase(move, *move.from, ShipTail{}, "Ship the tail of ", {fences_[i]});
      Document("", "B3");
      tails_.push_back(tail);
      const int copy = OnDatabase(move, *move.to, CopyPendingLogs{move.right->lineages},
                                  "Copy the pending logs of ", {tail});
      builder_.Last().input_from = tail;
      Document("F1+F2", "");
      applied.push_back(OnDatabase(move, *move.to, ApplyPendingLogs{}, "Apply the pending logs of ",
                                   {tail, copy}));
      builder_.Last().input_from = tail;
      Document("F3", "");
    }
    for (const DatabaseMove& move : moves_) {
      recovered_.push_back(
          OnDatabase(move, *move.to, Recover{NewLineage(move)}, "Recover ", applied));
      Document("F4", "B4");
    }
  }

  void Serve() {
    for (const ChatServer* server : next_) {
      StepList after = recovered_;
      // One that served until now could not be pointed elsewhere while it ran.
      if (Active(*server)) {
        after = {Point(*server, after)};
        builder_.Last().critical = true;
      }
      active_.push_back(builder_.Add(RefOf(*server), Activate{},
                                     absl::StrCat("Activate ", RefOf(*server).ToString()), after));
      builder_.Last().critical = true;
      Document("F7", "B6");
    }
    if (active_.empty()) active_ = recovered_;
  }

  // Beside the users: nothing here is in their way, so nothing here runs before they are served.
  void Protect() {
    for (size_t i = 0; i < next_.size(); ++i) {
      const std::string server = RefOf(*next_[i]).ToString();
      builder_.Add(RefOf(*next_[i]), Canary{}, absl::StrCat("Post a canary through ", server),
                   {active_[i]});
    }
    for (size_t i = 0; i < moves_.size(); ++i) {
      const DatabaseMove& move = moves_[i];
      std::vector<Lineage> fetch = move.right->lineages;
      fetch.push_back(NewLineage(move));
      StepList after = active_;
      after.push_back(tails_[i]);
      builder_.AddForDatabase(*move.database, *move.from, StartStandby{std::move(fetch)},
                              absl::StrCat("Start ", move.database->id.value(), " on ",
                                           move.from->host.value(), " as standby"),
                              std::move(after));
      builder_.Last().input_from = tails_[i];
      Document("", "B5");
    }
  }

  // Only before the first Fence: the databases never stopped, so that chat is all there is to give
  // back. Servers that were not drained yet are found active, and left alone.
  void Undo() {
    const int raised = builder_.AddEpoch(builder_.plan().undo_epoch, true, {});
    for (const auto& [ref, epoch] : state_.active_chat) {
      builder_.Add(ref, Activate{}, absl::StrCat("Activate ", ref.ToString(), " again"), {raised});
      builder_.Last().undo = true;
    }
  }

  // A step that users wait for.
  int OnDatabase(const DatabaseMove& move, const Instance& instance, Action action,
                 const char* title, StepList after) {
    const int index = builder_.AddForDatabase(
        *move.database, instance, std::move(action),
        absl::StrCat(title, move.database->id.value(), " on ", instance.host.value()),
        std::move(after));
    builder_.Last().critical = true;
    return index;
  }
  Lineage NewLineage(const DatabaseMove& move) {
    return {move.right->system_id, builder_.plan().epoch, move.to->host, move.to->share,
            std::nullopt};
  }

  const Inquiry& ask_;
  const PoolState& state_;
  std::vector<DatabaseMove> moves_;
  std::vector<const ChatServer*> next_;
  PlanBuilder builder_;
  bool home_ = false;
  StepList checks_;
  int raised_ = 0;
  StepList fences_, tails_, recovered_;  // parallel to moves_
  StepList active_;                      // parallel to next_
};

}  // namespace

std::optional<Plan> MakeSwitchover(const Inquiry& ask) {
  const std::vector<DatabaseMove> moves = ChooseMoves(ask);
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (moves.empty() || state == nullptr) return std::nullopt;
  const SiteId to_site = ask.seen.topology->SiteOf(moves.front().to->host);
  const ChatChoice chat = ChooseChatServers(ask, to_site);
  for (const DatabaseMove& move : moves) CheckMove(ask, *state, move);
  CheckChatServers(ask, *state, moves.front().from->host, chat.next);
  if (!ask.refusals.empty()) return std::nullopt;
  Plan plan = Switchover(ask, *state, moves, chat.next).Make();
  for (const DatabaseMove& move : moves) {
    plan.explanation.push_back(ExplainMove(ask.seen, *move.database, *move.from, *move.to));
  }
  for (const Database& database : ask.pool.databases) {
    if (database.policy == DatabasePolicy::kIgnore) {
      plan.explanation.push_back(ExplainIgnored(database));
    }
  }
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace baton
