// What the services share: the topology in force, and the frozen state that plans are made from.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/base/clock.h"
#include "coordinator/api/watch_hub.h"
#include "coordinator/executor/driver.h"
#include "coordinator/model/goal.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/transport/session_registry.h"

namespace baton {

// Follows the journal beside the driver. Everything is called on the loop; the parts outlive it.
class Control {
 public:
  Control(const Clock& clock, Driver& driver, SessionRegistry& registry, WatchHub& hub,
          Policy policy)
      : clock_(clock), driver_(driver), registry_(registry), hub_(hub), policy_(policy) {}

  // Each replayed record, after the driver replayed it.
  void OnReplay(const Record& record);
  // After replay, before the driver starts: reads the topology in force again. FAILED_PRECONDITION
  // when this version refuses what an earlier one applied.
  absl::Status Start();
  // Each new record, from the driver.
  void OnRecord(const Record& record);

  Snapshot Look() const;

  // Null: none applied yet.
  const std::shared_ptr<const Topology>& topology() const { return topology_; }
  absl::Time topology_time() const { return topology_time_; }
  // The revision that a request made; none for a request that was never seen.
  std::optional<uint64_t> RevisionOf(const std::string& request_id) const;

  // A plan is made from one topology and admitted under it: while a record of either kind is on its
  // way to the journal, the other has to wait.
  struct InFlight {
    int admissions = 0;
    int topologies = 0;
  };
  InFlight& in_flight() { return in_flight_; }

  absl::Time Now() const { return clock_.Now(); }
  const Policy& policy() const { return policy_; }
  const CoordinatorState& state() const { return driver_.state(); }
  Driver& driver() { return driver_; }
  SessionRegistry& registry() { return registry_; }
  WatchHub& hub() { return hub_; }

 private:
  void Note(const Record& record);
  absl::Status ParseInForce();

  const Clock& clock_;
  Driver& driver_;
  SessionRegistry& registry_;
  WatchHub& hub_;
  const Policy policy_;
  std::shared_ptr<const Topology> topology_;
  absl::Time topology_time_ = absl::InfinitePast();
  std::map<std::string, uint64_t> revisions_;  // by request id
  InFlight in_flight_;
};

}  // namespace baton
