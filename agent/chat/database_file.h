// The small Lua file that PointAt writes and the chat server's configuration includes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/chat/prosody_config.h"
#include "common/protocol/ids.h"

namespace baton::chat {

// The file's text. Whatever `user` and `password` hold, it is one Lua string each.
std::string RenderDatabaseFile(const HostId& instance, const DatabaseAddress& address,
                               std::string_view user, std::string_view password);

// The instance that such a text names. DATA_LOSS when it names none, or more than one.
absl::StatusOr<HostId> ParseInstance(std::string_view text);

// What the file of `config` would say for `instance`. NOT_FOUND for an instance that the resource
// file does not know; else what reading the password gave.
absl::StatusOr<std::string> DatabaseFileFor(const ProsodyConfig& config, const HostId& instance);

// The instance that the file of `config` names. NOT_FOUND: there is no file. DATA_LOSS: it is not
// what PointAt would write for that instance now, so what the server would use is not known.
absl::StatusOr<HostId> ReadInstance(const ProsodyConfig& config);

}  // namespace baton::chat
