#include "agent/agent_config.h"

#include <unistd.h>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/base/key_values.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/runtime/program_config.h"

namespace baton::agent {
namespace {

constexpr char kSample[] = "deploy/config/agent.conf";
constexpr char kSuffix[] = ".conf";
constexpr size_t kFilesMax = 1000;

// A folder stands for every *.conf in it.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::vector<std::string>& places,
                                                 const std::string& file) {
  std::vector<std::string> files;
  for (const std::string& place : places) {
    if (place.front() != '/') {
      return absl::InvalidArgumentError(absl::StrCat(file, ": \"resources\": found \"", place,
                                                     "\", wanted absolute paths; see ", kSample));
    }
    if (absl::EndsWith(place, kSuffix)) {
      files.push_back(place);
      continue;
    }
    BATON_ASSIGN_OR_RETURN(std::vector<std::string> names, ListDirectory(place, kFilesMax));
    for (const std::string& name : names) {
      if (absl::EndsWith(name, kSuffix)) files.push_back(absl::StrCat(place, "/", name));
    }
  }
  if (files.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": \"resources\": found no *.conf file, wanted at least one resource of this host"));
  }
  return files;
}

absl::Status CheckAddress(const std::string& address, const std::string& file) {
  int port = 0;
  const size_t colon = address.rfind(':');
  const bool good =
      absl::StartsWith(address, "unix:") ||
      (colon != std::string::npos && colon > 0 &&
       absl::SimpleAtoi(address.substr(colon + 1), &port) && port > 0 && port < 65536);
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file, ": \"coordinator\": found \"", address,
                                                 "\", wanted ADDRESS:PORT; see ", kSample));
}

absl::Status CheckFits(const AgentConfig& config, const ResourceFile& added) {
  if (added.config.host != config.host) {
    return absl::InvalidArgumentError(
        absl::StrCat(added.path, ": found host \"", added.config.host.value(), "\", wanted \"",
                     config.host.value(), "\", the host of this agent"));
  }
  for (const ResourceFile& other : config.resources) {
    if (other.config.resource == added.config.resource) {
      return absl::InvalidArgumentError(absl::StrCat(added.path, ": found resource \"",
                                                     added.config.resource.value(), "\", which ",
                                                     other.path, " describes already"));
    }
    if (other.config.boot_id_file != added.config.boot_id_file) {
      return absl::InvalidArgumentError(absl::StrCat(
          added.path, ": found boot_id_file \"", added.config.boot_id_file, "\", wanted \"",
          other.config.boot_id_file, "\" as in ", other.path, ": a host has one boot"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadResources(const std::vector<std::string>& places, const std::string& file,
                           AgentConfig* config) {
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> paths, FilesOf(places, file));
  for (const std::string& path : paths) {
    BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kKeyValuesBytesMax));
    ResourceFile added;
    added.path = path;
    BATON_ASSIGN_OR_RETURN(added.config, ParseResourceConfig(text, path));
    BATON_RETURN_IF_ERROR(CheckFits(*config, added));
    config->resources.push_back(std::move(added));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AgentConfig> ReadAgentConfig(const std::string& file) {
  AgentConfig config;
  std::string host;
  std::vector<std::string> places;
  ProgramConfig keys(kSample);
  keys.Text("host", &host, true);
  keys.List("coordinator", &config.coordinators, true);
  keys.Path("ledger", &config.ledger, true);
  keys.List("resources", &places, true);
  keys.Path("guard", &config.guard, true);
  keys.Text("log_level", &config.log_level);
  BATON_RETURN_IF_ERROR(keys.Read(file));
  config.host = HostId(host);
  for (const std::string& address : config.coordinators) {
    BATON_RETURN_IF_ERROR(CheckAddress(address, file));
  }
  if (access(config.guard.c_str(), X_OK) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": \"guard\": found \"", config.guard,
                                                   "\", wanted the path of baton-guard"));
  }
  BATON_RETURN_IF_ERROR(ReadResources(places, file, &config));
  return config;
}

}  // namespace baton::agent
