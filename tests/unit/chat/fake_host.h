// A chat host without a chat server: fence, service manager and clock as a test wants them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/chat/prosody_server.h"
#include "agent/core/host_ports.h"
#include "common/base/clock.h"
#include "common/protocol/resource_config.h"

namespace baton::test {

class FakeFences : public FenceStore {
 public:
  absl::StatusOr<FenceRecord> Read() override { return record; }
  absl::Status Write(const FenceRecord& written) override {
    if (write_error.ok()) record = written;
    return write_error;
  }
  absl::Status PlaceStandbySignal() override { return absl::OkStatus(); }
  absl::Status ProveNothingRuns(absl::Duration) override { return proof; }
  absl::StatusOr<BootId> Boot() override { return BootId("boot-1"); }

  absl::StatusOr<FenceRecord> record = absl::NotFoundError("no fence file");
  absl::Status write_error;
  absl::Status proof;
};

class FakeService : public ServiceManager {
 public:
  absl::Status Start(absl::Duration) override {
    ++starts;
    status.running = start_error.ok();
    return start_error;
  }
  absl::Status Stop(StopMode, absl::Duration) override {
    ++stops;
    if (stop_error.ok()) status.running = false;
    return stop_error;
  }
  absl::StatusOr<ServiceStatus> Status() override { return status; }

  ServiceStatus status{true, false, 0, "", ""};
  absl::Status start_error;
  absl::Status stop_error;
  int starts = 0;
  int stops = 0;
};

// Goes on by `step` whenever it is asked: time limits pass without waiting.
class HastyClock : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch(); }
  absl::Duration SinceBoot() const override { return now_ += step; }

  absl::Duration step = absl::Milliseconds(1);

 private:
  mutable absl::Duration now_ = absl::Seconds(1000);
};

// Everything in a folder of its own, which goes with the object. Nobody listens on its ports.
class FakeHost {
 public:
  FakeHost();
  ~FakeHost();

  ProsodyHost host() { return {config, &fences, &service, &clock}; }
  chat::ProsodyServer Server();
  void Write(const std::string& file, const std::string& text) const;

  std::string folder;
  ResourceConfig config;
  FakeFences fences;
  FakeService service;
  HastyClock clock;
};

}  // namespace baton::test
