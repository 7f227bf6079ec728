#include "common/base/status_macros.h"
#include "common/rpc/protocol_proto.h"
#include "common/rpc/text.h"

namespace baton {
namespace {

v1::DatabaseState ToProto(DatabaseState state) {
  switch (state) {
    case DatabaseState::kUnknown:
      return v1::DATABASE_STATE_UNKNOWN;
    case DatabaseState::kEmpty:
      return v1::DATABASE_STATE_EMPTY;
    case DatabaseState::kDown:
      return v1::DATABASE_STATE_DOWN;
    case DatabaseState::kStarting:
      return v1::DATABASE_STATE_STARTING;
    case DatabaseState::kStandby:
      return v1::DATABASE_STATE_STANDBY;
    case DatabaseState::kPrimary:
      return v1::DATABASE_STATE_PRIMARY;
  }
  return v1::DATABASE_STATE_UNSPECIFIED;
}

absl::StatusOr<DatabaseState> FromProto(v1::DatabaseState state) {
  switch (state) {
    case v1::DATABASE_STATE_UNKNOWN:
      return DatabaseState::kUnknown;
    case v1::DATABASE_STATE_EMPTY:
      return DatabaseState::kEmpty;
    case v1::DATABASE_STATE_DOWN:
      return DatabaseState::kDown;
    case v1::DATABASE_STATE_STARTING:
      return DatabaseState::kStarting;
    case v1::DATABASE_STATE_STANDBY:
      return DatabaseState::kStandby;
    case v1::DATABASE_STATE_PRIMARY:
      return DatabaseState::kPrimary;
    default:
      return UnknownValue("observation.database.state", state);
  }
}

v1::ChatState ToProto(ChatState state) {
  switch (state) {
    case ChatState::kUnknown:
      return v1::CHAT_STATE_UNKNOWN;
    case ChatState::kDown:
      return v1::CHAT_STATE_DOWN;
    case ChatState::kDraining:
      return v1::CHAT_STATE_DRAINING;
    case ChatState::kServing:
      return v1::CHAT_STATE_SERVING;
  }
  return v1::CHAT_STATE_UNSPECIFIED;
}

absl::StatusOr<ChatState> FromProto(v1::ChatState state) {
  switch (state) {
    case v1::CHAT_STATE_UNKNOWN:
      return ChatState::kUnknown;
    case v1::CHAT_STATE_DOWN:
      return ChatState::kDown;
    case v1::CHAT_STATE_DRAINING:
      return ChatState::kDraining;
    case v1::CHAT_STATE_SERVING:
      return ChatState::kServing;
    default:
      return UnknownValue("observation.chat.state", state);
  }
}

v1::QuarantineEntry EntryToProto(const QuarantineEntry& entry) {
  v1::QuarantineEntry proto;
  proto.set_name(CleanText(entry.name, kNameBytesMax));
  *proto.mutable_fork() = baton::ToProto(entry.fork);
  *proto.mutable_end() = baton::ToProto(entry.end);
  if (entry.commits.has_value()) proto.set_commits(*entry.commits);
  if (entry.first_commit != absl::InfinitePast()) {
    *proto.mutable_first_commit_time() = baton::ToProto(entry.first_commit);
  }
  if (entry.last_commit != absl::InfinitePast()) {
    *proto.mutable_last_commit_time() = baton::ToProto(entry.last_commit);
  }
  proto.set_disk_bytes(entry.disk_bytes);
  if (entry.moved != absl::InfinitePast()) *proto.mutable_move_time() = baton::ToProto(entry.moved);
  return proto;
}

absl::StatusOr<QuarantineEntry> EntryFrom(const v1::QuarantineEntry& proto) {
  BATON_RETURN_IF_ERROR(CheckName("observation.database.quarantine.name", proto.name()));
  QuarantineEntry entry;
  entry.name = proto.name();
  entry.fork = baton::FromProto(proto.fork());
  entry.end = baton::FromProto(proto.end());
  if (proto.has_commits()) entry.commits = proto.commits();
  if (proto.has_first_commit_time()) {
    BATON_ASSIGN_OR_RETURN(entry.first_commit, baton::FromProto("quarantine.first_commit_time",
                                                                proto.first_commit_time()));
  }
  if (proto.has_last_commit_time()) {
    BATON_ASSIGN_OR_RETURN(entry.last_commit, baton::FromProto("quarantine.last_commit_time",
                                                               proto.last_commit_time()));
  }
  entry.disk_bytes = proto.disk_bytes();
  if (proto.has_move_time()) {
    BATON_ASSIGN_OR_RETURN(entry.moved,
                           baton::FromProto("quarantine.move_time", proto.move_time()));
  }
  return entry;
}

}  // namespace

v1::DatabaseObservation ToProto(const DatabaseObservation& seen) {
  v1::DatabaseObservation proto;
  proto.set_state(ToProto(seen.state));
  proto.set_system_id(CleanText(seen.system_id, kNameBytesMax));
  proto.set_version(CleanText(seen.version, kNameBytesMax));
  *proto.mutable_position() = ToProto(seen.position);
  proto.set_clean_shutdown(seen.clean_shutdown);
  proto.set_was_in_recovery(seen.in_recovery);
  proto.set_standby_signal(seen.standby_signal);
  proto.set_archiving(seen.archiving);
  proto.set_last_archived(CleanText(seen.last_archived, kNameBytesMax));
  proto.set_archive_failure(CleanText(seen.archive_failure));
  proto.set_ready_files(seen.ready_files);
  proto.set_lag_bytes(seen.lag_bytes);
  *proto.mutable_lag() = ToProto(seen.lag);
  proto.set_client_sessions(seen.client_sessions);
  proto.set_problem(CleanText(seen.problem));
  if (!seen.log_end.none()) *proto.mutable_log_end() = ToProto(seen.log_end);
  if (seen.last_commit != absl::InfinitePast()) {
    *proto.mutable_last_commit_time() = ToProto(seen.last_commit);
  }
  proto.set_gap(CleanText(seen.gap, kNameBytesMax));
  proto.set_share_problem(CleanText(seen.share_problem));
  for (const QuarantineEntry& entry : seen.quarantine)
    *proto.add_quarantine() = EntryToProto(entry);
  return proto;
}

absl::StatusOr<DatabaseObservation> FromProto(const v1::DatabaseObservation& seen) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("observation.database.system_id", seen.system_id()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("observation.database.version", seen.version()));
  BATON_RETURN_IF_ERROR(
      CheckOptionalName("observation.database.last_archived", seen.last_archived()));
  BATON_RETURN_IF_ERROR(CheckText("observation.database.archive_failure", seen.archive_failure()));
  BATON_RETURN_IF_ERROR(CheckText("observation.database.problem", seen.problem()));
  BATON_RETURN_IF_ERROR(CheckOptionalName("observation.database.gap", seen.gap()));
  BATON_RETURN_IF_ERROR(CheckText("observation.database.share_problem", seen.share_problem()));
  BATON_RETURN_IF_ERROR(CheckCount("observation.database.quarantine", seen.quarantine_size()));
  DatabaseObservation parsed;
  BATON_ASSIGN_OR_RETURN(parsed.state, FromProto(seen.state()));
  BATON_ASSIGN_OR_RETURN(parsed.lag, FromProto("observation.database.lag", seen.lag()));
  parsed.system_id = seen.system_id();
  parsed.version = seen.version();
  parsed.position = FromProto(seen.position());
  parsed.clean_shutdown = seen.clean_shutdown();
  parsed.in_recovery = seen.was_in_recovery();
  parsed.standby_signal = seen.standby_signal();
  parsed.archiving = seen.archiving();
  parsed.last_archived = seen.last_archived();
  parsed.archive_failure = seen.archive_failure();
  parsed.ready_files = seen.ready_files();
  parsed.lag_bytes = seen.lag_bytes();
  parsed.client_sessions = seen.client_sessions();
  parsed.problem = seen.problem();
  parsed.log_end = FromProto(seen.log_end());
  if (seen.has_last_commit_time()) {
    BATON_ASSIGN_OR_RETURN(parsed.last_commit, FromProto("observation.database.last_commit_time",
                                                         seen.last_commit_time()));
  }
  parsed.gap = seen.gap();
  parsed.share_problem = seen.share_problem();
  for (const v1::QuarantineEntry& proto : seen.quarantine()) {
    BATON_ASSIGN_OR_RETURN(QuarantineEntry entry, EntryFrom(proto));
    parsed.quarantine.push_back(std::move(entry));
  }
  return parsed;
}

v1::ChatObservation ToProto(const ChatObservation& seen) {
  v1::ChatObservation proto;
  proto.set_state(ToProto(seen.state));
  proto.set_points_at(CleanText(seen.points_at.value(), kNameBytesMax));
  proto.set_users(seen.users);
  proto.set_sessions(seen.sessions);
  proto.set_rooms(seen.rooms);
  proto.set_problem(CleanText(seen.problem));
  return proto;
}

absl::StatusOr<ChatObservation> FromProto(const v1::ChatObservation& seen) {
  BATON_RETURN_IF_ERROR(CheckOptionalName("observation.chat.points_at", seen.points_at()));
  BATON_RETURN_IF_ERROR(CheckText("observation.chat.problem", seen.problem()));
  ChatObservation parsed;
  BATON_ASSIGN_OR_RETURN(parsed.state, FromProto(seen.state()));
  parsed.points_at = HostId(seen.points_at());
  parsed.users = seen.users();
  parsed.sessions = seen.sessions();
  parsed.rooms = seen.rooms();
  parsed.problem = seen.problem();
  return parsed;
}

v1::Observation ToProto(const Observation& seen) {
  v1::Observation proto;
  proto.set_resource(seen.resource.value());
  proto.set_pool(seen.pool.value());
  *proto.mutable_fence() = ToProto(seen.fence);
  if (const DatabaseObservation* database = seen.database()) {
    *proto.mutable_database() = ToProto(*database);
  } else if (const ChatObservation* chat = seen.chat()) {
    *proto.mutable_chat() = ToProto(*chat);
  }
  proto.set_service_managed(seen.service_managed);
  *proto.mutable_age() = ToProto(seen.age);
  return proto;
}

absl::StatusOr<Observation> FromProto(const v1::Observation& seen) {
  BATON_RETURN_IF_ERROR(CheckName("observation.resource", seen.resource()));
  BATON_RETURN_IF_ERROR(CheckName("observation.pool", seen.pool()));
  Observation parsed;
  parsed.resource = ResourceId(seen.resource());
  parsed.pool = PoolId(seen.pool());
  BATON_ASSIGN_OR_RETURN(parsed.fence, FromProto(seen.fence()));
  if (seen.has_database()) {
    BATON_ASSIGN_OR_RETURN(parsed.detail, FromProto(seen.database()));
  } else if (seen.has_chat()) {
    BATON_ASSIGN_OR_RETURN(parsed.detail, FromProto(seen.chat()));
  }
  parsed.service_managed = seen.service_managed();
  BATON_ASSIGN_OR_RETURN(parsed.age, FromProto("observation.age", seen.age()));
  return parsed;
}

}  // namespace baton
