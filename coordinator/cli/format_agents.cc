// Hosts, their agents and ledgers.
#include <string>

#include "absl/strings/str_cat.h"

#include "coordinator/cli/format.h"
#include "coordinator/cli/text_table.h"
#include "coordinator/cli/words.h"

namespace baton {

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

}  // namespace baton
