#include "agent/database/postgresql_probe.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/database/interrupt.h"
#include "agent/database/postgresql_instance.h"
#include "agent/database/postgresql_look.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

// What one call to the server may take, and what a whole look may.
constexpr absl::Duration kServerTimeout = absl::Milliseconds(1200);
constexpr absl::Duration kLookTimeout = absl::Seconds(2);

}  // namespace

// The thread that may hang, apart from the one that answers. Shared with that thread.
class PostgresqlProbe::Looker {
 public:
  static absl::StatusOr<std::shared_ptr<Looker>> Create(const PostgresqlHost& host) {
    auto looker = std::make_shared<Looker>();
    BATON_ASSIGN_OR_RETURN(looker->instance_,
                           postgresql::PostgresqlInstance::Create(host, &looker->interrupt_));
    looker->clock_ = host.clock;
    std::thread([looker] { looker->Work(); }).detach();
    return looker;
  }

  // A look that began after the call. None: it, or one before it, did not end within `timeout`.
  std::optional<Observation> Look(absl::Duration timeout) {
    const absl::Duration deadline = clock_->SinceBoot() + timeout;
    MutexLock lock(&mutex_);
    if (!WaitUntilIdle(deadline)) return std::nullopt;
    busy_ = true;
    changed_.SignalAll();
    if (!WaitUntilIdle(deadline)) return std::nullopt;
    return std::move(result_);
  }

  void End() {
    MutexLock lock(&mutex_);
    ending_ = true;
    interrupt_.Raise();
    changed_.SignalAll();
    while (!ended_ && changed_.WaitFor(&mutex_, kLookTimeout)) {
    }
  }

 private:
  bool WaitUntilIdle(absl::Duration deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (busy_) {
      const absl::Duration left = deadline - clock_->SinceBoot();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitFor(&mutex_, left);
    }
    return true;
  }

  void Work() {
    while (true) {
      {
        MutexLock lock(&mutex_);
        while (!busy_ && !ending_) changed_.Wait(&mutex_);
        if (ending_) break;
      }
      Observation seen = postgresql::LookAt(instance_.get(), kServerTimeout);
      MutexLock lock(&mutex_);
      result_ = std::move(seen);
      busy_ = false;
      changed_.SignalAll();
    }
    MutexLock lock(&mutex_);
    ended_ = true;
    changed_.SignalAll();
  }

  const Clock* clock_ = nullptr;
  postgresql::Interrupt interrupt_;
  std::unique_ptr<postgresql::PostgresqlInstance> instance_;  // used by Work() only
  Mutex mutex_;
  CondVar changed_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<Observation> result_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<PostgresqlProbe>> PostgresqlProbe::Create(
    const PostgresqlHost& host) {
  BATON_ASSIGN_OR_RETURN(std::shared_ptr<Looker> looker, Looker::Create(host));
  std::unique_ptr<PostgresqlProbe> probe(new PostgresqlProbe(host.config, std::move(looker)));
  probe->thread_ = std::thread([self = probe.get()] { self->Work(); });
  return probe;
}

PostgresqlProbe::PostgresqlProbe(ResourceConfig config, std::shared_ptr<Looker> looker)
    : config_(std::move(config)), looker_(std::move(looker)) {}

PostgresqlProbe::~PostgresqlProbe() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
  }
  looker_->End();
  if (thread_.joinable()) thread_.join();
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
    if (!ending) seen = looker_->Look(kLookTimeout);
    if (!seen.has_value()) {
      seen = postgresql::NotSeen(
          config_,
          absl::StrCat("a look at it did not end within ", absl::FormatDuration(kLookTimeout),
                       ": its files, its supervisor or its server hang"));
    }
    for (const auto& done : asked) done(*seen);
  }
}

}  // namespace baton
