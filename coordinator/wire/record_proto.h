// Records ⇄ their durable form. FromProto validates: INVALID_ARGUMENT names the field, and a record
// of a kind this version does not know is one too. A record that goes there and back is what it
// was.
#pragma once

#include "absl/status/statusor.h"

#include "baton/internal/v1/journal.pb.h"
#include "coordinator/executor/record.h"

namespace baton {

// A longer topology text is refused before it gets this far.
inline constexpr size_t kTopologyBytesMax = 1 << 20;

internal::v1::Record ToProto(const Record& record);
absl::StatusOr<Record> FromProto(const internal::v1::Record& record);

}  // namespace baton
