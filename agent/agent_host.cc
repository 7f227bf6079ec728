#include "agent/agent_host.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

#include "agent/chat/prosody_probe.h"
#include "agent/chat/prosody_runner.h"
#include "agent/database/postgresql_probe.h"
#include "agent/database/postgresql_runner.h"
#include "agent/guard/host/guard_archive_store.h"
#include "agent/guard/host/guard_fence_store.h"
#include "agent/service/service_manager.h"
#include "common/base/status_macros.h"
#include "common/rpc/endpoint.h"
#include "common/runtime/random.h"

namespace baton::agent {
namespace {

void Log(Severity severity, const std::string& text) {
  switch (severity) {
    case Severity::kInfo:
      return spdlog::info("{}", text);
    case Severity::kWarning:
      return spdlog::warn("{}", text);
    case Severity::kError:
      return spdlog::error("{}", text);
  }
}

void TellOfLedger(const SqliteLedger::Opened& opened, const std::string& path) {
  if (!opened.moved_aside.empty()) {
    spdlog::error("ledger {}: {}; moved aside to {}", path, opened.why, opened.moved_aside);
  }
  if (opened.contents.fresh) {
    spdlog::warn(
        "ledger {} is new, its id is {}: nothing that is down starts writable before the "
        "coordinator knows it (baton agents accept HOST) and has confirmed the right",
        path, opened.contents.id.value());
  }
}

std::string DataDirectoryOfPostgresql(const ResourceConfig& about) {
  return about.engine_name == "postgresql" ? about.data_directory : "";
}

// Whatever keeps a resource from being looked after is for its file to mend.
absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentHost>> AgentHost::Create(const AgentConfig& config,
                                                             Scheduler* scheduler,
                                                             const Clock* clock) {
  std::unique_ptr<AgentHost> host(new AgentHost);
  BATON_ASSIGN_OR_RETURN(SqliteLedger::Opened opened,
                         SqliteLedger::Open({config.ledger, config.host, clock}));
  TellOfLedger(opened, config.ledger);
  host->ledger_ = std::move(opened.ledger);
  for (const ResourceFile& file : config.resources) {
    BATON_RETURN_IF_ERROR(host->Add(file, config, clock, opened.contents.id));
  }
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (const std::string& address : config.coordinators) {
    channels.push_back(DialCoordinator(address));
  }
  host->link_ = std::make_unique<SessionClient>(scheduler, std::move(channels));
  AgentCore::Options options = {config.host, BATON_VERSION, RandomSeed(), Log};
  AgentCore::Ports ports = {scheduler, clock, host->ledger_.get(), &host->children_,
                            host->link_.get()};
  host->core_ =
      std::make_unique<AgentCore>(std::move(options), ports, host->given_, opened.contents);
  return host;
}

// What runs commands ends first: its completions still find the core.
AgentHost::~AgentHost() {
  if (link_ != nullptr) link_->Close();
  for (const std::unique_ptr<Resource>& resource : resources_) {
    resource->runner.reset();
    resource->probe.reset();
    resource->fence_file.reset();
  }
  core_.reset();
}

absl::Status AgentHost::Add(const ResourceFile& file, const AgentConfig& config, const Clock* clock,
                            const LedgerId& ledger) {
  const ResourceConfig& about = file.config;
  auto resource = std::make_unique<Resource>();
  absl::StatusOr<std::unique_ptr<ServiceManager>> service =
      MakeServiceManager(about, file.path, config.guard);
  if (!service.ok()) return InFile(file.path, service.status());
  resource->service = *std::move(service);
  resource->core = MakeFences(about, ledger, resource->service.get(), false);
  resource->looking = MakeFences(about, ledger, resource->service.get(), false);
  resource->acting = MakeFences(about, ledger, resource->service.get(), true);
  absl::StatusOr<BootId> boot = resource->core.store->Boot();
  if (!boot.ok()) return InFile(file.path, boot.status());
  resource->archive =
      std::make_unique<GuardArchiveStore>(about, file.path, config.guard, BeforeStart(*resource));
  resource->fence_file = std::make_unique<FenceWorker>(
      resource->core.store.get(), resource->service.get(), DataDirectoryOfPostgresql(about));
  absl::Status engine = AddEngine(file, clock, resource.get());
  if (!engine.ok()) return InFile(file.path, engine);
  resource->runner = std::make_unique<NotedRunner>(std::move(resource->runner), resource->running);
  AgentCore::Resource given;
  given.name = {about.resource, about.pool};
  given.probe = resource->probe.get();
  given.runner = resource->runner.get();
  given.fence = resource->fence_file.get();
  given_.push_back(given);
  resources_.push_back(std::move(resource));
  return absl::OkStatus();
}

AgentHost::Fences AgentHost::MakeFences(const ResourceConfig& about, const LedgerId& ledger,
                                        ServiceManager* service, bool made_good) {
  const ResourceId& id = about.resource;
  Fences fences;
  fences.file = std::make_unique<GuardFenceStore>(
      about, [this, id](const FenceRecord& record) { return EnterFence(id, record); });
  LedgerFenceStore::EnteredFunction entered;
  if (made_good) entered = [this, id] { return ledger_->Fence(id); };
  // Asking starts a missing supervisor. That it came is for the start that follows to find out.
  auto before_open = [service] { (void)service->Status(); };
  fences.store = std::make_unique<LedgerFenceStore>(fences.file.get(), ledger, std::move(entered),
                                                    std::move(before_open));
  return fences;
}

absl::Status AgentHost::AddEngine(const ResourceFile& file, const Clock* clock,
                                  Resource* resource) {
  const ResourceConfig& about = file.config;
  if (about.engine_name == "postgresql") {
    PostgresqlHost host = {
        about, resource->looking.store.get(), resource->service.get(), resource->archive.get(),
        clock, BeforeStart(*resource)};
    BATON_ASSIGN_OR_RETURN(resource->probe, PostgresqlProbe::Create(host));
    host.fences = resource->acting.store.get();
    host.enter_child = [this, running = resource->running](const ProcessId& child) {
      return EnterChild(*running, child);
    };
    BATON_ASSIGN_OR_RETURN(resource->runner, PostgresqlRunner::Create(host));
    return absl::OkStatus();
  }
  if (about.engine_name == "prosody") {
    ProsodyHost host = {about, resource->looking.store.get(), resource->service.get(), clock};
    BATON_ASSIGN_OR_RETURN(resource->probe, ProsodyProbe::Create(host));
    host.fences = resource->acting.store.get();
    BATON_ASSIGN_OR_RETURN(resource->runner, ProsodyRunner::Create(host));
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("found engine \"", about.engine_name, "\", wanted postgresql or prosody"));
}

std::function<absl::Status(const ProcessId&)> AgentHost::BeforeStart(const Resource& resource) {
  return [this, running = resource.running](const ProcessId& child) {
    return EnterChild(*running, child);
  };
}

absl::Status AgentHost::EnterChild(const RunningCommand& running, const ProcessId& child) {
  const CommandId command = running.Get();
  if (command.empty()) return absl::OkStatus();
  return ledger_->RecordChild({child.pid, child.start_ticks, command});
}

absl::Status AgentHost::EnterFence(const ResourceId& resource, const FenceRecord& record) {
  BATON_RETURN_IF_ERROR(ledger_->RecordFence(resource, record));
  core_->NoteFence(resource, record);
  return absl::OkStatus();
}

}  // namespace baton::agent
