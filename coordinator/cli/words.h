// Values of the public messages as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

#include "baton/v1/plan.pb.h"
#include "baton/v1/resources.pb.h"

namespace baton {

std::string Word(v1::PlanKind kind);    // "switchover"
std::string Word(v1::PlanState state);  // "running"
std::string Word(v1::StepState state);  // "succeeded" is "done"
std::string Word(v1::FencePhase phase);
std::string Word(v1::DatabaseState state);
std::string Word(v1::ChatState state);

std::string Text(const v1::Epoch& epoch);           // "1.4", "none"
std::string Text(const v1::LogPosition& position);  // "1:0/3000060", "" when none
std::string Text(const v1::ResourceRef& ref);       // "hq-sql1/mgc"
std::string Text(const v1::Refusal& refusal);       // "RULE: subject: found X, wanted Y; remedy"

// "0.4 s", "12 s", "3 min 05 s", "2 h 05 min", "3 d 04 h"; never negative.
std::string Took(absl::Duration duration);
// "0 B", "16.0 MB"
std::string Bytes(uint64_t bytes);
// "2026-01-31 14:05:09" in the local time zone; "" when unset.
std::string LocalTime(const google::protobuf::Timestamp& time);
// "2026-01-31 14:05:09.123" likewise.
std::string LocalTimeToMillis(const google::protobuf::Timestamp& time);
// "14:05:09.123" likewise.
std::string LocalTimeOfDay(const google::protobuf::Timestamp& time);
// InfinitePast when unset or out of range.
absl::Time ToTime(const google::protobuf::Timestamp& time);
// "0.4 s ago"; "never" for an unset time.
std::string Ago(const google::protobuf::Timestamp& time, absl::Time now);
// The coordinator's time in an answer; `otherwise` when it gives none.
absl::Time AsOf(const google::protobuf::Timestamp& as_of, absl::Time otherwise);

// "pools/P/plans/ID" → "ID"; an id stays as it is.
std::string ShortPlanId(std::string_view name);

}  // namespace baton
