#include "coordinator/api/watch_hub.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"
#include "coordinator/wire/event_proto.h"
#include "coordinator/wire/plan_proto.h"
#include "coordinator/wire/record_proto.h"

namespace baton {
namespace {

constexpr size_t kNewestMax = 1024;
constexpr size_t kBatch = 128;

}  // namespace

WatchHub::WatchHub(const CoordinatorState& state, ReadRecords read)
    : state_(state), read_(std::move(read)) {}

v1::Event WatchHub::EventOf(const Record& record) const {
  const Execution* execution = state_.FindExecution(PlanOf(record.fact));
  return ToEvent(record, execution == nullptr ? nullptr : execution->plan.get());
}

void WatchHub::OnRecord(const Record& record) {
  newest_.push_back(EventOf(record));
  if (newest_.size() > kNewestMax) newest_.pop_front();
  if (const auto* finished = std::get_if<StepFinished>(&record.fact)) {
    progress_.erase(MakeCommandId(finished->plan, finished->step, finished->attempt));
  }
  // A watcher may leave while it is told.
  const std::vector<Watcher*> told(watchers_.begin(), watchers_.end());
  for (Watcher* watcher : told) {
    if (watchers_.contains(watcher)) watcher->OnNews();
  }
}

void WatchHub::OnProgress(const HostId& host, const v1::CommandProgress& progress, absl::Time now) {
  const CommandId command(progress.command());
  const auto name = ParseCommandId(command);
  if (!name.has_value()) return;
  const Execution* execution = state_.FindExecution(name->plan);
  // Only running commands have progress: the map holds no more than there are.
  if (execution == nullptr || name->step < 0 ||
      name->step >= static_cast<int>(execution->steps.size()) ||
      execution->CommandOf(name->step) != command ||
      execution->steps[name->step].state != StepState::kRunning) {
    return;
  }
  std::string text = CleanText(progress.what(), kNameBytesMax);
  if (progress.total() > 0) {
    absl::StrAppend(&text, " ", progress.done(), "/", progress.total());
  } else if (progress.done() > 0) {
    absl::StrAppend(&text, " ", progress.done());
  }
  progress_[command] = text;
  v1::Event event;
  event.set_sequence(last_sequence());
  *event.mutable_time() = ToProto(now);
  event.set_kind("STEP_PROGRESS");
  event.set_pool(execution->plan->pool.value());
  event.set_plan(PlanName(execution->plan->pool, name->plan));
  event.set_host(host.value());
  event.set_step(name->step);
  event.set_text(text);
  event.set_transient(true);
  const std::vector<Watcher*> told(watchers_.begin(), watchers_.end());
  for (Watcher* watcher : told) {
    if (watchers_.contains(watcher)) watcher->OnTransient(event);
  }
}

void WatchHub::Fetch(uint64_t first, std::function<void(absl::StatusOr<Events>)> done) {
  if (first > last_sequence()) return done(Events());
  if (!newest_.empty() && first >= newest_.front().sequence()) {
    Events events;
    for (size_t i = first - newest_.front().sequence();
         i < newest_.size() && events.size() < kBatch; ++i) {
      events.push_back(newest_[i]);
    }
    return done(std::move(events));
  }
  read_(first, kBatch,
        [this, alive = std::weak_ptr<char>(alive_),
         done = std::move(done)](absl::StatusOr<std::vector<Record>> records) {
          if (alive.expired()) return;
          if (!records.ok()) return done(records.status());
          Events events;
          for (const Record& record : *records) events.push_back(EventOf(record));
          done(std::move(events));
        });
}

std::string WatchHub::ProgressOf(const CommandId& command) const {
  const auto it = progress_.find(command);
  return it == progress_.end() ? std::string() : it->second;
}

}  // namespace baton
