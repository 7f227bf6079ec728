#include "coordinator/cli/status_frame.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "coordinator/cli/text_table.h"

namespace baton {

std::string StatusFrame(const std::string& text, Console::Size size) {
  const auto columns = static_cast<size_t>(std::max(size.columns, 1));
  // The row below the last line is the cursor's.
  const auto room = static_cast<size_t>(std::max(size.rows - 1, 2));
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  const auto rows = [columns](const std::string& line) {
    return std::max<size_t>(1, (Width(line) + columns - 1) / columns);
  };
  size_t all = 0;
  for (const std::string& line : lines) all += rows(line);
  if (all > room) {
    size_t used = 1;
    size_t shown = 0;
    while (shown < lines.size() && used + rows(lines[shown]) <= room) used += rows(lines[shown++]);
    const size_t hidden = lines.size() - shown;
    lines.resize(shown);
    lines.push_back(CutTo(absl::StrCat("(", hidden, " lines more in a taller window)"), columns));
  }
  std::string frame = "\x1b[H";
  for (const std::string& line : lines) {
    // A line as wide as the window leaves the cursor on its last character: nothing to clear there.
    const bool full = Width(line) > 0 && Width(line) % columns == 0;
    absl::StrAppend(&frame, line, full ? "" : "\x1b[K", "\n");
  }
  return frame + "\x1b[J";
}

}  // namespace baton
