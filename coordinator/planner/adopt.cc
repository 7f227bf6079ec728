#include "coordinator/planner/adopt.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/candidates.h"
#include "coordinator/planner/explain.h"
#include "coordinator/planner/plan_builder.h"

namespace baton {
namespace {

// One protected database as the topology wants it.
struct Pair {
  const Database* database = nullptr;
  const Instance* primary = nullptr;
  const Instance* backup = nullptr;
};

void RefuseRole(const Inquiry& ask, const ResourceRef& ref, const DatabaseObservation& seen,
                const std::string& wanted, const std::string& remedy) {
  std::string found(ToString(seen.state));
  if (seen.state == DatabaseState::kDown) {
    absl::StrAppend(&found, seen.clean_shutdown ? ", cleanly stopped" : ", not cleanly stopped");
  }
  absl::StrAppend(&found, seen.standby_signal ? ", with standby.signal" : ", no standby.signal");
  ask.refusals.Add("DATABASE_ROLE", ref.ToString(), found, wanted, remedy);
}

void CheckRoles(const Inquiry& ask, const Pair& pair) {
  const ResourceRef primary = RefOf(*pair.primary);
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, primary);
  if (seen != nullptr) {
    const bool stopped =
        seen->state == DatabaseState::kDown && seen->clean_shutdown && !seen->standby_signal;
    if (seen->state != DatabaseState::kPrimary && !stopped) {
      RefuseRole(ask, primary, *seen,
                 "primary: accepting writes, or cleanly stopped without standby.signal",
                 "correct the roles in the topology, or bring the instance into its role");
    }
    if (seen->system_id.empty()) {
      ask.refusals.Add("SYSTEM_ID_MISSING", primary.ToString(), "no system identifier",
                       "one, to name its archive",
                       absl::StrCat("mend it on ", primary.host.value()));
    }
  }
  const ResourceRef backup = RefOf(*pair.backup);
  seen = CheckDatabaseSeen(ask, backup);
  if (seen != nullptr) {
    const bool stopped = seen->state == DatabaseState::kDown && seen->standby_signal;
    if (seen->state != DatabaseState::kStandby && !stopped) {
      RefuseRole(ask, backup, *seen, "backup: a standby, or stopped with standby.signal",
                 "correct the roles in the topology, or seed it from the primary");
    }
    const Observation& observation = *ask.seen.Find(backup);
    if (observation.fence.phase == FencePhase::kOpen) {
      ask.refusals.Add(
          "FENCE_STATE", backup.ToString(), "fence open", "a backup that may not write",
          absl::StrCat(
              "see that nothing writes there, then baton-guard fence ", backup.resource.value(),
              " ", observation.fence.fence_epoch.Next().ToString(), " on ", backup.host.value()));
    }
  }
  CheckTwins(ask, primary, backup);
}

std::vector<Pair> ChoosePairs(const Inquiry& ask) {
  std::vector<Pair> pairs;
  for (const Database* database : ProtectedDatabases(ask.pool)) {
    const Pair pair{database, database->Find(InstanceRole::kPrimary),
                    database->Find(InstanceRole::kBackup)};
    if (pair.primary == nullptr || pair.backup == nullptr) {
      ask.refusals.Add("NO_TARGET_INSTANCE", database->id.value(),
                       pair.primary == nullptr ? "no primary" : "no backup",
                       "a primary at the home site and a backup at the other",
                       "baton topology apply FILE");
      continue;
    }
    CheckRoles(ask, pair);
    pairs.push_back(pair);
  }
  return pairs;
}

// The highest epoch that any fence of the pool has seen.
Epoch HighestSeen(const Inquiry& ask) {
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  Epoch highest = state == nullptr ? Epoch() : state->epoch;
  for (const auto& [ref, seen] : ask.seen.resources) {
    if (seen.observation.pool == ask.pool.id) {
      highest = std::max(
          {highest, seen.observation.fence.fence_epoch, seen.observation.fence.write_epoch});
    }
  }
  return highest;
}

class Adoption {
 public:
  Adoption(const Inquiry& ask, std::vector<Pair> pairs, std::vector<const ChatServer*> next)
      : ask_(ask), pairs_(std::move(pairs)), next_(std::move(next)), builder_(ask) {
    Plan& plan = builder_.plan();
    plan.from_site = plan.to_site = ask.pool.home;
    plan.epoch_before = HighestSeen(ask);
    plan.epoch = {plan.epoch_before.generation + 1, 1};
    plan.undo_epoch = plan.epoch.Next();
  }

  Plan Make() {
    // Under the new generation from the first look on: agents that knew another journal refuse
    // everything that is older.
    raised_ = builder_.AddEpoch(builder_.plan().epoch, false, {});
    Check();
    FenceBackups();
    StopChat();
    OpenPrimaries();
    ServeChat();
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
  // Cannot be pointed elsewhere while it runs.
  bool PointsRight(const ChatServer& server) const {
    return Chat(server).points_at == pairs_.front().primary->host;
  }

  void Check() {
    for (const Pair& pair : pairs_) {
      const std::string& name = pair.database->id.value();
      const std::string system_id = Database(*pair.primary).system_id;
      checked_.push_back(builder_.AddForDatabase(
          *pair.database, *pair.primary,
          CheckDatabase{InstanceRole::kPrimary, system_id, false, false},
          absl::StrCat("Check the primary of ", name, " on ", pair.primary->host.value()),
          {raised_}));
      checked_.push_back(builder_.AddForDatabase(
          *pair.database, *pair.backup,
          CheckDatabase{InstanceRole::kBackup, system_id, false, false},
          absl::StrCat("Check the backup of ", name, " on ", pair.backup->host.value()),
          {raised_}));
    }
    for (const ChatServer& server : ask_.pool.chat_servers) {
      checked_.push_back(builder_.Add(RefOf(server),
                                      CheckChat{Chat(server).state != ChatState::kDown},
                                      absl::StrCat("Check ", RefOf(server).ToString()), {raised_}));
    }
  }

  // The primary goes on in a new archive directory; the backup may still need the one before.
  std::vector<Lineage> Fetch(const Pair& pair) {
    std::vector<Lineage> fetch;
    const Epoch before = ask_.seen.Find(RefOf(*pair.primary))->fence.write_epoch;
    if (!before.none()) {
      fetch.push_back({Database(*pair.primary).system_id, before, pair.primary->host,
                       pair.primary->share, std::nullopt});
    }
    fetch.push_back(NewLineage(pair));
    return fetch;
  }
  Lineage NewLineage(const Pair& pair) {
    return {Database(*pair.primary).system_id, builder_.plan().epoch, pair.primary->host,
            pair.primary->share, std::nullopt};
  }

  void FenceBackups() {
    for (const Pair& pair : pairs_) {
      const std::string where =
          absl::StrCat(pair.database->id.value(), " on ", pair.backup->host.value());
      const int fence = builder_.AddForDatabase(*pair.database, *pair.backup, Fence{},
                                                absl::StrCat("Fence ", where), checked_);
      settled_.push_back(
          builder_.AddForDatabase(*pair.database, *pair.backup, StartStandby{Fetch(pair)},
                                  absl::StrCat("Start ", where, " as standby"), {fence}));
      builder_.Last().documented_as = "B5";
    }
  }

  void StopChat() {
    for (const ChatServer& server : ask_.pool.chat_servers) {
      const bool stays =
          Serves(server) && (PointsRight(server) || Chat(server).state == ChatState::kDown);
      if (stays) continue;
      settled_.push_back(builder_.Add(RefOf(server), Deactivate{},
                                      absl::StrCat("Deactivate ", RefOf(server).ToString()),
                                      checked_));
    }
  }

  void OpenPrimaries() {
    for (const Pair& pair : pairs_) {
      opened_.push_back(
          builder_.AddForDatabase(*pair.database, *pair.primary, Unfence{NewLineage(pair)},
                                  absl::StrCat("Give ", pair.primary->host.value(),
                                               " the right to write ", pair.database->id.value()),
                                  settled_));
    }
  }

  void ServeChat() {
    const HostId& primary = pairs_.front().primary->host;
    for (const ChatServer* server : next_) {
      const std::string name = RefOf(*server).ToString();
      StepList after = opened_;
      if (!PointsRight(*server)) {
        after = {builder_.Add(RefOf(*server), PointAt{primary},
                              absl::StrCat("Point ", name, " at ", primary.value()), opened_)};
      }
      const int active = builder_.Add(RefOf(*server), Activate{}, absl::StrCat("Activate ", name),
                                      std::move(after));
      builder_.Last().documented_as = "B6";
      builder_.Add(RefOf(*server), Canary{}, absl::StrCat("Post a canary through ", name),
                   {active});
    }
  }

  const Inquiry& ask_;
  std::vector<Pair> pairs_;
  std::vector<const ChatServer*> next_;
  PlanBuilder builder_;
  int raised_ = 0;
  StepList checked_;
  StepList settled_;  // what must hold before anyone may write
  StepList opened_;
};

}  // namespace

std::optional<Plan> MakeAdopt(const Inquiry& ask) {
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state != nullptr && state->adopted) {
    ask.refusals.Add("POOL_ALREADY_ADOPTED", ask.pool.id.value(),
                     absl::StrCat("epoch ", state->epoch.ToString()), "a pool without an epoch",
                     absl::StrCat("nothing to do: baton status"));
    return std::nullopt;
  }
  const std::vector<Pair> pairs = ChoosePairs(ask);
  for (const ChatServer& server : ask.pool.chat_servers) CheckChatSeen(ask, RefOf(server));
  const ChatChoice chat = ChooseChatServers(ask, ask.pool.home);
  if (pairs.empty() || !ask.refusals.empty()) return std::nullopt;
  Plan plan = Adoption(ask, pairs, chat.next).Make();
  for (const Pair& pair : pairs) {
    plan.explanation.push_back(absl::StrCat(pair.database->id.value(), " is written on ",
                                            pair.primary->host.value(), ", as the topology says"));
  }
  plan.explanation.insert(plan.explanation.end(), chat.explanation.begin(), chat.explanation.end());
  return plan;
}

}  // namespace baton
