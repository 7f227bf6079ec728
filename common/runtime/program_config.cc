#include "common/runtime/program_config.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/key_values.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

absl::Status Wanted(const std::string& key, const std::string& found, const char* wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", key, "\": found \"", found, "\", wanted ", wanted));
}

}  // namespace

void ProgramConfig::Text(std::string key, std::string* target, bool required) {
  keys_.push_back({std::move(key), required, [target](const std::string& value) {
                     *target = value;
                     return absl::OkStatus();
                   }});
}

void ProgramConfig::Path(std::string key, std::string* target, bool required) {
  keys_.push_back({key, required, [key, target](const std::string& value) {
                     if (value.front() != '/') return Wanted(key, value, "an absolute path");
                     *target = value;
                     return absl::OkStatus();
                   }});
}

void ProgramConfig::List(std::string key, std::vector<std::string>* target, bool required) {
  keys_.push_back({std::move(key), required, [target](const std::string& value) {
                     *target = absl::StrSplit(value, absl::ByAnyChar(" \t,"), absl::SkipEmpty());
                     return absl::OkStatus();
                   }});
}

void ProgramConfig::Duration(std::string key, absl::Duration* target) {
  keys_.push_back({key, false, [key, target](const std::string& value) {
                     absl::Duration parsed;
                     if (!absl::ParseDuration(value, &parsed) || parsed <= absl::ZeroDuration()) {
                       return Wanted(key, value, "a duration with a unit, above zero, e.g. 1s");
                     }
                     *target = parsed;
                     return absl::OkStatus();
                   }});
}

void ProgramConfig::Flag(std::string key, bool* target) {
  keys_.push_back({key, false, [key, target](const std::string& value) {
                     if (value != "true" && value != "false") {
                       return Wanted(key, value, "true or false");
                     }
                     *target = value == "true";
                     return absl::OkStatus();
                   }});
}

absl::Status ProgramConfig::Read(const std::string& file) const {
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kKeyValuesBytesMax + 1));
  std::set<std::string> given;
  BATON_RETURN_IF_ERROR(ParseKeyValues(
      text, file, sample_, [&](const std::string& name, const std::string& value, size_t) {
        const auto key = std::find_if(keys_.begin(), keys_.end(),
                                      [&](const Key& known) { return known.name == name; });
        if (key == keys_.end()) return absl::NotFoundError(name);
        given.insert(name);
        return key->set(value);
      }));
  for (const Key& key : keys_) {
    if (key.required && given.count(key.name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": found no \"", key.name, "\", wanted it; see ", sample_));
    }
  }
  return absl::OkStatus();
}

}  // namespace baton
