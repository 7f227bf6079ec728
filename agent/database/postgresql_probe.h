// Looks at one PostgreSQL instance for the agent's reports.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/core/ports.h"
#include "agent/database/postgresql_host.h"
#include "common/base/mutex.h"

namespace baton {

// Thread-safe. Looks on threads of its own, one look at a time; a look that was asked for while
// another was under way begins after it, so that it shows nothing older than the question.
// Completions run on one of those threads, at most about 2 s after the look began and 4 s after the
// question, even if the server, its supervisor or the file system below it hangs.
class PostgresqlProbe : public Probe {
 public:
  // FAILED_PRECONDITION or INVALID_ARGUMENT naming what the resource file lacks.
  static absl::StatusOr<std::unique_ptr<PostgresqlProbe>> Create(const PostgresqlHost& host);
  // What was asked for and not answered yet is answered as not seen. A look that hangs is left
  // behind with what it needs but `host`, which then has to outlive it: the process is ending.
  ~PostgresqlProbe() override;

  void Observe(std::function<void(Observation)> done) override;

 private:
  struct Parts;

  PostgresqlProbe(ResourceConfig config, std::shared_ptr<Parts> parts);
  void Work();

  const ResourceConfig config_;
  const std::shared_ptr<Parts> parts_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::function<void(Observation)>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace baton
