// One question, one answer over a local socket.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/fd.h"

namespace baton {

// A listening, non-blocking socket at `path`, for its owner alone (mode 0600). What was there under
// that name is removed: hold a lock that makes you its only owner. INVALID_ARGUMENT: the path is
// too long for a socket (107 bytes).
absl::StatusOr<Fd> ListenUnix(const std::string& path);

// Sends `question`, then reads until the other side closes. UNAVAILABLE: nobody listens, or closed
// without an answer. DEADLINE_EXCEEDED: no whole answer in `timeout`. RESOURCE_EXHAUSTED: an answer
// of more than `answer_bytes_max`.
absl::StatusOr<std::string> AskUnix(const std::string& path, std::string_view question,
                                    absl::Duration timeout, size_t answer_bytes_max);

}  // namespace baton
