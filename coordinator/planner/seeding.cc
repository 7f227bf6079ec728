#include "coordinator/planner/seeding.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/switchover_checks.h"

namespace baton {
namespace {

bool Fenced(const FenceSummary& fence) {
  return fence.phase == FencePhase::kClosed || fence.phase == FencePhase::kClosing;
}

// The lineage that the other instance wrote, if the writer's log left exactly that one, once, at
// the fork that is known; else null. A writer may have gone on from a log of its own instead, which
// leaves the other's unsealed; and a timeline between the two, of a move that was given up, makes
// the known fork a later one than theirs.
const Lineage* LeftBehind(const DatabaseMove& move) {
  const std::vector<Lineage>& lineages = move.right->lineages;
  if (lineages.size() < 2) return nullptr;
  const Lineage& before = lineages[lineages.size() - 2];
  const bool left = before.instance == move.to->host && before.sealed.has_value() &&
                    move.right->fork.timeline == before.sealed->timeline + 1;
  return left ? &before : nullptr;
}

// It stopped cleanly where its log was shipped to, and the writer went on from there: exactly then
// the control file tells that nothing exists here alone.
bool StoppedAtItsSeal(const DatabaseMove& move, const DatabaseObservation& seen) {
  const Lineage* own = LeftBehind(move);
  return own != nullptr && seen.state == DatabaseState::kDown && seen.clean_shutdown &&
         own->sealed == seen.position;
}

SeedingWay WayOf(const DatabaseMove& move, const DatabaseObservation& seen) {
  const bool followed = move.right->followers.contains(move.to->host);
  if (seen.state == DatabaseState::kEmpty) return SeedingWay::kSeed;
  if (!seen.gap.empty()) return SeedingWay::kAnew;
  if (followed) {
    return seen.state == DatabaseState::kStandby ? SeedingWay::kNone : SeedingWay::kStart;
  }
  return StoppedAtItsSeal(move, seen) ? SeedingWay::kStart : SeedingWay::kAnew;
}

}  // namespace

Seeding ChooseSeeding(const Inquiry& ask, const PoolState& state, const DatabaseMove& move) {
  Seeding seeding;
  seeding.database = move.database;
  seeding.writer = move.from;
  seeding.follower = move.to;
  seeding.system_id = move.right->system_id;
  if (LeftBehind(move) != nullptr) seeding.fork = move.right->fork;
  seeding.fetch = move.right->lineages;
  seeding.discard = ask.goal.discard_orphans;
  const Observation* writer = ask.seen.Find(RefOf(*move.from));
  if (writer != nullptr && writer->database() != nullptr) {
    seeding.until = writer->database()->position;
  }
  const ResourceRef ref = RefOf(*move.to);
  const DatabaseObservation* seen = CheckDatabaseSeen(ask, ref);
  if (seen == nullptr) return seeding;
  CheckTwins(ask, RefOf(*move.from), ref);
  CheckEpoch(ask, state, ref);
  const FenceSummary& fence = ask.seen.Find(ref)->fence;
  seeding.way = WayOf(move, *seen);
  seeding.holds_data = seen->state != DatabaseState::kEmpty;
  // Its data was moved aside, and what did that died before it took the right off the fence.
  if (!seeding.holds_data && !fence.write_epoch.none()) seeding.way = SeedingWay::kAnew;
  const auto due = state.fence_due.find(ref);
  // Read-only under its fence, with the right still in its file: only a stop proves that it is not
  // about to be promoted.
  seeding.fence_first = due != state.fence_due.end() && seeding.way == SeedingWay::kAnew &&
                        Fenced(fence) && fence.fence_epoch >= due->second &&
                        seen->state == DatabaseState::kStandby;
  if (due != state.fence_due.end() && !seeding.fence_first) {
    ask.refusals.Add("RETURN_NOT_FENCED", ref.ToString(),
                     absl::StrCat("it came back, fence ", std::string(ToString(fence.phase))),
                     absl::StrCat("fenced under epoch ", due->second.ToString()),
                     "this happens by itself: wait for it with baton status -W");
  } else if (!Fenced(fence)) {
    ask.refusals.Add("FENCE_STATE", ref.ToString(),
                     absl::StrCat("fence ", std::string(ToString(fence.phase))),
                     "a fence that lets nothing write",
                     fence.phase == FencePhase::kUnconfirmed
                         ? absl::StrCat("baton agents accept ", ref.host.value(), " --reason TEXT")
                         : absl::StrCat("see that nothing writes there, then baton-guard fence ",
                                        ref.resource.value(), " ", state.epoch.ToString(), " on ",
                                        ref.host.value()));
  }
  if (seen->state == DatabaseState::kPrimary || seen->state == DatabaseState::kStarting) {
    ask.refusals.Add("DATABASE_ROLE", ref.ToString(), std::string(ToString(seen->state)),
                     "empty, stopped or a standby",
                     absl::StrCat("see what runs on ", ref.host.value(), ": baton status"));
  }
  return seeding;
}

int AddSeeding(const Seeding& seeding, StepList after, PlanBuilder& builder) {
  const Database& database = *seeding.database;
  const Instance& follower = *seeding.follower;
  StepList ready;
  if (seeding.configured) {
    ready = std::move(after);
  } else {
    // The checkpoint sees to it that there is something to ship, and a base backup starts at once.
    after = {builder.AddForDatabase(
        database, *seeding.writer,
        CheckDatabase{InstanceRole::kPrimary, seeding.system_id, true, true},
        absl::StrCat("Check that ", seeding.writer->host.value(), " serves ", database.id.value()),
        std::move(after))};
    ready.push_back(builder.OnDatabase(database, *seeding.writer, ConfigureLogShipping{},
                                       "Configure the log shipping of", after));
    ready.push_back(builder.OnDatabase(database, follower, ConfigureLogShipping{},
                                       "Configure the log shipping of", after));
  }
  if (seeding.way == SeedingWay::kAnew) {
    if (seeding.holds_data) {
      ready = {seeding.fence_first
                   ? builder.OnDatabase(database, follower, Fence{}, "Fence", std::move(ready))
                   : builder.OnDatabase(database, follower, Stop{}, "Stop", std::move(ready))};
    }
    Quarantine aside;
    aside.system_id = seeding.system_id;
    aside.fork = seeding.fork;
    aside.name = builder.plan().id.value();
    aside.discard_bytes = seeding.discard;
    ready = {builder.OnDatabase(database, follower, std::move(aside), "Move aside the data of",
                                std::move(ready))};
  }
  if (seeding.way == SeedingWay::kAnew || seeding.way == SeedingWay::kSeed) {
    ready = {builder.OnDatabase(database, follower, Seed{seeding.writer->host, seeding.system_id},
                                "Seed", std::move(ready))};
    builder.Last().documented_as = "B5";
  }
  const int started = builder.StartStandby(database, follower, seeding.fetch, std::move(ready));
  builder.Last().documented_as = "B5";
  ApplyPendingLogs apply;
  apply.until = seeding.until;
  const int applied =
      builder.OnDatabase(database, follower, apply, "Apply the pending logs of", {started});
  // What was written while it was seeded.
  builder.Last().timeout = builder.CopyTimeout();
  return applied;
}

std::string ExplainSeeding(const Seeding& seeding) {
  const std::string where =
      absl::StrCat(seeding.database->id.value(), " on ", seeding.follower->host.value());
  const std::string from = seeding.writer->host.value();
  switch (seeding.way) {
    case SeedingWay::kNone:
      return absl::StrCat(where, " follows ", from, " already");
    case SeedingWay::kStart:
      return absl::StrCat(where, " follows ", from,
                          " from what it has: nothing exists there alone");
    case SeedingWay::kSeed:
      return absl::StrCat(where, " is empty: it is seeded from ", from);
    case SeedingWay::kAnew:
      break;
  }
  if (seeding.fork.none()) {
    return absl::StrCat(
        where, " is seeded anew from ", from,
        "; nobody knows where their logs part, so all it has goes to its quarantine");
  }
  std::string text = absl::StrCat(where, " is seeded anew from ", from, "; what it has beyond ",
                                  seeding.fork.ToString());
  if (!seeding.discard.has_value()) return text + " goes to its quarantine first";
  return absl::StrCat(text, " goes to its quarantine first, unless it is at most ",
                      *seeding.discard, " bytes: then it is thrown away");
}

}  // namespace baton
