// common/protocol's actions and commands ⇄ baton.v1. FromProto validates and bounds everything:
// INVALID_ARGUMENT names the field.
#pragma once

#include "absl/status/statusor.h"

#include "baton/v1/action.pb.h"
#include "common/protocol/action.h"

namespace baton {

v1::InstanceRole ToProto(InstanceRole role);
absl::StatusOr<InstanceRole> FromProto(v1::InstanceRole role);

v1::Action ToProto(const Action& action);
absl::StatusOr<Action> FromProto(const v1::Action& action);

v1::Command ToProto(const Command& command);
absl::StatusOr<Command> FromProto(const v1::Command& command);

}  // namespace baton
