// Records as events for those who watch, from any point of the journal on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "baton/v1/agent_session.pb.h"
#include "baton/v1/event_service.pb.h"
#include "coordinator/executor/state.h"

namespace baton {

// One who watches. Called on the loop.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // There is something newer than what a Fetch gave last.
  virtual void OnNews() = 0;
  // Not durable, and not kept for anyone who is behind.
  virtual void OnTransient(const v1::Event& event) = 0;
};

// Keeps the newest events in memory and reads older ones from the journal. Watchers pull: one that
// is slow costs one batch, however far it is behind. Everything is called on the loop.
class WatchHub {
 public:
  using Events = std::vector<v1::Event>;
  // Records from a sequence number on, at most so many.
  using ReadRecords = std::function<void(
      uint64_t first, size_t count, std::function<void(absl::StatusOr<std::vector<Record>>)> done)>;

  // `state` outlives the hub.
  WatchHub(const CoordinatorState& state, ReadRecords read);

  // Each record once `state` follows from it, replayed ones included.
  void OnRecord(const Record& record);
  void OnProgress(const HostId& host, const v1::CommandProgress& progress, absl::Time now);

  // A batch of events from `first` on; empty when there is none yet. `done` may run before this
  // returns, and does not run after the hub is gone.
  void Fetch(uint64_t first, std::function<void(absl::StatusOr<Events>)> done);
  uint64_t last_sequence() const { return state_.last_sequence; }

  void Add(Watcher* watcher) { watchers_.insert(watcher); }
  void Remove(Watcher* watcher) { watchers_.erase(watcher); }

  // What the running command said last; empty: nothing.
  std::string ProgressOf(const CommandId& command) const;

 private:
  v1::Event EventOf(const Record& record) const;

  const CoordinatorState& state_;
  ReadRecords read_;
  std::deque<v1::Event> newest_;
  std::map<CommandId, std::string> progress_;
  std::set<Watcher*> watchers_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace baton
