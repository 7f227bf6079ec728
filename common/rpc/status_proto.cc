#include "common/rpc/status_proto.h"

#include <optional>
#include <string>

#include "absl/strings/cord.h"

#include "baton/v1/resources.pb.h"
#include "common/base/strings.h"
#include "common/rpc/text.h"

namespace baton {
namespace {

constexpr char kErrorInfoUrl[] = "type.googleapis.com/baton.v1.ErrorInfo";
// Message (percent-encoded, so up to three bytes each) and details (base64, with the message in
// them once more) must fit into the 64 KiB that Baton's clients allow for headers.
constexpr size_t kHeaderTextBytesMax = kTextBytesMax;
constexpr size_t kMetadataBytesMax = 1000;

std::optional<v1::ErrorInfo> FindErrorInfo(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoUrl);
  v1::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return info;
}

}  // namespace

absl::Status ErrorWithReason(absl::StatusCode code, std::string_view reason,
                             std::string_view message,
                             const std::map<std::string, std::string>& metadata) {
  v1::ErrorInfo info;
  info.set_reason(CleanText(reason, kNameBytesMax));
  info.set_domain("baton");
  size_t room = kMetadataBytesMax;
  for (const auto& [key, value] : metadata) {
    const std::string clean = CleanText(value, kNameBytesMax);
    if (key.size() + clean.size() > room) break;
    room -= key.size() + clean.size();
    (*info.mutable_metadata())[key] = clean;
  }
  absl::Status status(code, ToAbsl(message));
  status.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

std::string ErrorReason(const absl::Status& status) {
  const std::optional<v1::ErrorInfo> info = FindErrorInfo(status);
  return info.has_value() ? info->reason() : std::string();
}

std::map<std::string, std::string> ErrorMetadata(const absl::Status& status) {
  const std::optional<v1::ErrorInfo> info = FindErrorInfo(status);
  if (!info.has_value()) return {};
  return {info->metadata().begin(), info->metadata().end()};
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = CleanText(ToStd(status.message()), kHeaderTextBytesMax);
  const std::optional<v1::ErrorInfo> info = FindErrorInfo(status);
  if (!info.has_value()) return grpc::Status(code, message);
  v1::StatusDetails details;
  details.set_code(code);
  details.set_message(message);
  google::protobuf::Any& any = *details.add_details();
  any.set_type_url(kErrorInfoUrl);
  any.set_value(info->SerializeAsString());
  return grpc::Status(code, message, details.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int number = status.error_code();
  const auto code = number >= 1 && number <= 16 ? static_cast<absl::StatusCode>(number)
                                                : absl::StatusCode::kUnknown;
  absl::Status parsed(code, ToAbsl(status.error_message()));
  v1::StatusDetails details;
  if (!details.ParseFromString(status.error_details())) return parsed;
  for (const google::protobuf::Any& any : details.details()) {
    if (any.type_url() == kErrorInfoUrl) parsed.SetPayload(kErrorInfoUrl, absl::Cord(any.value()));
  }
  return parsed;
}

}  // namespace baton
