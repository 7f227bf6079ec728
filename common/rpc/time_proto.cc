#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/base/strings.h"
#include "common/rpc/protocol_proto.h"

namespace baton {
namespace {

constexpr int64_t kSecondsMax = 315'576'000'000;      // google.protobuf.Duration: 10 000 years
constexpr int64_t kUnixSecondsMin = -62'135'596'800;  // 0001-01-01
constexpr int64_t kUnixSecondsMax = 253'402'300'799;  // 9999-12-31

}  // namespace

google::protobuf::Duration ToProto(absl::Duration duration) {
  const absl::Duration limit = absl::Seconds(kSecondsMax);
  absl::Duration rest = std::clamp(duration, -limit, limit);
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

absl::StatusOr<absl::Duration> FromProto(std::string_view field,
                                         const google::protobuf::Duration& duration) {
  if (duration.seconds() < 0 || duration.seconds() > kSecondsMax || duration.nanos() < 0 ||
      duration.nanos() > 999'999'999) {
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(field), ": found ", duration.seconds(),
                                                   " s ", duration.nanos(),
                                                   " ns, wanted a duration from 0 to 10000 years"));
  }
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  const absl::Time bounded = std::clamp(time, absl::FromUnixSeconds(kUnixSecondsMin),
                                        absl::FromUnixSeconds(kUnixSecondsMax));
  google::protobuf::Timestamp proto;
  proto.set_seconds(absl::ToUnixSeconds(bounded));
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(bounded - absl::FromUnixSeconds(proto.seconds()))));
  return proto;
}

absl::StatusOr<absl::Time> FromProto(std::string_view field,
                                     const google::protobuf::Timestamp& time) {
  if (time.seconds() < kUnixSecondsMin || time.seconds() > kUnixSecondsMax || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(field), ": found ", time.seconds(), " s ",
                                                   time.nanos(),
                                                   " ns, wanted a time from year 1 to 9999"));
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

}  // namespace baton
