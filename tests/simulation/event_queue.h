// Virtual time: one queue of events, and the processes that they belong to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "common/base/clock.h"
#include "common/base/scheduler.h"

namespace baton::sim {

using Nanos = int64_t;
inline constexpr Nanos kMicro = 1000;
inline constexpr Nanos kMilli = 1000 * kMicro;
inline constexpr Nanos kSecond = 1000 * kMilli;

// Runs what is due, in order of time, then of asking. An event belongs to a process: it is dropped
// with a process that was killed meanwhile and waits for one that is paused. Thread-compatible.
class EventQueue {
 public:
  using Process = int;

  Nanos now() const { return now_; }
  uint64_t events() const { return sequence_; }

  Process Add();
  // An id that is never 0 and never used again.
  uint64_t At(Process process, Nanos delay, std::function<void()> f);
  void Cancel(uint64_t id);

  bool Alive(Process process) const { return processes_[process].alive; }
  bool Paused(Process process) const { return processes_[process].paused; }
  // Since when it has run without a pause; of one that does not run now, when it last began to.
  Nanos AwakeSince(Process process) const { return processes_[process].awake_since; }
  void Kill(Process process);
  void Revive(Process process);
  void Pause(Process process);
  void Resume(Process process);

  // False when nothing is left before `limit`; time is `limit` then.
  bool RunOne(Nanos limit);

 private:
  struct Slot {
    std::function<void()> f;
    uint32_t generation = 1;
    uint32_t incarnation = 0;
    Process process = 0;
  };
  struct Entry {
    Nanos at;
    uint64_t sequence;
    uint32_t slot;
    uint32_t generation;
    bool operator>(const Entry& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };
  struct ProcessState {
    uint32_t incarnation = 1;
    bool alive = true;
    bool paused = false;
    Nanos awake_since = 0;
    std::vector<Entry> held;
  };
  void Free(uint32_t slot);
  void Push(const Entry& entry);

  Nanos now_ = 0;
  uint64_t sequence_ = 0;
  // The next one last. A few dozen wait at a time, and what is asked for is mostly due soon: its
  // place is found near the end, sooner than in a heap.
  std::vector<Entry> pending_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<ProcessState> processes_;
};

// Scheduler and clock of one process on one host.
class ProcessLoop : public Scheduler, public Clock {
 public:
  ProcessLoop(EventQueue& queue, EventQueue::Process process) : queue_(queue), process_(process) {}

  void Post(std::function<void()> f) override { queue_.At(process_, 0, std::move(f)); }
  TimerId After(absl::Duration delay, std::function<void()> f) override;
  void Cancel(TimerId id) override { queue_.Cancel(id); }
  absl::Time Now() const override;
  absl::Duration SinceBoot() const override;

  EventQueue::Process process() const { return process_; }
  // Of the host: when it booted, how fast its clock goes, how wrong its wall clock is.
  void SetBoot(Nanos booted) { booted_ = booted; }
  void SetDrift(int64_t parts_per_million) { drift_ = parts_per_million; }
  void JumpWall(Nanos by) { wall_offset_ += by; }

 private:
  EventQueue& queue_;
  EventQueue::Process process_;
  Nanos booted_ = 0;
  int64_t drift_ = 0;
  Nanos wall_offset_ = 0;
};

}  // namespace baton::sim
