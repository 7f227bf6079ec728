#include "absl/strings/numbers.h"

#include "tests/unit/planner/story.h"
#include "tests/unit/planner/story_words.h"

namespace baton::testing {
namespace {

FencePhase PhaseOf(const std::string& text) {
  for (FencePhase phase :
       {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing, FencePhase::kClosed}) {
    if (text == std::string(ToString(phase))) return phase;
  }
  Die(text);
}
DatabaseState DatabaseStateOf(const std::string& text) {
  for (DatabaseState state :
       {DatabaseState::kUnknown, DatabaseState::kEmpty, DatabaseState::kDown,
        DatabaseState::kStarting, DatabaseState::kStandby, DatabaseState::kPrimary}) {
    if (text == std::string(ToString(state))) return state;
  }
  Die(text);
}
ChatState ChatStateOf(const std::string& text) {
  for (ChatState state :
       {ChatState::kUnknown, ChatState::kDown, ChatState::kDraining, ChatState::kServing}) {
    if (text == std::string(ToString(state))) return state;
  }
  Die(text);
}

void Change(DatabaseObservation& seen, const std::string& key, const std::string& value) {
  if (key == "state") {
    seen.state = DatabaseStateOf(value);
  } else if (key == "clean") {
    seen.clean_shutdown = value == "yes";
  } else if (key == "in_recovery") {
    seen.in_recovery = value == "yes";
  } else if (key == "signal") {
    seen.standby_signal = value == "yes";
  } else if (key == "archiving") {
    seen.archiving = value == "yes";
  } else if (key == "failure") {
    seen.archive_failure = value;
  } else if (key == "system_id") {
    seen.system_id = value;
  } else if (key == "version") {
    seen.version = value;
  } else if (key == "lag") {
    seen.lag = DurationOf(value);
  } else if (key == "lag_bytes") {
    if (!absl::SimpleAtoi(value, &seen.lag_bytes)) Die(value);
  } else if (key == "position") {
    seen.position = PositionOf(value);
  } else if (key == "log_end") {
    seen.log_end = PositionOf(value);
  } else if (key == "committed") {
    seen.last_commit = kNow - DurationOf(value);
  } else if (key == "gap") {
    seen.gap = value;
  } else if (key == "share_problem") {
    seen.share_problem = value;
  } else if (key == "problem") {
    seen.problem = value;
  } else {
    Die(key);
  }
}

void Change(ChatObservation& seen, const std::string& key, const std::string& value) {
  if (key == "state") {
    seen.state = ChatStateOf(value);
  } else if (key == "points_at") {
    seen.points_at = HostId(value);
  } else if (key == "problem") {
    seen.problem = value;
  } else {
    Die(key);
  }
}

}  // namespace

void Story::LookHealthy() {
  const PoolState state = seen_.pools[PoolId(kPool)];
  HostId main;
  for (const Database& database : topology_.pools[PoolId(kPool)].databases) {
    const auto right = state.rights.find(database.id);
    for (const Instance& instance : database.instances) {
      Observation seen;
      seen.pool = PoolId(kPool);
      seen.service_managed = true;
      seen.fence = {FencePhase::kClosed, state.epoch, Epoch(), true, true};
      DatabaseObservation detail;
      detail.system_id = kSystemId;
      detail.version = "15.18";
      const bool primary = instance.role == InstanceRole::kPrimary;
      detail.state = primary ? DatabaseState::kDown : DatabaseState::kStandby;
      detail.clean_shutdown = primary;
      detail.standby_signal = !primary;
      if (right != state.rights.end()) {
        const bool writes = right->second.writer == instance.host;
        if (writes && main.empty()) main = instance.host;
        detail.state = writes ? DatabaseState::kPrimary : DatabaseState::kStandby;
        detail.archiving = writes;
        detail.standby_signal = !writes;
        if (writes) {
          seen.fence = {FencePhase::kOpen, state.epoch, right->second.lineages.back().epoch, true,
                        false};
        }
      }
      seen.detail = detail;
      seen_.resources[{instance.host, instance.service}] = {.observation = seen, .at = kNow};
    }
  }
  for (const ChatServer& server : topology_.pools[PoolId(kPool)].chat_servers) {
    const ResourceRef ref{server.host, server.service};
    const auto active = state.active_chat.find(ref);
    Observation seen;
    seen.pool = PoolId(kPool);
    seen.service_managed = true;
    seen.fence = {FencePhase::kClosed, state.epoch, Epoch(), true, true};
    ChatObservation detail;
    detail.state = ChatState::kDown;
    if (active != state.active_chat.end()) {
      seen.fence = {FencePhase::kOpen, state.epoch, active->second, true, false};
      detail.state = ChatState::kServing;
      detail.points_at = main;
    }
    seen.detail = detail;
    seen_.resources[ref] = {.observation = seen, .at = kNow};
  }
}

void Story::See(const std::vector<std::string>& words) {
  SeenResource& resource = seen_.resources[RefOf(words.at(1))];
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos) Die(words[i]);
    const std::string key = words[i].substr(0, equals);
    std::string value = words[i].substr(equals + 1);
    for (char& c : value) {
      if (c == '_' && (key == "problem" || key == "failure" || key == "share_problem")) c = ' ';
    }
    if (key == "age") {
      resource.at = kNow - DurationOf(value);
    } else if (key == "managed") {
      resource.observation.service_managed = value == "yes";
    } else if (key == "fence") {
      resource.observation.fence.phase = PhaseOf(value);
    } else if (key == "readable") {
      resource.observation.fence.file_readable = value == "yes";
    } else if (key == "fence_epoch") {
      resource.observation.fence.fence_epoch = EpochOf(value);
    } else if (key == "write_epoch") {
      resource.observation.fence.write_epoch = EpochOf(value);
    } else if (key == "sealed") {
      std::optional<LogPosition>& sealed = resource.observation.fence.sealed;
      sealed = value.empty() ? std::nullopt : std::optional(PositionOf(value));
    } else if (auto* database = std::get_if<DatabaseObservation>(&resource.observation.detail)) {
      Change(*database, key, value);
    } else if (auto* chat = std::get_if<ChatObservation>(&resource.observation.detail)) {
      Change(*chat, key, value);
    } else {
      Die(words[i]);
    }
  }
}

}  // namespace baton::testing
