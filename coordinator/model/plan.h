// A plan: an ordered graph of steps, immutable once made, shared by pointer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/action.h"
#include "common/protocol/epoch.h"
#include "common/protocol/ids.h"

namespace baton {

enum class PlanKind { kAdopt, kSwitchover, kFailover, kFailback, kProtect, kRemoveQuarantine };
std::string_view ToString(PlanKind kind);

enum class PlanState { kRunning, kWaiting, kUndoing, kSucceeded, kUndone, kFailed };
std::string_view ToString(PlanState state);
inline bool Terminal(PlanState state) {
  return state == PlanState::kSucceeded || state == PlanState::kUndone ||
         state == PlanState::kFailed;
}

// The coordinator's own step: the pool's epoch becomes Plan::epoch (undo: Plan::undo_epoch).
struct RaiseEpoch {};

struct Step {
  ResourceRef target;   // empty for RaiseEpoch
  DatabaseId database;  // whose instance `target` is; empty: chat server or RaiseEpoch
  std::variant<RaiseEpoch, Action> what;
  std::string title;          // "Ship the tail of mgc on hq-sql1"
  std::string documented_as;  // "F4"; empty: none
  std::vector<int> after;     // indexes of steps that must have succeeded; all smaller
  absl::Duration timeout = absl::Seconds(30);
  bool critical = false;      // users wait for it
  bool undo = false;          // belongs to the way back; runs only when the plan undoes itself
  std::optional<int> undoes;  // undo only: due if that forward step was ever tried, else skipped
  bool skippable = false;     // an operator may let the plan go on without it
  std::optional<int> input_from;  // takes the position from this step's outcome (see BindInput)
  int automatic_tries = 2;        // how often it is tried before the plan waits for an operator

  bool raises_epoch() const { return std::holds_alternative<RaiseEpoch>(what); }
  const Action* action() const { return std::get_if<Action>(&what); }
};

// What a failover may lose of one database, as a bound: everything that was acknowledged in the
// `window` before the plan was made, except what lies up to `kept`. Bytes are an estimate. The
// window is measured on the clock that dated the last commit, the writer's own, and goes on from
// when that was last told in the coordinator's monotonic time.
struct AnnouncedLoss {
  DatabaseId database;
  LogPosition kept;  // what the backup has, with all that its shares still hold
  absl::Time last_commit =
      absl::InfinitePast();  // within `kept`, by the writer's clock; past: none
  LogPosition lost_end;      // where the writer's log was last seen to end; none: never seen
  absl::Duration report_age = absl::InfiniteDuration();  // how old that sight is
  absl::Duration window = absl::InfiniteDuration();
  uint64_t bytes = 0;                              // from `kept` to `lost_end`
  bool nothing = false;                            // all of the writer's log is kept
  absl::Time writer_clock = absl::InfinitePast();  // when the plan was made; past: never told

  friend bool operator==(const AnnouncedLoss&, const AnnouncedLoss&) = default;
};
// One line for people.
std::string Describe(const AnnouncedLoss& loss);

struct Plan {
  PlanId id;
  PoolId pool;
  PlanKind kind = PlanKind::kSwitchover;
  std::string reason;
  std::string requested_by;
  std::string request_id;
  SiteId from_site;
  SiteId to_site;
  // A switchover's commands carry it until `epoch` is raised. An adoption: the highest epoch that
  // any fence has seen, none if none has.
  Epoch epoch_before;
  Epoch epoch;       // the right to write moves under this one
  Epoch undo_epoch;  // what an undo gives it back under; never used otherwise
  uint64_t snapshot_revision = 0;
  absl::Time create_time = absl::InfinitePast();
  std::vector<Step> steps;  // forward steps first, then undo steps
  std::vector<std::string> explanation;
  std::vector<AnnouncedLoss> losses;  // failover: one per database
  // Not reached when the plan was made, down by an operator's word: fenced at their next contact,
  // before anything else happens to them.
  std::vector<ResourceRef> fence_on_return;
  // What was accepted against which rule: "LOSS_OVER_LIMIT: up to 2m". For history.
  std::vector<std::string> overrides;
};

// The action with its input filled in. For ShipTail's final position: ApplyPendingLogs waits for
// it, CopyPendingLogs and StartStandby seal with it the lineage that is followed by another one or,
// for CopyPendingLogs, the last one.
Action BindInput(const Action& action, const LogPosition& position);

// One reason not to make a plan.
struct Refusal {
  std::string rule;     // UPPER_SNAKE, stable
  std::string subject;  // "hq-sql1/mgc"
  std::string found;
  std::string wanted;
  std::string remedy;  // the next command to type or thing to mend

  friend bool operator==(const Refusal&, const Refusal&) = default;
};
// "LAG_OVER_LIMIT dr-sql1/mgc: found …; wanted …; next: …": one line for people.
std::string Describe(const Refusal& refusal);

}  // namespace baton
