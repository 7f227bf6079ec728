#include "coordinator/api/event_service.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/rpc/status_proto.h"
#include "coordinator/wire/plan_proto.h"

namespace baton {
namespace {

constexpr size_t kTransientWaitingMax = 64;

// One watcher's stream. Made and called by gRPC's threads, which only post; everything else happens
// on the loop. Deletes itself there.
class EventStream : public grpc::ServerWriteReactor<v1::Event>, public Watcher {
 public:
  EventStream(const v1::WatchEventsRequest& request, WatchHub& hub, Scheduler& scheduler)
      : hub_(hub),
        scheduler_(scheduler),
        pool_(request.pool()),
        plan_(PlanIdOf(request.plan())),
        follow_(request.follow()),
        next_(std::max<uint64_t>(1, request.from_sequence())) {
    scheduler_.Post([this] { Begin(); });
  }

  void OnWriteDone(bool ok) override {
    scheduler_.Post([this, ok] {
      writing_ = false;
      if (!ok) return End(absl::CancelledError("the watcher left"));
      Advance();
    });
  }
  void OnCancel() override {
    scheduler_.Post([this] { End(absl::CancelledError("the watcher left")); });
  }
  void OnDone() override {
    scheduler_.Post([this] {
      hub_.Remove(this);
      done_ = true;
      if (!fetching_) delete this;
    });
  }

  void OnNews() override { Advance(); }
  void OnTransient(const v1::Event& event) override {
    const bool behind = fetching_ || next_ <= hub_.last_sequence();
    if (behind || waiting_.size() >= kTransientWaitingMax || !Wanted(event)) return;
    waiting_.push_back(event);
    Advance();
  }

 private:
  void Begin() {
    if (ended_) return;
    if (next_ > hub_.last_sequence() + 1) {
      return End(absl::OutOfRangeError(absl::StrCat(
          "from_sequence: found ", next_, ", wanted at most ", hub_.last_sequence() + 1)));
    }
    last_ = hub_.last_sequence();
    if (follow_) hub_.Add(this);
    Advance();
  }

  bool Wanted(const v1::Event& event) const {
    return (pool_.empty() || event.pool() == pool_) &&
           (plan_.empty() || PlanIdOf(event.plan()) == plan_);
  }

  // One write in flight, and one batch at hand at most.
  void Advance() {
    if (ended_ || writing_ || fetching_) return;
    if (!waiting_.empty()) {
      current_ = std::move(waiting_.front());
      waiting_.pop_front();
      writing_ = true;
      StartWrite(&current_);
      return;
    }
    if (!follow_ && next_ > last_) return End(absl::OkStatus());
    if (next_ > hub_.last_sequence()) return;
    fetching_ = true;
    hub_.Fetch(next_, [this](absl::StatusOr<WatchHub::Events> events) {
      fetching_ = false;
      if (done_) {
        delete this;
      } else if (!events.ok()) {
        End(events.status());
      } else {
        Take(*std::move(events));
      }
    });
  }

  void Take(WatchHub::Events events) {
    for (v1::Event& event : events) {
      if (!follow_ && event.sequence() > last_) break;
      next_ = event.sequence() + 1;
      if (Wanted(event)) waiting_.push_back(std::move(event));
    }
    Advance();
  }

  void End(const absl::Status& status) {
    if (ended_) return;
    ended_ = true;
    hub_.Remove(this);
    Finish(ToGrpc(status));
  }

  WatchHub& hub_;
  Scheduler& scheduler_;
  const std::string pool_;
  const PlanId plan_;
  const bool follow_;
  uint64_t next_;      // the first one not taken from the hub yet
  uint64_t last_ = 0;  // without follow: where it ends
  std::deque<v1::Event> waiting_;
  v1::Event current_;
  bool writing_ = false;
  bool fetching_ = false;
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::Event>* EventService::WatchEvents(
    grpc::CallbackServerContext*, const v1::WatchEventsRequest* request) {
  return new EventStream(*request, hub_, scheduler_);
}

}  // namespace baton
