// What waits to be written to one stream: bounded, one write in flight, newer state over older.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace baton {

struct OutboxLimits {
  size_t bytes = 8 << 20;
  size_t messages = 4096;
};

// A queue in front of a gRPC stream, which allows one write at a time. Holds no lock and starts no
// write itself: Push and WriteDone tell what to write now, the caller passes it to StartWrite, and
// the message stays valid until the next WriteDone.
//
// Thread-compatible: owned by the event loop, to which a reactor posts the ends of its writes.
template <class Message>
class Outbox {
 public:
  // Messages of one slot replace each other while they wait; kOwnSlot never does.
  static constexpr int kOwnSlot = 0;
  // Puts `newer` over `waiting`; by default it takes its place.
  using Merge = std::function<void(Message& waiting, Message newer)>;

  explicit Outbox(OutboxLimits limits = OutboxLimits()) : limits_(limits) {}

  // Adds a message. Returns what to write now, null while a write is in flight.
  // RESOURCE_EXHAUSTED: the peer does not read; the outbox is as before, and the caller ends the
  // stream.
  absl::StatusOr<const Message*> Push(Message message, int slot = kOwnSlot,
                                      const Merge& merge = nullptr) {
    Entry* waiting = slot == kOwnSlot ? nullptr : FindWaiting(slot);
    if (waiting != nullptr) {
      Replace(*waiting, std::move(message), merge);
    } else {
      const size_t size = message.ByteSizeLong();
      // A single message always fits: whether it is too large is the stream's own limit to say.
      if (!entries_.empty() &&
          (bytes_ + size > limits_.bytes || entries_.size() >= limits_.messages)) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "the peer does not read: ", entries_.size(), " messages of ", bytes_,
            " bytes wait, at most ", limits_.messages, " of ", limits_.bytes, " bytes may"));
      }
      entries_.push_back({std::move(message), slot, size});
      bytes_ += size;
    }
    return Next();
  }

  // The write in flight ended. Returns what to write now, null when nothing waits.
  const Message* WriteDone() {
    if (!in_flight_) return nullptr;
    in_flight_ = false;
    bytes_ -= entries_.front().size;
    entries_.pop_front();
    return Next();
  }

  bool in_flight() const { return in_flight_; }
  // In flight and waiting.
  size_t messages() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Message message;
    int slot;
    size_t size;
  };

  Entry* FindWaiting(int slot) {
    for (size_t i = in_flight_ ? 1 : 0; i < entries_.size(); ++i) {
      if (entries_[i].slot == slot) return &entries_[i];
    }
    return nullptr;
  }

  void Replace(Entry& waiting, Message message, const Merge& merge) {
    bytes_ -= waiting.size;
    if (merge) {
      merge(waiting.message, std::move(message));
    } else {
      waiting.message = std::move(message);
    }
    waiting.size = waiting.message.ByteSizeLong();
    bytes_ += waiting.size;
  }

  const Message* Next() {
    if (in_flight_ || entries_.empty()) return nullptr;
    in_flight_ = true;
    return &entries_.front().message;
  }

  OutboxLimits limits_;
  std::deque<Entry> entries_;  // the front one may be in flight
  bool in_flight_ = false;
  size_t bytes_ = 0;
};

}  // namespace baton
