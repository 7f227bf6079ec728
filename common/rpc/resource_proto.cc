#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton {

v1::Epoch ToProto(const Epoch& epoch) {
  v1::Epoch proto;
  proto.set_generation(epoch.generation);
  proto.set_counter(epoch.counter);
  return proto;
}

Epoch FromProto(const v1::Epoch& epoch) { return {epoch.generation(), epoch.counter()}; }

v1::LogPosition ToProto(const LogPosition& position) {
  v1::LogPosition proto;
  proto.set_timeline(position.timeline);
  proto.set_lsn(position.lsn);
  return proto;
}

LogPosition FromProto(const v1::LogPosition& position) {
  return {position.timeline(), position.lsn()};
}

v1::ResourceRef ToProto(const ResourceRef& ref) {
  v1::ResourceRef proto;
  proto.set_host(ref.host.value());
  proto.set_resource(ref.resource.value());
  return proto;
}

absl::StatusOr<ResourceRef> FromProto(const v1::ResourceRef& ref) {
  BATON_RETURN_IF_ERROR(CheckName("resource_ref.host", ref.host()));
  BATON_RETURN_IF_ERROR(CheckName("resource_ref.resource", ref.resource()));
  return ResourceRef{HostId(ref.host()), ResourceId(ref.resource())};
}

v1::Lineage ToProto(const Lineage& lineage) {
  v1::Lineage proto;
  proto.set_system_id(lineage.system_id);
  *proto.mutable_epoch() = ToProto(lineage.epoch);
  proto.set_instance(lineage.instance.value());
  proto.set_share(lineage.share.value());
  if (lineage.sealed.has_value()) *proto.mutable_sealed() = ToProto(*lineage.sealed);
  return proto;
}

// A plan made before anything was seen carries no system id yet, so it may be empty here.
absl::StatusOr<Lineage> FromProto(const v1::Lineage& lineage) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("lineage.system_id", lineage.system_id()));
  BATON_RETURN_IF_ERROR(CheckName("lineage.instance", lineage.instance()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("lineage.share", lineage.share()));
  Lineage parsed;
  parsed.system_id = lineage.system_id();
  parsed.epoch = FromProto(lineage.epoch());
  parsed.instance = HostId(lineage.instance());
  parsed.share = ShareId(lineage.share());
  if (lineage.has_sealed()) parsed.sealed = FromProto(lineage.sealed());
  return parsed;
}

v1::FencePhase ToProto(FencePhase phase) {
  switch (phase) {
    case FencePhase::kOpen:
      return v1::FENCE_PHASE_OPEN;
    case FencePhase::kUnconfirmed:
      return v1::FENCE_PHASE_UNCONFIRMED;
    case FencePhase::kClosing:
      return v1::FENCE_PHASE_CLOSING;
    case FencePhase::kClosed:
      return v1::FENCE_PHASE_CLOSED;
  }
  return v1::FENCE_PHASE_UNSPECIFIED;
}

absl::StatusOr<FencePhase> FromProto(v1::FencePhase phase) {
  switch (phase) {
    case v1::FENCE_PHASE_OPEN:
      return FencePhase::kOpen;
    case v1::FENCE_PHASE_UNCONFIRMED:
      return FencePhase::kUnconfirmed;
    case v1::FENCE_PHASE_CLOSING:
      return FencePhase::kClosing;
    case v1::FENCE_PHASE_CLOSED:
      return FencePhase::kClosed;
    default:
      return UnknownValue("fence.phase", phase);
  }
}

v1::FenceSummary ToProto(const FenceSummary& fence) {
  v1::FenceSummary proto;
  proto.set_phase(ToProto(fence.phase));
  *proto.mutable_fence_epoch() = ToProto(fence.fence_epoch);
  if (!fence.write_epoch.none()) *proto.mutable_write_epoch() = ToProto(fence.write_epoch);
  proto.set_file_readable(fence.file_readable);
  proto.set_proven(fence.proven);
  if (fence.sealed.has_value()) *proto.mutable_sealed() = ToProto(*fence.sealed);
  return proto;
}

absl::StatusOr<FenceSummary> FromProto(const v1::FenceSummary& fence) {
  FenceSummary parsed;
  BATON_ASSIGN_OR_RETURN(parsed.phase, FromProto(fence.phase()));
  parsed.fence_epoch = FromProto(fence.fence_epoch());
  parsed.write_epoch = FromProto(fence.write_epoch());
  parsed.file_readable = fence.file_readable();
  parsed.proven = fence.proven();
  if (fence.has_sealed()) parsed.sealed = FromProto(fence.sealed());
  return parsed;
}

}  // namespace baton
