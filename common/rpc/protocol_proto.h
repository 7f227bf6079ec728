// common/protocol ⇄ baton.v1: what agents see and how commands end. ToProto cleans and cuts free
// text; FromProto validates and bounds everything: INVALID_ARGUMENT names the field.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

#include "baton/v1/resources.pb.h"
#include "common/protocol/epoch.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/observation.h"
#include "common/protocol/position.h"

namespace baton {

v1::Epoch ToProto(const Epoch& epoch);
v1::LogPosition ToProto(const LogPosition& position);
v1::ResourceRef ToProto(const ResourceRef& ref);
v1::Lineage ToProto(const Lineage& lineage);
v1::FencePhase ToProto(FencePhase phase);
v1::FenceSummary ToProto(const FenceSummary& fence);
v1::DatabaseObservation ToProto(const DatabaseObservation& seen);
v1::ChatObservation ToProto(const ChatObservation& seen);
v1::Observation ToProto(const Observation& seen);
v1::OutcomeCode ToProto(OutcomeCode code);
v1::Outcome ToProto(const Outcome& outcome);

Epoch FromProto(const v1::Epoch& epoch);
LogPosition FromProto(const v1::LogPosition& position);
absl::StatusOr<ResourceRef> FromProto(const v1::ResourceRef& ref);
absl::StatusOr<Lineage> FromProto(const v1::Lineage& lineage);
absl::StatusOr<FencePhase> FromProto(v1::FencePhase phase);
absl::StatusOr<FenceSummary> FromProto(const v1::FenceSummary& fence);
absl::StatusOr<DatabaseObservation> FromProto(const v1::DatabaseObservation& seen);
absl::StatusOr<ChatObservation> FromProto(const v1::ChatObservation& seen);
absl::StatusOr<Observation> FromProto(const v1::Observation& seen);
absl::StatusOr<OutcomeCode> FromProto(v1::OutcomeCode code);
absl::StatusOr<Outcome> FromProto(const v1::Outcome& outcome);

// Durations are finite and not negative where a peer sends them; an infinite one travels as the
// longest that fits.
google::protobuf::Duration ToProto(absl::Duration duration);
absl::StatusOr<absl::Duration> FromProto(std::string_view field,
                                         const google::protobuf::Duration& duration);
// InfinitePast travels as an unset timestamp: test for it before setting the field.
google::protobuf::Timestamp ToProto(absl::Time time);
absl::StatusOr<absl::Time> FromProto(std::string_view field,
                                     const google::protobuf::Timestamp& time);

}  // namespace baton
