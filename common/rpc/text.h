// Text on its way into and out of messages: proto3 strings must be UTF-8, and nothing that a peer
// sends may be without bound.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace baton {

inline constexpr size_t kNameBytesMax = 255;
inline constexpr size_t kTextBytesMax = 8192;
inline constexpr int kListItemsMax = 1024;

// `text` as valid UTF-8 of at most `bytes_max`: bytes that belong to no character become '?', a
// longer text is cut at a character and ends in "…". Program output may hold anything.
std::string CleanText(std::string_view text, size_t bytes_max = kTextBytesMax);

// INVALID_ARGUMENT naming `field` when `text` is longer than allowed.
absl::Status CheckText(std::string_view field, std::string_view text,
                       size_t bytes_max = kTextBytesMax);
// Likewise for names; those that must be given are refused when empty.
absl::Status CheckName(std::string_view field, std::string_view name);
absl::Status CheckOptionalName(std::string_view field, std::string_view name);
absl::Status CheckCount(std::string_view field, int count);
// "field: not set", "field: unknown value 17; mend or upgrade the sender".
absl::Status MissingField(std::string_view field);
absl::Status UnknownValue(std::string_view field, int value);

}  // namespace baton
