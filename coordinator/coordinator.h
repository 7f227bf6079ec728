// The coordinator as a whole, less its process: journal, driver, sessions and services.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"

#include "common/base/clock.h"
#include "common/base/scheduler.h"
#include "coordinator/api/agent_service.h"
#include "coordinator/api/control.h"
#include "coordinator/api/event_service.h"
#include "coordinator/api/plan_service.h"
#include "coordinator/api/topology_service.h"
#include "coordinator/api/watch_hub.h"
#include "coordinator/executor/driver.h"
#include "coordinator/journal/sqlite_journal.h"
#include "coordinator/transport/session_registry.h"
#include "coordinator/transport/session_service.h"

namespace baton {

// Opened from its journal, then started; lives on the loop. To end it: shut the server down while
// the loop runs, let the loop do what is posted, then destroy this on the loop or after it ended.
class Coordinator {
 public:
  struct Options {
    std::string journal;  // path
    absl::Duration report_interval = absl::Seconds(1);
    absl::Duration reconnect_grace = kReconnectGrace;  // tests alone know agents that dial at once
    Policy policy = Policy();
  };

  // Opens the journal and replays it. Errors as SqliteJournal::Open and Control::Start. `clock` and
  // `loop` outlive the coordinator. `on_fatal` runs on the loop when the journal can no longer be
  // written: the process must end.
  static absl::StatusOr<std::unique_ptr<Coordinator>> Open(
      const Options& options, const Clock& clock, Scheduler& loop,
      std::function<void(const absl::Status&)> on_fatal);

  void Register(grpc::ServerBuilder& builder);
  // On the loop, before the first session: goes on with every plan that has not ended.
  void Start() { driver_->Start(); }

  const CoordinatorState& state() const { return driver_->state(); }

 private:
  Coordinator(const Options& options, const Clock& clock, Scheduler& loop,
              std::unique_ptr<SqliteJournal> journal,
              std::function<void(const absl::Status&)> on_fatal);
  absl::Status Replay();

  // The journal is the last to go but writes nothing that was not asked before.
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SessionRegistry> registry_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<WatchHub> hub_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<SessionService> session_service_;
  std::unique_ptr<TopologyService> topology_service_;
  std::unique_ptr<PlanService> plan_service_;
  std::unique_ptr<AgentService> agent_service_;
  std::unique_ptr<EventService> event_service_;
};

}  // namespace baton
