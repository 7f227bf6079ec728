#include "common/rpc/endpoint.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "grpc/impl/codegen/grpc_types.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace baton {
namespace {

constexpr int kKeepaliveTimeMs = 2000;
constexpr int kKeepaliveTimeoutMs = 1500;
constexpr int kPingIntervalMinMs = 1000;
// An error lists every problem of a topology in one message, which travels in a header.
constexpr int kHeaderBytesMax = 64 << 10;
constexpr int kReconnectMinMs = 100;
constexpr int kReconnectMaxMs = 1000;
constexpr int kConnectTimeoutMs = 2000;

// The host part of "host:port" or "[host]:port"; the whole when there is no port.
std::string HostPart(const std::string& address) {
  if (absl::StartsWith(address, "[")) return address.substr(1, address.find(']') - 1);
  const size_t colon = address.rfind(':');
  const bool bare_ipv6 = colon != address.find(':');
  return colon == std::string::npos || bare_ipv6 ? address : address.substr(0, colon);
}

bool IsLoopbackIpv4(const std::string& host) {
  const std::vector<std::string> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (const std::string& part : parts) {
    int number = 0;
    if (!absl::SimpleAtoi(part, &number) || number < 0 || number > 255) return false;
  }
  return true;
}

}  // namespace

grpc::ChannelArguments ClientArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMinMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kHeaderBytesMax);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetMaxSendMessageSize(kMessageBytesMax);
  // A channel of its own for each session: a dead connection is not shared.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

void ApplyServerDefaults(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // Two coordinators that share a port would each see half of the agents.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.SetMaxSendMessageSize(kMessageBytesMax);
}

std::shared_ptr<grpc::Channel> DialCoordinator(const std::string& address) {
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ClientArguments());
}

absl::Status AddListener(grpc::ServerBuilder& builder, const std::string& address, int* port) {
  if (!IsLoopback(address)) {
    return absl::FailedPreconditionError(
        absl::StrCat("listen: found \"", address,
                     "\", wanted an address on loopback (127.0.0.0/8, ::1, unix:): agents and "
                     "operators are spoken to in plain text"));
  }
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), port);
  return absl::OkStatus();
}

bool IsLoopback(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const std::string host = HostPart(address);
  return host == "localhost" || host == "::1" || IsLoopbackIpv4(host);
}

}  // namespace baton
