#include "agent/database/quarantine.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/base/key_values.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton::postgresql {
namespace {

constexpr size_t kManifestBytesMax = 16 * 1024;
constexpr size_t kNamesMax = 1 << 16;
constexpr size_t kNameBytesMax = 200;

std::string EntryFolder(const ResourceConfig& config, const std::string& name) {
  return absl::StrCat(QuarantineFolder(config), "/", name);
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ReadTime(const std::string& text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return absl::InvalidArgumentError(absl::StrCat("found \"", text, "\", wanted a time: ", error));
}

absl::StatusOr<uint64_t> ReadNumber(const std::string& text) {
  uint64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("found \"", text, "\", wanted a number"));
}

absl::Status SetField(const std::string& key, const std::string& value, Manifest* manifest) {
  QuarantineEntry& entry = manifest->entry;
  const std::map<std::string, absl::Time*> times = {{"first_commit", &entry.first_commit},
                                                    {"last_commit", &entry.last_commit},
                                                    {"moved", &entry.moved}};
  if (const auto time = times.find(key); time != times.end()) {
    BATON_ASSIGN_OR_RETURN(*time->second, ReadTime(value));
  } else if (key == "fork") {
    BATON_ASSIGN_OR_RETURN(entry.fork, ParseLogPosition(value));
  } else if (key == "end") {
    BATON_ASSIGN_OR_RETURN(entry.end, ParseLogPosition(value));
  } else if (key == "commits") {
    BATON_ASSIGN_OR_RETURN(entry.commits, ReadNumber(value));
  } else if (key == "disk_bytes") {
    BATON_ASSIGN_OR_RETURN(entry.disk_bytes, ReadNumber(value));
  } else if (key == "name") {
    entry.name = value;
  } else if (key == "system_id") {
    manifest->system_id = value;
  } else {
    return absl::NotFoundError(key);
  }
  return absl::OkStatus();
}

}  // namespace

std::string QuarantineFolder(const ResourceConfig& config) {
  if (!config.quarantine_directory.empty()) return config.quarantine_directory;
  return DirectoryOf(config.data_directory) + "/quarantine";
}

absl::Status CheckQuarantineName(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
                              c == '_' || c == '-';
                     });
  if (plain) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("quarantine name: found \"", name, "\", wanted letters, digits, '.', '_', '-'"));
}

std::string FormatManifest(const Manifest& manifest) {
  const QuarantineEntry& entry = manifest.entry;
  std::string text = absl::StrCat("name = ", entry.name, "\nsystem_id = ", manifest.system_id,
                                  "\nend = ", entry.end.ToString());
  if (!entry.fork.none()) absl::StrAppend(&text, "\nfork = ", entry.fork.ToString());
  if (entry.commits.has_value()) absl::StrAppend(&text, "\ncommits = ", *entry.commits);
  absl::StrAppend(&text, "\ndisk_bytes = ", entry.disk_bytes, "\nmoved = ", TimeText(entry.moved));
  if (entry.first_commit != absl::InfinitePast()) {
    absl::StrAppend(&text, "\nfirst_commit = ", TimeText(entry.first_commit),
                    "\nlast_commit = ", TimeText(entry.last_commit));
  }
  return text + "\n";
}

absl::StatusOr<Manifest> ParseManifest(std::string_view text) {
  Manifest manifest;
  const absl::Status parsed =
      ParseKeyValues(text, "manifest", "another manifest",
                     [&manifest](const std::string& key, const std::string& value, size_t) {
                       return SetField(key, value, &manifest);
                     });
  if (!parsed.ok()) return absl::DataLossError(parsed.message());
  if (manifest.entry.name.empty() || manifest.system_id.empty()) {
    return absl::DataLossError("manifest: found no name or no system_id");
  }
  return manifest;
}

absl::StatusOr<Manifest> ReadManifest(const ResourceConfig& config, const std::string& name) {
  BATON_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(EntryFolder(config, name) + "/manifest", kManifestBytesMax));
  return ParseManifest(text);
}

absl::Status WriteManifest(const ResourceConfig& config, const Manifest& manifest) {
  const std::string folder = EntryFolder(config, manifest.entry.name);
  BATON_RETURN_IF_ERROR(MakeDirectories(folder, 0700));
  return WriteFileDurably(folder + "/manifest", FormatManifest(manifest), 0600);
}

std::vector<QuarantineEntry> ListQuarantine(const ResourceConfig& config) {
  std::vector<QuarantineEntry> entries;
  const auto names = ListDirectory(QuarantineFolder(config), kNamesMax);
  if (!names.ok()) return entries;
  for (const std::string& name : *names) {
    if (!CheckQuarantineName(name).ok()) continue;
    const absl::StatusOr<Manifest> manifest = ReadManifest(config, name);
    if (!manifest.ok() || !Exists(EntryFolder(config, name) + "/data").value_or(false)) continue;
    entries.push_back(manifest->entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const QuarantineEntry& a, const QuarantineEntry& b) { return a.moved > b.moved; });
  entries.resize(std::min(entries.size(), kQuarantineShownMax));
  return entries;
}

}  // namespace baton::postgresql
