#include "common/protocol/resource_config.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/base/key_values.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

constexpr size_t kPathBytesMax = 4096;

enum class ValueKind { kText, kPath, kPort };
struct EngineKey {
  std::string_view engine;
  std::string_view key;  // one that ends in '.' stands for a family
  ValueKind kind;
};
constexpr std::array kEngineKeys = {
    EngineKey{"postgresql", "bin_directory", ValueKind::kPath},
    EngineKey{"postgresql", "address", ValueKind::kText},
    EngineKey{"postgresql", "port", ValueKind::kPort},
    EngineKey{"postgresql", "user", ValueKind::kText},
    EngineKey{"postgresql", "password_file", ValueKind::kPath},
    EngineKey{"postgresql", "database", ValueKind::kText},
    EngineKey{"postgresql", "settings_file", ValueKind::kPath},
    EngineKey{"postgresql", "instance.", ValueKind::kText},
    EngineKey{"prosody", "address", ValueKind::kText},
    EngineKey{"prosody", "c2s_port", ValueKind::kPort},
    EngineKey{"prosody", "domain", ValueKind::kText},
    EngineKey{"prosody", "muc_domain", ValueKind::kText},
    EngineKey{"prosody", "control_port", ValueKind::kPort},
    EngineKey{"prosody", "token_file", ValueKind::kPath},
    EngineKey{"prosody", "database_file", ValueKind::kPath},
    EngineKey{"prosody", "database_user", ValueKind::kText},
    EngineKey{"prosody", "database_password_file", ValueKind::kPath},
    EngineKey{"prosody", "instance.", ValueKind::kText},
    EngineKey{"prosody", "canary_jid", ValueKind::kText},
    EngineKey{"prosody", "canary_password_file", ValueKind::kPath},
    EngineKey{"prosody", "canary_room", ValueKind::kText},
};

absl::Status Wanted(std::string_view key, std::string_view found, std::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("\"", ToAbsl(key), "\": found \"", ToAbsl(found),
                                                 "\", wanted ", ToAbsl(wanted)));
}

// Names end up in file names and in lines: letters, digits and ".", "_", "-", no dot in front.
absl::StatusOr<std::string> Name(std::string_view key, const std::string& value) {
  const bool good = value.size() <= 200 && value.front() != '.' &&
                    std::all_of(value.begin(), value.end(), [](char c) {
                      return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
                    });
  if (!good) return Wanted(key, value, "letters, digits, '.', '_', '-', with no '.' in front");
  return value;
}

absl::StatusOr<std::string> Path(std::string_view key, const std::string& value) {
  if (value.front() != '/' || value.size() > kPathBytesMax) {
    return Wanted(key, value, "an absolute path");
  }
  return value;
}

absl::StatusOr<absl::Duration> PositiveDuration(std::string_view key, const std::string& value) {
  absl::Duration duration;
  if (!absl::ParseDuration(value, &duration) || duration <= absl::ZeroDuration() ||
      duration > absl::Hours(24 * 365)) {
    return Wanted(key, value, "a duration with a unit, above zero, e.g. 30s");
  }
  return duration;
}

absl::Status SetEngineKey(const std::string& key, const std::string& value,
                          ResourceConfig* config) {
  for (const EngineKey& known : kEngineKeys) {
    const std::string full = absl::StrCat(ToAbsl(known.engine), ".", ToAbsl(known.key));
    const bool family = full.back() == '.';
    if (family ? !(absl::StartsWith(key, full) && key.size() > full.size()) : key != full) continue;
    if (known.kind == ValueKind::kPath) {
      BATON_RETURN_IF_ERROR(Path(key, value).status());
    }
    int port = 0;
    if (known.kind == ValueKind::kPort &&
        (!absl::SimpleAtoi(value, &port) || port < 1 || port > 65535)) {
      return Wanted(key, value, "a port, 1 to 65535");
    }
    config->engine.emplace(key.substr(known.engine.size() + 1), value);
    return absl::OkStatus();
  }
  return absl::NotFoundError(key);
}

absl::Status SetWho(const std::string& key, const std::string& value, ResourceConfig* config) {
  if (key == "kind") {
    if (value != "database" && value != "chat") return Wanted(key, value, "database or chat");
    config->kind = value == "chat" ? ResourceKind::kChat : ResourceKind::kDatabase;
    return absl::OkStatus();
  }
  if (key == "engine") {
    if (value != "postgresql" && value != "prosody") {
      return Wanted(key, value, "postgresql or prosody");
    }
    config->engine_name = value;
    return absl::OkStatus();
  }
  if (key == "manager") {
    if (value != "direct" && value != "systemd") return Wanted(key, value, "direct or systemd");
    config->manager =
        value == "systemd" ? ServiceManagerKind::kSystemd : ServiceManagerKind::kDirect;
    return absl::OkStatus();
  }
  BATON_ASSIGN_OR_RETURN(std::string name, Name(key, value));
  if (key == "resource") config->resource = ResourceId(name);
  if (key == "pool") config->pool = PoolId(name);
  if (key == "host") config->host = HostId(name);
  if (key == "share") config->share = ShareId(name);
  return absl::OkStatus();
}

absl::Status SetKey(const std::string& key, const std::string& value, ResourceConfig* config) {
  static constexpr std::array<std::string_view, 7> kWho = {"resource", "pool",    "host",  "share",
                                                           "kind",     "manager", "engine"};
  if (std::find(kWho.begin(), kWho.end(), key) != kWho.end()) return SetWho(key, value, config);
  const std::map<std::string_view, std::string*> paths = {
      {"data_directory", &config->data_directory},
      {"run_directory", &config->run_directory},
      {"fence_file", &config->fence_file},
      {"boot_id_file", &config->boot_id_file},
      {"copy_destination", &config->copy_destination},
      {"quarantine_directory", &config->quarantine_directory}};
  if (const auto path = paths.find(key); path != paths.end()) {
    BATON_ASSIGN_OR_RETURN(*path->second, Path(key, value));
    return absl::OkStatus();
  }
  if (absl::StartsWith(key, "share.")) {
    BATON_ASSIGN_OR_RETURN(std::string name,
                           Name(key, key.substr(6) + (key == "share." ? "." : "")));
    BATON_ASSIGN_OR_RETURN(config->shares[ShareId(name)], Path(key, value));
    return absl::OkStatus();
  }
  if (key == "command") {
    config->command = absl::StrSplit(value, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    return Path(key, config->command.front()).status();
  }
  if (key == "stop_timeout") {
    BATON_ASSIGN_OR_RETURN(config->stop_timeout, PositiveDuration(key, value));
    return absl::OkStatus();
  }
  if (key == "share_timeout") {
    BATON_ASSIGN_OR_RETURN(config->share_timeout, PositiveDuration(key, value));
    return absl::OkStatus();
  }
  return SetEngineKey(key, value, config);
}

absl::Status CheckWhole(const ResourceConfig& config) {
  std::vector<std::string> missing;
  const auto need = [&missing](bool there, const char* key) {
    if (!there) missing.push_back(key);
  };
  need(!config.resource.empty(), "resource");
  need(!config.pool.empty(), "pool");
  need(!config.host.empty(), "host");
  need(!config.engine_name.empty(), "engine");
  need(!config.command.empty(), "command");
  need(!config.run_directory.empty(), "run_directory");
  need(!config.fence_file.empty(), "fence_file");
  if (config.kind == ResourceKind::kDatabase) {
    need(!config.data_directory.empty(), "data_directory");
    need(!config.share.empty(), "share");
    need(!config.copy_destination.empty(), "copy_destination");
    if (!config.share.empty() && config.shares.count(config.share) == 0) {
      missing.push_back(absl::StrCat("share.", config.share.value()));
    }
  }
  if (!missing.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("found no ", absl::StrJoin(missing, ", "), "; wanted each once"));
  }
  const bool chat_engine = config.engine_name == "prosody";
  if (chat_engine != (config.kind == ResourceKind::kChat)) {
    return Wanted("engine", config.engine_name,
                  chat_engine ? "kind = chat beside it" : "kind = database beside it");
  }
  return absl::OkStatus();
}

absl::Status AtLine(std::string_view file_name, size_t line, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(file_name), ":", line, ": ", ToAbsl(what)));
}

}  // namespace

absl::StatusOr<std::string> ResourceConfig::Engine(std::string_view key) const {
  const auto found = engine.find(std::string(key));
  if (found != engine.end()) return found->second;
  return absl::FailedPreconditionError(absl::StrCat("resource \"", resource.value(),
                                                    "\": found no ", engine_name, ".", ToAbsl(key),
                                                    " in its file; add it"));
}

absl::StatusOr<ResourceConfig> ParseResourceConfig(std::string_view text,
                                                   std::string_view file_name) {
  ResourceConfig config;
  config.boot_id_file = "/proc/sys/kernel/random/boot_id";
  std::map<std::string, size_t> seen;  // key → line
  size_t last_line = 1;
  BATON_RETURN_IF_ERROR(
      ParseKeyValues(text, file_name, "deploy/config/resource.conf",
                     [&](const std::string& key, const std::string& value, size_t line) {
                       seen.emplace(key, line);
                       last_line = line;
                       return SetKey(key, value, &config);
                     }));
  const absl::Status whole = CheckWhole(config);
  if (!whole.ok()) return AtLine(file_name, last_line, std::string(whole.message()));
  for (const auto& [key, line] : seen) {
    const bool of_engine =
        absl::StartsWith(key, "postgresql.") || absl::StartsWith(key, "prosody.");
    if (of_engine && !absl::StartsWith(key, absl::StrCat(config.engine_name, "."))) {
      return AtLine(file_name, line,
                    absl::StrCat("found \"", key, "\", wanted keys of the engine \"",
                                 config.engine_name, "\" only"));
    }
  }
  return config;
}

}  // namespace baton
