#include "coordinator/planner/explain.h"

#include "absl/strings/str_cat.h"

namespace baton {

std::string ExplainChat(const ChatServer& server, bool serves, const std::string& why) {
  return absl::StrCat(server.host.value(), "/", server.service.value(),
                      serves ? " serves: " : " does not serve: ", why);
}

std::string ExplainMove(const Snapshot& seen, const Database& database, const Instance& from,
                        const Instance& to) {
  const Topology& topology = *seen.topology;
  std::string text =
      absl::StrCat(database.id.value(), " moves from ", from.host.value(), " (",
                   topology.SiteOf(from.host).value(), ") to ", to.host.value(), " (",
                   topology.SiteOf(to.host).value(), "), its only instance at the other site");
  const Observation* observation = seen.Find({to.host, to.service});
  if (observation != nullptr && observation->database() != nullptr) {
    absl::StrAppend(&text, ", which is ", observation->database()->lag_bytes, " bytes behind");
  }
  return text;
}

std::string ExplainFencedOnReturn(const ResourceRef& ref) {
  return absl::StrCat(ref.ToString(),
                      " cannot be reached: it is fenced when it comes back, before ",
                      "anything else happens to it");
}

std::string ExplainIgnored(const Database& database) {
  return absl::StrCat(database.id.value(), " stays: its policy is ignore");
}

}  // namespace baton
