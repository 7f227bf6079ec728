// The page about pools.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/rpc/protocol_proto.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {
namespace {

std::string Seen(const v1::MemberStatus& member) {
  if (!member.has_observation()) return "never seen";
  const v1::Observation& seen = member.observation();
  if (seen.has_database()) {
    const v1::DatabaseObservation& database = seen.database();
    std::string text = Word(database.state());
    if (database.state() == v1::DATABASE_STATE_DOWN) {
      absl::StrAppend(&text, database.clean_shutdown() ? " (clean)" : " (not clean)");
    }
    if (database.client_sessions() > 0) {
      absl::StrAppend(&text, ", ", database.client_sessions(), " sessions");
    }
    return text;
  }
  if (!seen.has_chat()) return "unknown";
  std::string text = Word(seen.chat().state());
  if (seen.chat().state() == v1::CHAT_STATE_SERVING) {
    absl::StrAppend(&text, ", ", seen.chat().users(), " users");
  }
  if (!seen.chat().points_at().empty()) {
    absl::StrAppend(&text, ", database ", seen.chat().points_at());
  }
  return text;
}

std::string Fence(const v1::MemberStatus& member) {
  if (!member.has_observation()) return "";
  const v1::FenceSummary& fence = member.observation().fence();
  std::string text = absl::StrCat(Word(fence.phase()), " ", Text(fence.fence_epoch()));
  if (!fence.file_readable()) absl::StrAppend(&text, ", file unreadable");
  return text;
}

std::string Lag(const v1::MemberStatus& member) {
  const v1::DatabaseObservation& database = member.observation().database();
  if (database.state() == v1::DATABASE_STATE_PRIMARY) {
    return database.ready_files() == 0 ? ""
                                       : absl::StrCat(database.ready_files(), " files to ship");
  }
  if (database.state() != v1::DATABASE_STATE_STANDBY) return "";
  // All applied: then the age of the last transaction only says how quiet it is.
  if (database.lag_bytes() == 0) return Bytes(0);
  const auto lag = FromProto("lag", database.lag());
  return absl::StrCat(Bytes(database.lag_bytes()), lag.ok() ? ", " + Took(*lag) : "");
}

// What is wrong with the member, all of it.
std::string Drift(const v1::MemberStatus& member) {
  const v1::Observation& seen = member.observation();
  std::vector<std::string> parts = {member.agent_connected() ? "" : "agent not connected",
                                    member.drift(),
                                    seen.database().problem(),
                                    seen.database().archive_failure(),
                                    seen.chat().problem(),
                                    seen.database().share_problem()};
  if (!seen.database().gap().empty()) {
    parts.push_back(absl::StrCat("log file ", seen.database().gap(), " is missing"));
  }
  if (member.has_observation() && !seen.service_managed()) {
    parts.push_back("supervisor does not answer");
  }
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) absl::StrAppend(&text, text.empty() ? "" : "; ", part);
  }
  return text;
}

std::string PoolLine(const v1::PoolStatus& pool) {
  std::string text = pool.pool();
  if (!pool.adopted()) {
    return absl::StrCat(
        text, ": not adopted, nothing of it may write\n  begin with: baton protect ", pool.pool(),
        " --reason \"...\" (a bare primary and a bare backup)\n          or: baton "
        "adopt ",
        pool.pool(), " --reason \"...\" (the backup follows already)");
  }
  if (pool.serving_site().empty()) {
    absl::StrAppend(&text, ": no site may write just now");
  } else {
    const char* place = pool.serving_site() == pool.home_site()     ? "home"
                        : pool.serving_site() == pool.backup_site() ? "backup"
                                                                    : "other";
    absl::StrAppend(&text, ": served at ", pool.serving_site(), " (", place, ")");
  }
  return absl::StrCat(text, ", epoch ", Text(pool.epoch()), ", home ", pool.home_site(),
                      ", backup ", pool.backup_site());
}

std::string PlanLine(const v1::PoolStatus& pool) {
  if (!pool.has_plan()) return "  plan: none\n";
  const v1::Plan& plan = pool.plan();
  std::string text = absl::StrCat("  plan: ", Word(plan.kind()), " ", Word(plan.state()));
  int ended = 0;
  int all = 0;
  for (const v1::Step& step : plan.steps()) {
    if (step.undo()) continue;
    ++all;
    ended += step.state() == v1::STEP_STATE_SUCCEEDED || step.state() == v1::STEP_STATE_SKIPPED;
  }
  if (all > 0) absl::StrAppend(&text, ", ", ended, " of ", all, " steps done");
  if (!plan.waiting_for().empty()) absl::StrAppend(&text, ", waits: ", plan.waiting_for());
  return absl::StrCat(Printable(text), "\n    look: baton plan show ", ShortPlanId(plan.name()),
                      " --watch\n");
}

}  // namespace

std::string FormatStatus(const v1::ListPoolsResponse& pools, absl::Time now) {
  if (pools.pools().empty()) {
    return "no pools: apply a topology with \"baton topology apply FILE --reason TEXT\"\n";
  }
  std::string text;
  for (const v1::PoolStatus& pool : pools.pools()) {
    if (!text.empty()) text += "\n";
    absl::StrAppend(&text, Printable(PoolLine(pool)), "\n");
    TextTable table({"MEMBER", "SITE", "KIND", "ASSIGNED", "SEEN", "FENCE", "POSITION", "LAG",
                     "REPORTED", "DRIFT"});
    for (const v1::MemberStatus& member : pool.members()) {
      table.Add({Text(member.resource()), member.site(), member.kind(), member.assigned(),
                 Seen(member), Fence(member), Text(member.observation().database().position()),
                 Lag(member), Ago(member.observe_time(), now), Drift(member)});
    }
    if (!table.empty()) text += table.ToString("  ");
    text += PlanLine(pool);
    if (pool.adopted()) text += FormatDebts(pool);
    if (pool.switchover_ready()) {
      text += "  switchover: ready\n";
    } else {
      absl::StrAppend(&text, "  switchover: not ready\n");
      for (const v1::Refusal& refusal : pool.not_ready()) {
        absl::StrAppend(&text, "    ", Printable(Text(refusal)), "\n");
      }
    }
  }
  return text;
}

}  // namespace baton
