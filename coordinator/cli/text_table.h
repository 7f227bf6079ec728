// Columns that line up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton {

// Rows of cells under a header, two spaces between columns, no trailing spaces. Widths count
// characters of UTF-8, not bytes. Control characters in cells become '?': nothing that an agent
// reports steers a terminal.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

  // As many cells as the header has. An empty one is shown as "-".
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }

  // Each line ends in a newline and begins with `indent`.
  std::string ToString(std::string_view indent = "") const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Characters in UTF-8 text.
size_t Width(std::string_view text);
// At most `width` characters; a cut text ends in "~".
std::string CutTo(std::string_view text, size_t width);
// Control characters but newlines become '?'.
std::string Printable(std::string_view text);

}  // namespace baton
