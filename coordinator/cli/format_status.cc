#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

#include "common/rpc/protocol_proto.h"
#include "common/rpc/status_proto.h"
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
                                    member.drift(), seen.database().problem(),
                                    seen.database().archive_failure(), seen.chat().problem()};
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
    return absl::StrCat(text, ": not adopted, nothing of it may write\n  begin with: baton adopt ",
                        pool.pool(), " --reason \"...\"");
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

std::string FormatAgents(const v1::ListAgentsResponse& agents, absl::Time now) {
  TextTable table(
      {"HOST", "SITE", "CONNECTED", "VERSION", "REPORTED", "LEDGER", "ADDRESS", "RESOURCES"});
  std::string refused;
  for (const v1::Agent& agent : agents.agents()) {
    std::string resources;
    for (const v1::ResourceRef& ref : agent.resources()) {
      absl::StrAppend(&resources, resources.empty() ? "" : " ", ref.resource());
    }
    table.Add({agent.host(), agent.site(), agent.connected() ? "yes" : "no", agent.version(),
               Ago(agent.last_report_time(), now), CutTo(agent.ledger_id(), 12), agent.address(),
               resources});
    if (agent.refused().empty()) continue;
    absl::StrAppend(&refused, "\nrefused: ", agent.host(), ": ", Printable(agent.refused()), "\n");
    if (!agent.refused_ledger_id().empty()) {
      absl::StrAppend(&refused, "  its ledger is ", Printable(agent.refused_ledger_id()),
                      "; if that is right: baton agents accept ", agent.host(),
                      " --reason \"...\"\n");
    }
  }
  return table.empty() ? "no agents: the topology names no hosts\n" : table.ToString() + refused;
}

std::string FormatEvent(const v1::Event& event) {
  std::string text = absl::StrCat(event.sequence(), event.transient() ? "+" : "", "  ",
                                  LocalTime(event.time()), "  ", event.kind());
  for (const std::string& part : {event.pool(), ShortPlanId(event.plan()), event.host()}) {
    if (!part.empty()) absl::StrAppend(&text, "  ", part);
  }
  if (event.has_step()) absl::StrAppend(&text, "  step ", event.step() + 1);
  if (!event.text().empty()) absl::StrAppend(&text, "  ", event.text());
  return Printable(text) + "\n";
}

std::string FormatChanges(const v1::Topology& topology) {
  std::string text;
  for (const std::string& change : topology.changes()) {
    absl::StrAppend(&text, "  ", Printable(change), "\n");
  }
  return text;
}

std::string FormatError(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  std::string text(status.message());
  if (text.empty()) text = absl::StatusCodeToString(status.code());
  return reason.empty() ? Printable(text)
                        : absl::StrCat("refused (", reason, "): ", Printable(text));
}

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return "{}\n";
  if (text.empty() || text.back() != '\n') text += "\n";
  return text;
}

}  // namespace baton
