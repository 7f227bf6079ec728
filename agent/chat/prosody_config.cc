#include "agent/chat/prosody_config.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/file.h"

namespace baton::chat {
namespace {

constexpr std::string_view kInstancePrefix = "instance.";
constexpr size_t kSecretBytesMax = 4096;

bool AllOf(std::string_view text, std::string_view others) {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [others](char c) {
           return absl::ascii_isalnum(c) || others.find(c) != std::string_view::npos;
         });
}

bool IsDomain(std::string_view text) { return AllOf(text, ".-_"); }

bool IsAccount(std::string_view jid) {
  const size_t at = jid.find('@');
  return at != std::string_view::npos && AllOf(jid.substr(0, at), ".-_") &&
         IsDomain(jid.substr(at + 1));
}

bool IsNumericAddress(const std::string& text) {
  in6_addr any;
  return inet_pton(AF_INET, text.c_str(), &any) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

absl::Status Wanted(const ResourceConfig& resource, std::string_view key, std::string_view found,
                    std::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("resource ", resource.resource.value(),
                                                 ", prosody.", ToAbsl(key), ": found \"",
                                                 ToAbsl(found), "\", wanted ", ToAbsl(wanted)));
}

absl::StatusOr<uint16_t> Port(const ResourceConfig& resource, std::string_view key) {
  BATON_ASSIGN_OR_RETURN(const std::string text, resource.Engine(key));
  int port = 0;
  if (!absl::SimpleAtoi(text, &port) || port < 1 || port > 65535) {
    return Wanted(resource, key, text, "a port, 1 to 65535");
  }
  return static_cast<uint16_t>(port);
}

absl::StatusOr<std::string> Matching(const ResourceConfig& resource, std::string_view key,
                                     bool (*good)(std::string_view), std::string_view wanted) {
  BATON_ASSIGN_OR_RETURN(std::string text, resource.Engine(key));
  if (!good(text)) return Wanted(resource, key, text, wanted);
  return text;
}

absl::Status ReadInstances(const ResourceConfig& resource, ProsodyConfig* config) {
  for (const auto& [key, value] : resource.engine) {
    if (key.rfind(kInstancePrefix, 0) != 0) continue;
    absl::StatusOr<DatabaseAddress> address = ParseDatabaseAddress(value);
    if (!address.ok()) return Wanted(resource, key, value, ToStd(address.status().message()));
    config->instances.emplace(HostId(key.substr(kInstancePrefix.size())), *std::move(address));
  }
  if (config->instances.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("resource ", resource.resource.value(),
                     ": no prosody.instance.HOST; add one line for each database instance"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DatabaseAddress> ParseDatabaseAddress(std::string_view text) {
  constexpr char kForm[] = "ADDRESS:PORT/DATABASE of exactly one server";
  if (text.find(',') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(kForm, "; a list of servers would be chosen from without the epoch"));
  }
  const size_t slash = text.rfind('/');
  const size_t colon = text.substr(0, slash).rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos) {
    return absl::InvalidArgumentError(kForm);
  }
  DatabaseAddress address;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  int port = 0;
  const std::string_view database = text.substr(slash + 1);
  if (!AllOf(host, bracketed ? ":" : ".-_") || !AllOf(database, ".-_") ||
      !absl::SimpleAtoi(ToAbsl(text.substr(colon + 1, slash - colon - 1)), &port) || port < 1 ||
      port > 65535) {
    return absl::InvalidArgumentError(kForm);
  }
  address.host = host;
  address.port = static_cast<uint16_t>(port);
  address.database = database;
  return address;
}

absl::StatusOr<ProsodyConfig> MakeProsodyConfig(const ResourceConfig& resource) {
  ProsodyConfig config;
  config.pool = resource.pool;
  config.resource = resource.resource;
  config.host = resource.host;
  config.command = resource.command;
  config.stop_timeout = resource.stop_timeout;
  BATON_ASSIGN_OR_RETURN(config.address, resource.Engine("address"));
  if (!IsNumericAddress(config.address)) {
    return Wanted(resource, "address", config.address, "a numeric IPv4 or IPv6 address");
  }
  BATON_ASSIGN_OR_RETURN(config.c2s_port, Port(resource, "c2s_port"));
  BATON_ASSIGN_OR_RETURN(config.domain, Matching(resource, "domain", IsDomain, "a domain"));
  BATON_ASSIGN_OR_RETURN(config.muc_domain, Matching(resource, "muc_domain", IsDomain, "a domain"));
  BATON_ASSIGN_OR_RETURN(config.control_port, Port(resource, "control_port"));
  BATON_ASSIGN_OR_RETURN(config.token_file, resource.Engine("token_file"));
  BATON_ASSIGN_OR_RETURN(config.database_file, resource.Engine("database_file"));
  BATON_ASSIGN_OR_RETURN(config.database_user, resource.Engine("database_user"));
  BATON_ASSIGN_OR_RETURN(config.database_password_file, resource.Engine("database_password_file"));
  BATON_RETURN_IF_ERROR(ReadInstances(resource, &config));
  BATON_ASSIGN_OR_RETURN(config.canary_jid,
                         Matching(resource, "canary_jid", IsAccount, "an account, NAME@DOMAIN"));
  BATON_ASSIGN_OR_RETURN(config.canary_password_file, resource.Engine("canary_password_file"));
  BATON_ASSIGN_OR_RETURN(config.canary_room,
                         Matching(resource, "canary_room", IsAccount, "a room, NAME@MUC_DOMAIN"));
  return config;
}

absl::StatusOr<std::string> ReadSecret(const std::string& file) {
  BATON_ASSIGN_OR_RETURN(std::string text, ReadFile(file, kSecretBytesMax));
  text.resize(std::min(text.size(), text.find('\n')));
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (text.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(file, ": the first line is empty, wanted a secret"));
  }
  return text;
}

}  // namespace baton::chat
