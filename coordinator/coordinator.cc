#include "coordinator/coordinator.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/runtime/logging.h"
#include "coordinator/wire/event_proto.h"
#include "coordinator/wire/record_proto.h"

namespace baton {
namespace {

void Log(const CoordinatorState& state, const Record& record) {
  const Execution* execution = state.FindExecution(PlanOf(record.fact));
  const v1::Event event = ToEvent(record, execution == nullptr ? nullptr : execution->plan.get());
  spdlog::info("{} {} {}{}{}", event.sequence(), event.kind(), event.plan(),
               event.plan().empty() ? "" : ": ", event.text());
}

}  // namespace

Coordinator::Coordinator(const Options& options, const Clock& clock, Scheduler& loop,
                         std::unique_ptr<SqliteJournal> journal,
                         std::function<void(const absl::Status&)> on_fatal)
    : journal_(std::move(journal)) {
  registry_ = std::make_unique<SessionRegistry>(
      clock, loop,
      SessionRegistry::Options{.journal = journal_->id(),
                               .report_interval = options.report_interval});
  driver_ = std::make_unique<Driver>(*journal_, *registry_, loop,
                                     Driver::Hooks{.on_record =
                                                       [this](const Record& record) {
                                                         Log(driver_->state(), record);
                                                         control_->OnRecord(record);
                                                       },
                                                   .on_fatal = std::move(on_fatal)},
                                     options.reconnect_grace);
  registry_->Attach(*driver_);
  hub_ =
      std::make_unique<WatchHub>(driver_->state(), [this](uint64_t first, size_t count, auto done) {
        journal_->Read(first, count, std::move(done));
      });
  registry_->SetProgressHook([this, &clock](const HostId& host, const v1::CommandProgress& how) {
    hub_->OnProgress(host, how, clock.Now());
  });
  control_ = std::make_unique<Control>(clock, *driver_, *registry_, *hub_, options.policy);
  session_service_ = std::make_unique<SessionService>(*registry_, loop);
  topology_service_ = std::make_unique<TopologyService>(*control_, loop);
  plan_service_ = std::make_unique<PlanService>(*control_, loop);
  agent_service_ = std::make_unique<AgentService>(*control_, loop);
  event_service_ = std::make_unique<EventService>(*hub_, loop);
}

absl::StatusOr<std::unique_ptr<Coordinator>> Coordinator::Open(
    const Options& options, const Clock& clock, Scheduler& loop,
    std::function<void(const absl::Status&)> on_fatal) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<SqliteJournal> journal,
                         SqliteJournal::Open(options.journal, clock, loop));
  std::unique_ptr<Coordinator> coordinator(
      new Coordinator(options, clock, loop, std::move(journal), std::move(on_fatal)));
  BATON_RETURN_IF_ERROR(coordinator->Replay());
  return coordinator;
}

absl::Status Coordinator::Replay() {
  BATON_RETURN_IF_ERROR(journal_->ReadAll([this](const Record& record) {
    driver_->Replay(record);
    control_->OnReplay(record);
  }));
  return control_->Start();
}

void Coordinator::Register(grpc::ServerBuilder& builder) {
  builder.RegisterService(session_service_.get());
  builder.RegisterService(topology_service_.get());
  builder.RegisterService(plan_service_.get());
  builder.RegisterService(agent_service_.get());
  builder.RegisterService(event_service_.get());
}

}  // namespace baton
