#include "agent/database/postgresql_probe.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/database/bounded_look.h"
#include "agent/database/interrupt.h"
#include "agent/database/postgresql_instance.h"
#include "agent/database/postgresql_look.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

// What a whole look may take, and of that its service manager and one call to the server.
constexpr absl::Duration kLookTimeout = absl::Seconds(2);
constexpr absl::Duration kServiceTimeout = absl::Milliseconds(300);
constexpr absl::Duration kServerTimeout = absl::Milliseconds(1200);

using ServiceLook = postgresql::BoundedLook<absl::StatusOr<ServiceStatus>>;
using WholeLook = postgresql::BoundedLook<Observation>;

}  // namespace

// What may hang, apart from the thread that answers.
struct PostgresqlProbe::Parts {
  postgresql::Interrupt interrupt;
  std::unique_ptr<postgresql::PostgresqlInstance> instance;  // used by `whole` only
  std::unique_ptr<postgresql::LookMemory> memory;            // used by `whole` only
  std::shared_ptr<ServiceLook> service;
  std::shared_ptr<WholeLook> whole;

  Observation Look() const {
    std::optional<absl::StatusOr<ServiceStatus>> status = service->Look(kServiceTimeout);
    return postgresql::LookAt(instance.get(), kServerTimeout,
                              status.has_value()
                                  ? *std::move(status)
                                  : absl::DeadlineExceededError("its supervisor does not answer"),
                              memory.get());
  }
};

absl::StatusOr<std::unique_ptr<PostgresqlProbe>> PostgresqlProbe::Create(
    const PostgresqlHost& host) {
  auto parts = std::make_shared<Parts>();
  BATON_ASSIGN_OR_RETURN(parts->instance,
                         postgresql::PostgresqlInstance::Create(host, &parts->interrupt));
  parts->memory = std::make_unique<postgresql::LookMemory>(host.archive, host.clock);
  parts->service =
      ServiceLook::Make(host.clock, [service = host.service] { return service->Status(); });
  // A plain pointer: the parts hold the look. The destructor sees that they outlive it.
  parts->whole = WholeLook::Make(host.clock, [parts = parts.get()] { return parts->Look(); });
  std::unique_ptr<PostgresqlProbe> probe(new PostgresqlProbe(host.config, std::move(parts)));
  probe->thread_ = std::thread([self = probe.get()] { self->Work(); });
  return probe;
}

PostgresqlProbe::PostgresqlProbe(ResourceConfig config, std::shared_ptr<Parts> parts)
    : config_(std::move(config)), parts_(std::move(parts)) {}

PostgresqlProbe::~PostgresqlProbe() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
  }
  parts_->interrupt.Raise();
  if (thread_.joinable()) thread_.join();
  const bool ended = parts_->whole->End(kLookTimeout);
  // One that hangs goes on using its parts, so they are left to it.
  if (!parts_->service->End(kLookTimeout) || !ended) new std::shared_ptr<Parts>(parts_);
}

void PostgresqlProbe::Observe(std::function<void(Observation)> done) {
  MutexLock lock(&mutex_);
  waiting_.push_back(std::move(done));
  changed_.SignalAll();
}

void PostgresqlProbe::Work() {
  while (true) {
    std::vector<std::function<void(Observation)>> asked;
    bool ending = false;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty() && !ending_) changed_.Wait(&mutex_);
      if (waiting_.empty()) return;
      asked.swap(waiting_);
      ending = ending_;
    }
    std::optional<Observation> seen;
    if (!ending) seen = parts_->whole->Look(kLookTimeout);
    if (!seen.has_value()) {
      seen = postgresql::NotSeen(config_, absl::StrCat("a look at it did not end within ",
                                                       absl::FormatDuration(kLookTimeout),
                                                       ": its files or its server hang"));
    }
    for (const auto& done : asked) done(*seen);
  }
}

}  // namespace baton
