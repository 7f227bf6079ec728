#include "tests/simulation/event_queue.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

namespace baton::sim {

EventQueue::Process EventQueue::Add() {
  processes_.emplace_back();
  return static_cast<Process>(processes_.size()) - 1;
}

void EventQueue::Push(const Entry& entry) {
  // From the end in steps that double, then between the last two.
  auto after = pending_.end();
  std::ptrdiff_t step = std::min<std::ptrdiff_t>(1, after - pending_.begin());
  while (step > 0 && entry > *(after - step)) {
    after -= step;
    step = std::min(2 * step, after - pending_.begin());
  }
  pending_.insert(std::upper_bound(after - step, after, entry, std::greater<Entry>()), entry);
}

uint64_t EventQueue::At(Process process, Nanos delay, std::function<void()> f) {
  uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.f = std::move(f);
  slot.process = process;
  slot.incarnation = processes_[process].incarnation;
  Push({now_ + std::max<Nanos>(delay, 0), ++sequence_, index, slot.generation});
  return (static_cast<uint64_t>(slot.generation) << 32) | (index + 1);
}

void EventQueue::Free(uint32_t index) {
  slots_[index].f = nullptr;
  ++slots_[index].generation;
  free_.push_back(index);
}

void EventQueue::Cancel(uint64_t id) {
  const uint32_t index = static_cast<uint32_t>(id & 0xFFFFFFFFu) - 1;
  if (id == 0 || index >= slots_.size()) return;
  if (slots_[index].generation == static_cast<uint32_t>(id >> 32)) Free(index);
}

void EventQueue::Kill(Process process) {
  ProcessState& state = processes_[process];
  ++state.incarnation;
  state.alive = false;
  state.paused = false;
  for (const Entry& entry : state.held) {
    if (slots_[entry.slot].generation == entry.generation) Free(entry.slot);
  }
  state.held.clear();
}

void EventQueue::Revive(Process process) {
  // What a dead one asked for with its last breath is not its successor's.
  ++processes_[process].incarnation;
  processes_[process].alive = true;
  processes_[process].awake_since = now_;
}

void EventQueue::Pause(Process process) { processes_[process].paused = true; }

void EventQueue::Resume(Process process) {
  ProcessState& state = processes_[process];
  state.paused = false;
  state.awake_since = now_;
  for (const Entry& entry : state.held) Push({now_, ++sequence_, entry.slot, entry.generation});
  state.held.clear();
}

bool EventQueue::RunOne(Nanos limit) {
  while (!pending_.empty() && pending_.back().at <= limit) {
    const Entry entry = pending_.back();
    pending_.pop_back();
    Slot& slot = slots_[entry.slot];
    if (slot.generation != entry.generation) continue;
    ProcessState& process = processes_[slot.process];
    if (!process.alive || process.incarnation != slot.incarnation) {
      Free(entry.slot);
      continue;
    }
    if (process.paused) {
      process.held.push_back(entry);
      continue;
    }
    now_ = std::max(now_, entry.at);
    const std::function<void()> f = std::move(slot.f);
    Free(entry.slot);
    f();
    return true;
  }
  now_ = std::max(now_, limit);
  return false;
}

TimerId ProcessLoop::After(absl::Duration delay, std::function<void()> f) {
  const Nanos wanted = absl::ToInt64Nanoseconds(delay);
  return queue_.At(process_, wanted - wanted / 1'000'000 * drift_, std::move(f));
}

absl::Time ProcessLoop::Now() const {
  return absl::FromUnixNanos(1'700'000'000 * kSecond + queue_.now() + wall_offset_);
}

absl::Duration ProcessLoop::SinceBoot() const {
  const Nanos passed = queue_.now() - booted_ + kSecond;
  return absl::Nanoseconds(passed + passed / 1'000'000 * drift_);
}

}  // namespace baton::sim
