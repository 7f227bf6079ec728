#include "coordinator/config/problems.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

constexpr size_t kProblemsToldMax = 100;
constexpr size_t kShownBytesMax = 60;

}  // namespace

std::string Quoted(std::string_view text) {
  size_t length = std::min(text.size(), kShownBytesMax);
  // Never in the middle of a UTF-8 character.
  while (length > 0 && length < text.size() && (text[length] & 0xc0) == 0x80) --length;
  std::string shown(text.substr(0, length));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return absl::StrCat("'", shown, length < text.size() ? "..." : "", "'");
}

absl::Status Problems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::string message;
  for (size_t i = 0; i < sorted.size() && i < kProblemsToldMax; ++i) {
    const Problem& problem = sorted[i];
    absl::StrAppend(&message, i == 0 ? "" : "\n", file_name_, ":");
    if (problem.line > 0) absl::StrAppend(&message, problem.line, ":");
    absl::StrAppend(&message, " ", problem.what, ": found ", problem.found, ", wanted ",
                    problem.wanted, "; ", problem.remedy);
  }
  if (sorted.size() > kProblemsToldMax) {
    absl::StrAppend(&message, "\n", file_name_, ": and ", sorted.size() - kProblemsToldMax,
                    " more");
  }
  return absl::InvalidArgumentError(message);
}

}  // namespace baton
