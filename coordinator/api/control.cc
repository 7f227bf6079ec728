#include "coordinator/api/control.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/runtime/logging.h"
#include "coordinator/config/topology_config.h"

namespace baton {

void Control::Note(const Record& record) {
  const auto* applied = std::get_if<TopologyApplied>(&record.fact);
  if (applied == nullptr) return;
  topology_time_ = record.time;
  if (!applied->request_id.empty()) revisions_[applied->request_id] = applied->revision;
}

void Control::OnReplay(const Record& record) {
  Note(record);
  hub_.OnRecord(record);
}

absl::Status Control::Start() {
  return state().topology.has_value() ? ParseInForce() : absl::OkStatus();
}

// What was accepted once, options included, is not judged by them again.
absl::Status Control::ParseInForce() {
  const TopologyApplied& applied = *state().topology;
  absl::StatusOr<Topology> parsed =
      ParseTopology(applied.text, absl::StrCat("topology revision ", applied.revision),
                    {.allow_coordinator_at_home = true});
  if (!parsed.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the journal's topology is not understood by this version; run the version that applied "
        "it: ",
        parsed.status().message()));
  }
  topology_ = std::make_shared<const Topology>(*std::move(parsed));
  registry_.SetTopology(topology_);
  return absl::OkStatus();
}

void Control::OnRecord(const Record& record) {
  Note(record);
  if (std::holds_alternative<TopologyApplied>(record.fact)) {
    const absl::Status parsed = ParseInForce();
    if (!parsed.ok()) spdlog::error("{}", parsed.ToString());
  }
  registry_.OnRecord(record);
  hub_.OnRecord(record);
}

Snapshot Control::Look() const {
  Snapshot seen;
  seen.as_of = clock_.Now();
  seen.since_boot = clock_.SinceBoot();
  seen.revision = registry_.revision();
  seen.topology = topology_;
  seen.pools = state().pools;
  seen.agents = registry_.agents();
  seen.resources = registry_.resources();
  seen.running = state().running;
  seen.Date();
  return seen;
}

std::optional<uint64_t> Control::RevisionOf(const std::string& request_id) const {
  const auto it = revisions_.find(request_id);
  if (it == revisions_.end()) return std::nullopt;
  return it->second;
}

}  // namespace baton
