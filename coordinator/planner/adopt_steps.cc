#include "coordinator/planner/adopt_steps.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/explain.h"
#include "coordinator/planner/plan_builder.h"
#include "coordinator/planner/seeding.h"
#include "coordinator/planner/switchover_checks.h"
#include "coordinator/planner/word.h"

namespace baton {

bool LeftOut(const Inquiry& ask, const PoolState* state, const ChatServer& server) {
  if (ask.seen.Connected(server.host)) return false;
  const bool idle = state != nullptr && !state->active_chat.contains(RefOf(server));
  return idle || SaidLost(ask, server.host);
}

namespace {

class Adoption {
 public:
  // `state` is null unless the journal knows the pool: then the right is given back.
  Adoption(const Inquiry& ask, const PoolState* state, std::vector<RolePair> pairs,
           std::vector<const ChatServer*> next, bool bare)
      : ask_(ask),
        state_(state),
        pairs_(std::move(pairs)),
        next_(std::move(next)),
        bare_(bare),
        builder_(ask) {
    Plan& plan = builder_.plan();
    plan.from_site = plan.to_site = ask.seen.topology->SiteOf(pairs_.front().primary->host);
    plan.epoch_before = HighestSeen(ask);
    // A journal that is new to the pool, or that others have overtaken, begins a generation.
    const bool ours = state_ != nullptr && !state_->held_elsewhere &&
                      plan.epoch_before.generation == state_->epoch.generation;
    plan.epoch = ours ? plan.epoch_before.Next() : Epoch{plan.epoch_before.generation + 1, 1};
    plan.undo_epoch = plan.epoch.Next();
    // Lost by someone's word; or a move that was given up took their right, and was not seen to
    // stop them.
    for (const ChatServer& server : ask.pool.chat_servers) {
      const ResourceRef ref = RefOf(server);
      if (!LeftOut(ask, state_, server)) continue;
      if (!SaidLost(ask, server.host) && !SeenToServe(ask.seen, ref)) continue;
      plan.fence_on_return.push_back(ref);
      plan.explanation.push_back(ExplainFencedOnReturn(ref));
    }
  }

  Plan Make() {
    // Under the new generation from the first look on: agents that knew another journal refuse
    // everything that is older.
    raised_ = builder_.AddEpoch(builder_.plan().epoch, false, {});
    prepared_ = {raised_};
    if (bare_) PrepareBackups();
    Check();
    FenceBackups();
    StopChat();
    OpenPrimaries();
    ServeChat();
    FollowAgain();
    return builder_.Take();
  }

 private:
  const DatabaseObservation& Database(const Instance& instance) const {
    return *ask_.seen.Find(RefOf(instance))->database();
  }
  const ChatObservation& Chat(const ChatServer& server) const {
    return *ask_.seen.Find(RefOf(server))->chat();
  }
  bool Serves(const ChatServer& server) const {
    return std::find(next_.begin(), next_.end(), &server) != next_.end();
  }
  bool DatabasesServe() const {
    return std::all_of(pairs_.begin(), pairs_.end(), [this](const RolePair& pair) {
      return Database(*pair.primary).state == DatabaseState::kPrimary;
    });
  }
  // Cannot be pointed elsewhere while it runs.
  bool PointsRight(const ChatServer& server) const {
    return Chat(server).points_at == pairs_.front().primary->host;
  }

  // Before the primaries are looked at: one that was configured for a plan that was given up looks
  // at every share.
  void PrepareBackups() {
    prepared_.clear();
    for (const RolePair& pair : pairs_) {
      const bool own_share = pair.backup->share != pair.primary->share;
      prepared_.push_back(builder_.OnDatabase(*pair.database, *pair.backup,
                                              ConfigureLogShipping{own_share},
                                              "Configure the log shipping of", {raised_}));
    }
  }

  void Check() {
    for (const RolePair& pair : pairs_) {
      const std::string& name = pair.database->id.value();
      const std::string system_id = Database(*pair.primary).system_id;
      // A fence put there by hand left standby.signal, which the check would take for a standby's.
      const bool fenced_by_hand = Database(*pair.primary).state == DatabaseState::kDown &&
                                  Database(*pair.primary).standby_signal;
      if (!fenced_by_hand && !pair.own_log) {
        checked_.push_back(builder_.AddForDatabase(
            *pair.database, *pair.primary,
            CheckDatabase{InstanceRole::kPrimary, system_id, false, false},
            absl::StrCat("Check the primary of ", name, " on ", pair.primary->host.value()),
            prepared_));
      }
      if (pair.backup == nullptr || pair.promoted || bare_) continue;
      checked_.push_back(builder_.AddForDatabase(
          *pair.database, *pair.backup,
          CheckDatabase{InstanceRole::kBackup, system_id, false, false},
          absl::StrCat("Check the backup of ", name, " on ", pair.backup->host.value()),
          {raised_}));
    }
    for (const ChatServer& server : ask_.pool.chat_servers) {
      if (LeftOut(ask_, state_, server)) continue;
      const bool runs = Chat(server).state != ChatState::kDown;
      // What was drained, or whose database does not serve yet, serves only after Activate.
      const bool serves = Chat(server).state == ChatState::kServing && DatabasesServe();
      if (runs && !serves) continue;
      checked_.push_back(builder_.Add(RefOf(server), CheckChat{runs},
                                      absl::StrCat("Check ", RefOf(server).ToString()), {raised_}));
    }
    if (checked_.empty()) checked_ = {raised_};
  }

  // The primary goes on in a new archive directory: same timeline, and whatever it has not shipped
  // yet goes there. The backup may still need those before, the last of which stays unsealed: only
  // this instance ever shipped there, so both hold parts of one log.
  std::vector<Lineage> Fetch(const RolePair& pair) {
    std::vector<Lineage> fetch;
    if (state_ != nullptr) {
      fetch = state_->rights.at(pair.database->id).lineages;
      // One that it got from a plan that was given up: it may have shipped under it.
      const Epoch got = ask_.seen.Find(RefOf(*pair.primary))->fence.write_epoch;
      if (got > fetch.back().epoch && got < builder_.plan().epoch) {
        fetch.push_back({Database(*pair.primary).system_id, got, pair.primary->host,
                         pair.primary->share, std::nullopt});
      }
      fetch.push_back(NewLineage(pair));
      return fetch;
    }
    const Epoch before = ask_.seen.Find(RefOf(*pair.primary))->fence.write_epoch;
    if (!before.none()) {
      fetch.push_back({Database(*pair.primary).system_id, before, pair.primary->host,
                       pair.primary->share, std::nullopt});
    }
    fetch.push_back(NewLineage(pair));
    return fetch;
  }
  Lineage NewLineage(const RolePair& pair) {
    return {Database(*pair.primary).system_id, builder_.plan().epoch, pair.primary->host,
            pair.primary->share, std::nullopt};
  }

  void FenceBackups() {
    for (const RolePair& pair : pairs_) {
      if (pair.backup == nullptr || bare_) continue;
      const int fence =
          builder_.OnDatabase(*pair.database, *pair.backup, Fence{}, "Fence", checked_);
      settled_.push_back(fence);
      // It cannot follow a log that is yet to begin.
      if (pair.own_log) continue;
      settled_.back() = builder_.StartStandby(*pair.database, *pair.backup, Fetch(pair), {fence});
      builder_.Last().documented_as = "B5";
    }
  }

  void StopChat() {
    for (const ChatServer& server : ask_.pool.chat_servers) {
      if (LeftOut(ask_, state_, server)) continue;
      const bool stays =
          Serves(server) && (PointsRight(server) || Chat(server).state == ChatState::kDown);
      if (stays) continue;
      settled_.push_back(builder_.Add(RefOf(server), Deactivate{},
                                      absl::StrCat("Deactivate ", RefOf(server).ToString()),
                                      checked_));
    }
  }

  void OpenPrimaries() {
    StepList ready = settled_.empty() ? checked_ : settled_;
    if (bare_) {
      StepList configured;
      for (const RolePair& pair : pairs_) {
        configured.push_back(builder_.OnDatabase(*pair.database, *pair.primary,
                                                 ConfigureLogShipping{true},
                                                 "Configure the log shipping of", ready));
      }
      ready = configured;
    }
    for (const RolePair& pair : pairs_) {
      if (pair.own_log) {
        opened_.push_back(
            builder_.GiveBack(*pair.database, *pair.primary, NewLineage(pair), ready).recover);
        continue;
      }
      opened_.push_back(
          builder_.AddForDatabase(*pair.database, *pair.primary, Unfence{NewLineage(pair)},
                                  absl::StrCat("Give ", pair.primary->host.value(),
                                               " the right to write ", pair.database->id.value()),
                                  ready));
    }
  }

  void ServeChat() {
    const HostId& primary = pairs_.front().primary->host;
    for (const ChatServer* server : next_) {
      StepList after = opened_;
      if (!PointsRight(*server)) after = {builder_.Point(RefOf(*server), primary, opened_)};
      active_.push_back(builder_.Activate(RefOf(*server), std::move(after)));
      builder_.Last().documented_as = "B6";
      builder_.Canary(RefOf(*server), {active_.back()});
    }
    if (active_.empty()) active_ = opened_;
  }

  // Beside the users.
  void FollowAgain() {
    for (size_t i = 0; i < pairs_.size(); ++i) {
      const RolePair& pair = pairs_[i];
      StepList after = active_;
      after.push_back(opened_[i]);
      if (bare_) {
        Seeding seeding;
        seeding.database = pair.database;
        seeding.writer = pair.primary;
        seeding.follower = pair.backup;
        seeding.way = SeedingWay::kSeed;
        seeding.configured = true;
        seeding.system_id = Database(*pair.primary).system_id;
        seeding.fetch = {NewLineage(pair)};
        seeding.until = Database(*pair.primary).position;
        AddSeeding(seeding, std::move(after), builder_);
        builder_.plan().explanation.push_back(ExplainSeeding(seeding));
      } else if (pair.own_log && pair.follows) {
        builder_.StartStandby(*pair.database, *pair.backup, Fetch(pair), std::move(after));
        builder_.Last().input_from = opened_[i];
        builder_.Last().skippable = true;
        builder_.Last().documented_as = "B5";
      }
    }
  }

  const Inquiry& ask_;
  const PoolState* state_;
  std::vector<RolePair> pairs_;
  std::vector<const ChatServer*> next_;
  const bool bare_;
  PlanBuilder builder_;
  int raised_ = 0;
  StepList prepared_;  // before a primary is looked at
  StepList checked_;
  StepList settled_;  // what must hold before anyone may write
  StepList opened_;   // parallel to pairs_
  StepList active_;
};

}  // namespace

Plan MakeAdoption(const Inquiry& ask, const PoolState* state, std::vector<RolePair> pairs,
                  std::vector<const ChatServer*> next, bool bare) {
  return Adoption(ask, state, std::move(pairs), std::move(next), bare).Make();
}

}  // namespace baton
