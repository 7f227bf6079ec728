// Errors across the wire: absl::Status ⇄ grpc::Status. A stable reason for programs (UPPER_SNAKE)
// and facts by name travel as baton.v1.ErrorInfo in the details; the message is for people.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace baton {

// An error with a reason that programs can tell apart.
absl::Status ErrorWithReason(absl::StatusCode code, std::string_view reason,
                             std::string_view message,
                             const std::map<std::string, std::string>& metadata = {});

// Empty when the error carries none.
std::string ErrorReason(const absl::Status& status);
std::map<std::string, std::string> ErrorMetadata(const absl::Status& status);

// The codes of both are the same numbers; an unknown one becomes UNKNOWN. Messages are cut to what
// fits into the headers that Baton's channels allow (ClientArguments).
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace baton
