#include "coordinator/planner/remove_quarantine.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "coordinator/planner/plan_builder.h"

namespace baton {
namespace {

const Database* FindDatabaseOf(const Pool& pool, const ResourceRef& ref) {
  for (const Database& database : pool.databases) {
    for (const Instance& instance : database.instances) {
      if (RefOf(instance) == ref) return &database;
    }
  }
  return nullptr;
}

void RefuseUnknown(const Inquiry& ask, const std::string& found) {
  ask.refusals.Add("QUARANTINE_UNKNOWN",
                   absl::StrCat(ask.goal.quarantine_of.ToString(), " ", ask.goal.quarantine), found,
                   "a quarantine that an instance of the pool keeps",
                   absl::StrCat("baton quarantine list ", ask.pool.id.value()));
}

}  // namespace

std::optional<Plan> MakeRemoveQuarantine(const Inquiry& ask) {
  const ResourceRef& ref = ask.goal.quarantine_of;
  const PoolState* state = ask.seen.FindPoolState(ask.pool.id);
  if (state == nullptr || !state->adopted) {
    ask.refusals.Add("POOL_NOT_ADOPTED", ask.pool.id.value(), "no epoch in this journal",
                     "an adopted pool",
                     absl::StrCat("baton adopt ", ask.pool.id.value(), " --reason TEXT"));
    return std::nullopt;
  }
  const Database* database = FindDatabaseOf(ask.pool, ref);
  if (database == nullptr) {
    RefuseUnknown(ask, "no instance of its databases");
    return std::nullopt;
  }
  const Observation* seen = CheckSeen(ask, ref);
  if (seen == nullptr) return std::nullopt;
  const std::vector<QuarantineEntry> kept =
      seen->database() == nullptr ? std::vector<QuarantineEntry>() : seen->database()->quarantine;
  const bool known = std::any_of(kept.begin(), kept.end(), [&](const QuarantineEntry& entry) {
    return entry.name == ask.goal.quarantine;
  });
  // Older ones are not shown; whether one of them is meant is for the agent to say.
  if (!known && (kept.size() < kQuarantineShownMax || ask.goal.quarantine.empty())) {
    RefuseUnknown(ask, kept.empty() ? std::string("nothing in quarantine")
                                    : absl::StrCat(kept.size(), " others"));
    return std::nullopt;
  }
  PlanBuilder builder(ask);
  Plan& plan = builder.plan();
  plan.from_site = plan.to_site = ask.seen.topology->SiteOf(ref.host);
  plan.epoch_before = plan.epoch = state->epoch;
  builder.Add(ref, RemoveQuarantine{ask.goal.quarantine},
              absl::StrCat("Remove quarantine ", ask.goal.quarantine, " of ", ref.ToString()), {});
  builder.Last().database = database->id;
  return builder.Take();
}

}  // namespace baton
