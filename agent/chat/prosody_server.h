// One Prosody server of this host, as probe and runner see it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/chat/control_client.h"
#include "agent/chat/prosody_config.h"
#include "agent/chat/xmpp_stream.h"
#include "agent/core/host_ports.h"
#include "common/base/clock.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/observation.h"
#include "common/protocol/resource_config.h"

namespace baton {

// What probe and runner are given. Nothing is owned; all of it outlives them.
struct ProsodyHost {
  ResourceConfig config;
  FenceStore* fences = nullptr;
  ServiceManager* service = nullptr;
  const Clock* clock = nullptr;
};

namespace chat {

// Thread-safe: holds no state of its own. Every call blocks, within its time limit.
class ProsodyServer {
 public:
  // Errors as MakeProsodyConfig.
  static absl::StatusOr<ProsodyServer> Create(const ProsodyHost& host);

  const ProsodyConfig& config() const { return config_; }
  FenceStore& fences() const { return *host_.fences; }
  ServiceManager& service() const { return *host_.service; }
  const Clock& clock() const { return *host_.clock; }
  const ControlClient& control() const { return control_; }
  const ClientListener& listener() const { return listener_; }

  // The fence file; what is missing or not understood is closed, with epoch 0.0.
  absl::StatusOr<FenceRecord> Fence() const;

  // OK: nothing of the server is there: its manager says so, and a client is refused.
  // FAILED_PRECONDITION: it runs. Anything else: cannot be told.
  absl::Status IsDown(absl::Duration timeout) const;

  // One look at everything. Never fails: what cannot be seen is kUnknown, with the reason.
  Observation Observe(absl::Duration timeout) const;

 private:
  ProsodyServer(const ProsodyHost& host, ProsodyConfig config);

  ChatObservation ObserveChat(const absl::StatusOr<ServiceStatus>& service,
                              absl::Duration timeout) const;
  FenceSummary ObserveFence() const;

  ProsodyHost host_;
  ProsodyConfig config_;
  ControlClient control_;
  ClientListener listener_;
};

// What was seen of a server, made into its observation. Pure.
struct ChatSight {
  absl::StatusOr<ServiceStatus> service;
  absl::StatusOr<ChatStatus> control;
  absl::Status refuses_clients;    // as RefusesClients
  absl::StatusOr<HostId> in_file;  // as ReadInstance
};
ChatObservation Judge(const ChatSight& sight);

}  // namespace chat
}  // namespace baton
