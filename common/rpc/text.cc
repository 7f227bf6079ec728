#include "common/rpc/text.h"

#include "absl/strings/str_cat.h"

#include "common/base/strings.h"

namespace baton {
namespace {

// Length of the valid UTF-8 character at the start of `text`; 0: none starts there.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  const bool beyond = first == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

std::string CleanText(std::string_view text, size_t bytes_max) {
  static constexpr std::string_view kCut = "…";
  std::string clean;
  clean.reserve(std::min(text.size(), bytes_max));
  size_t room_end = 0;  // where the cut mark still fits
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const std::string_view character = length == 0 ? "?" : text.substr(0, length);
    if (clean.size() + character.size() > bytes_max) {
      clean.resize(room_end);
      if (clean.size() + kCut.size() <= bytes_max) clean.append(kCut);
      return clean;
    }
    clean.append(character);
    if (clean.size() + kCut.size() <= bytes_max) room_end = clean.size();
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

absl::Status CheckText(std::string_view field, std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(field), ": found ", text.size(), " bytes, wanted at most ", bytes_max));
}

absl::Status CheckName(std::string_view field, std::string_view name) {
  return name.empty() ? MissingField(field) : CheckOptionalName(field, name);
}

absl::Status CheckOptionalName(std::string_view field, std::string_view name) {
  return CheckText(field, name, kNameBytesMax);
}

absl::Status CheckCount(std::string_view field, int count) {
  if (count <= kListItemsMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(field), ": found ", count, " entries, wanted at most ", kListItemsMax));
}

absl::Status MissingField(std::string_view field) {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(field), ": not set"));
}

absl::Status UnknownValue(std::string_view field, int value) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(field), ": unknown value ", value, "; the sender is of another version"));
}

}  // namespace baton
