#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton {

v1::OutcomeCode ToProto(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kOk:
      return v1::OUTCOME_CODE_OK;
    case OutcomeCode::kFailed:
      return v1::OUTCOME_CODE_FAILED;
    case OutcomeCode::kRefused:
      return v1::OUTCOME_CODE_REFUSED;
    case OutcomeCode::kCancelled:
      return v1::OUTCOME_CODE_CANCELLED;
    case OutcomeCode::kUnknown:
      return v1::OUTCOME_CODE_UNKNOWN;
  }
  return v1::OUTCOME_CODE_UNSPECIFIED;
}

absl::StatusOr<OutcomeCode> FromProto(v1::OutcomeCode code) {
  switch (code) {
    case v1::OUTCOME_CODE_OK:
      return OutcomeCode::kOk;
    case v1::OUTCOME_CODE_FAILED:
      return OutcomeCode::kFailed;
    case v1::OUTCOME_CODE_REFUSED:
      return OutcomeCode::kRefused;
    case v1::OUTCOME_CODE_CANCELLED:
      return OutcomeCode::kCancelled;
    case v1::OUTCOME_CODE_UNKNOWN:
      return OutcomeCode::kUnknown;
    default:
      return UnknownValue("outcome.code", code);
  }
}

v1::Outcome ToProto(const Outcome& outcome) {
  v1::Outcome proto;
  proto.set_code(ToProto(outcome.code));
  proto.set_reason(CleanText(outcome.reason, kNameBytesMax));
  proto.set_message(CleanText(outcome.message));
  if (outcome.position.has_value()) *proto.mutable_position() = ToProto(*outcome.position);
  proto.set_system_id(CleanText(outcome.system_id, kNameBytesMax));
  proto.set_bytes(outcome.bytes);
  if (outcome.observation.has_value()) {
    *proto.mutable_observation() = ToProto(*outcome.observation);
  }
  return proto;
}

absl::StatusOr<Outcome> FromProto(const v1::Outcome& outcome) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("outcome.reason", outcome.reason()));
  BATON_RETURN_IF_ERROR(CheckText("outcome.message", outcome.message()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("outcome.system_id", outcome.system_id()));
  Outcome parsed;
  BATON_ASSIGN_OR_RETURN(parsed.code, FromProto(outcome.code()));
  parsed.reason = outcome.reason();
  parsed.message = outcome.message();
  if (outcome.has_position()) parsed.position = FromProto(outcome.position());
  parsed.system_id = outcome.system_id();
  parsed.bytes = outcome.bytes();
  if (outcome.has_observation()) {
    BATON_ASSIGN_OR_RETURN(parsed.observation, FromProto(outcome.observation()));
  }
  return parsed;
}

}  // namespace baton
