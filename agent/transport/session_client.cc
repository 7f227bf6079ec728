#include "agent/transport/session_client.h"

#include <utility>

#include "agent/transport/session_stream.h"

namespace baton::agent {

void StreamCount::Add() {
  MutexLock lock(&mutex_);
  ++count_;
}

void StreamCount::Remove() {
  MutexLock lock(&mutex_);
  --count_;
  changed_.SignalAll();
}

void StreamCount::WaitForNone() {
  MutexLock lock(&mutex_);
  while (count_ > 0) changed_.Wait(&mutex_);
}

SessionClient::SessionClient(Scheduler* scheduler,
                             std::vector<std::shared_ptr<grpc::Channel>> channels)
    : scheduler_(scheduler),
      channels_(std::move(channels)),
      streams_(std::make_shared<StreamCount>()) {}

SessionClient::~SessionClient() {
  Close();
  streams_->WaitForNone();
}

void SessionClient::Open(const Hello& hello, Events events) {
  Close();
  if (welcomed_ != nullptr && !*welcomed_) turn_ = (turn_ + 1) % channels_.size();
  welcomed_ = std::make_shared<bool>(false);
  events.message = [welcomed = welcomed_, message = std::move(events.message)](FromCoordinator m) {
    *welcomed = *welcomed || std::holds_alternative<Welcome>(m);
    message(std::move(m));
  };
  current_ =
      std::make_shared<SessionStream>(scheduler_, channels_[turn_], streams_, std::move(events));
  current_->Start(hello);
}

void SessionClient::Send(const ToCoordinator& message) {
  if (current_ != nullptr) current_->Send(message);
}

void SessionClient::Close() {
  if (current_ == nullptr) return;
  current_->End(absl::CancelledError("closed by the agent"));
  current_.reset();
}

}  // namespace baton::agent
