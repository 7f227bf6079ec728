// The session's plain values (agent/core/session.h) ⇄ baton.v1.
#pragma once

#include "absl/status/statusor.h"

#include "agent/core/session.h"
#include "baton/v1/agent_session.pb.h"

namespace baton::agent {

// The session protocol spoken.
inline constexpr uint32_t kSessionProtocol = 1;

v1::AgentMessage ToProto(const Hello& hello);
v1::AgentMessage ToProto(const ToCoordinator& message);

// INVALID_ARGUMENT names the field. UNIMPLEMENTED: a message of a kind that this version does not
// know.
absl::StatusOr<FromCoordinator> FromProto(const v1::CoordinatorMessage& message);

}  // namespace baton::agent
