// How Baton's processes reach each other: the one place that chooses credentials and sets what gRPC
// leaves to chance (keepalive, windows, limits; grpc-notes.md).
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"

namespace baton {

// Larger messages are refused with RESOURCE_EXHAUSTED; the process lives on.
inline constexpr int kMessageBytesMax = 4 << 20;

// A vanished peer is noticed within about 3.5 s on either side.
grpc::ChannelArguments ClientArguments();
void ApplyServerDefaults(grpc::ServerBuilder& builder);

// "127.0.0.1:7400", "[::1]:7400", "unix:/run/baton/socket". Never blocks: gRPC connects when the
// channel is first used, and again after each loss.
std::shared_ptr<grpc::Channel> DialCoordinator(const std::string& address);

// Adds `address` as a listening port. `port` (may be null) receives the number chosen for ":0" once
// the server was started. FAILED_PRECONDITION when the address is not on this host's loopback:
// traffic is in plain text.
absl::Status AddListener(grpc::ServerBuilder& builder, const std::string& address, int* port);

// True for 127.0.0.0/8, ::1, "localhost" and unix sockets, with or without a port.
bool IsLoopback(const std::string& address);

}  // namespace baton
