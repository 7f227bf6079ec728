#include "agent/chat/database_file.h"

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/file.h"

namespace baton::chat {
namespace {

constexpr size_t kFileBytesMax = 64 * 1024;
constexpr std::string_view kInstanceStart = "baton_instance = \"";

// Three-digit decimal escapes end by themselves, whatever follows.
std::string LuaString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      absl::StrAppendFormat(&quoted, "\\%03d", byte);
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

}  // namespace

std::string RenderDatabaseFile(const HostId& instance, const DatabaseAddress& address,
                               std::string_view user, std::string_view password) {
  return absl::StrCat(
      "-- Written by PointAt; the next one replaces it. Read when the server starts.\n",
      "baton_instance = ", LuaString(instance.value()), "\n",
      "sql = {\n  driver = \"PostgreSQL\",\n  host = ", LuaString(address.host),
      ",\n  port = ", address.port, ",\n  database = ", LuaString(address.database),
      ",\n  username = ", LuaString(user), ",\n  password = ", LuaString(password), ",\n}\n");
}

absl::StatusOr<HostId> ParseInstance(std::string_view text) {
  std::optional<HostId> instance;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    std::string_view rest = ToStd(line);
    if (rest.substr(0, kInstanceStart.size()) != kInstanceStart) continue;
    rest.remove_prefix(kInstanceStart.size());
    if (rest.size() < 2 || rest.find_first_of("\"\\") != rest.size() - 1 || rest.back() != '"') {
      return absl::DataLossError(absl::StrCat("not understood: \"", line, "\""));
    }
    if (instance.has_value()) return absl::DataLossError("baton_instance is set twice");
    instance = HostId(std::string(rest.substr(0, rest.size() - 1)));
  }
  if (!instance.has_value()) return absl::DataLossError("baton_instance is not set");
  return *instance;
}

absl::StatusOr<std::string> DatabaseFileFor(const ProsodyConfig& config, const HostId& instance) {
  const auto found = config.instances.find(instance);
  if (found == config.instances.end()) {
    std::vector<std::string> known;
    for (const auto& [host, address] : config.instances) known.push_back(host.value());
    return absl::NotFoundError(absl::StrCat(
        "resource ", config.resource.value(), " on ", config.host.value(),
        " knows no database instance \"", instance.value(), "\", only ", absl::StrJoin(known, ", "),
        "; add prosody.instance.", instance.value(), " to its resource file"));
  }
  BATON_ASSIGN_OR_RETURN(const std::string password, ReadSecret(config.database_password_file));
  return RenderDatabaseFile(instance, found->second, config.database_user, password);
}

absl::StatusOr<HostId> ReadInstance(const ProsodyConfig& config) {
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(config.database_file, kFileBytesMax));
  absl::StatusOr<HostId> instance = ParseInstance(text);
  if (!instance.ok()) {
    return absl::DataLossError(
        absl::StrCat(config.database_file, ": ", instance.status().message(), "; PointAt again"));
  }
  const absl::StatusOr<std::string> wanted = DatabaseFileFor(config, *instance);
  if (!wanted.ok()) return absl::DataLossError(wanted.status().message());
  if (*wanted != text) {
    return absl::DataLossError(
        absl::StrCat(config.database_file, " differs from what PointAt ", instance->value(),
                     " writes: it, the resource file or the password was changed; PointAt again"));
  }
  return instance;
}

}  // namespace baton::chat
