#include "coordinator/cli/text_table.h"

#include <algorithm>

namespace baton {
namespace {

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string Cell(const std::string& text) {
  if (text.empty()) return "-";
  std::string cell = Printable(text);
  std::replace(cell.begin(), cell.end(), '\n', ' ');
  return cell;
}

}  // namespace

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), BeginsCharacter));
}

std::string CutTo(std::string_view text, size_t width) {
  if (Width(text) <= width || width == 0) return std::string(text);
  size_t characters = 0;
  size_t bytes = 0;
  while (bytes < text.size() && (characters < width - 1 || !BeginsCharacter(text[bytes]))) {
    if (BeginsCharacter(text[bytes])) ++characters;
    ++bytes;
  }
  return std::string(text.substr(0, bytes)) + "~";
}

std::string Printable(std::string_view text) {
  std::string shown(text);
  std::replace_if(
      shown.begin(), shown.end(),
      [](unsigned char c) { return (c < ' ' && c != '\n') || c == 0x7f; }, '?');
  return shown;
}

std::string TextTable::ToString(std::string_view indent) const {
  std::vector<size_t> widths(rows_.front().size());
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(Cell(row[i])));
  }
  std::string text;
  for (const std::vector<std::string>& row : rows_) {
    std::string line(indent);
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string cell = Cell(row[i]);
      line += cell;
      if (i + 1 < row.size()) line.append(widths[i] - Width(cell) + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace baton
