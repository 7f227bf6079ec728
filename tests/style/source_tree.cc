#include "tests/style/source_tree.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace baton::style {
namespace {

namespace fs = std::filesystem;

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Where the raw string whose 'R' is at `start` ends (behind its last quote); `start` if it is none.
size_t EndOfRawString(std::string_view text, size_t start) {
  if (text.substr(start, 2) != "R\"" || (start > 0 && IsWordCharacter(text[start - 1])))
    return start;
  const size_t open = text.find('(', start);
  if (open == std::string_view::npos) return start;
  const std::string close = ")" + std::string(text.substr(start + 2, open - start - 2)) + "\"";
  const size_t end = text.find(close, open);
  return end == std::string_view::npos ? text.size() : end + close.size();
}

// Where the literal that opens with the quote at `start` ends.
size_t EndOfLiteral(std::string_view text, size_t start) {
  for (size_t i = start + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[start] || text[i] == '\n') {
      return i + 1;
    }
  }
  return text.size();
}

size_t EndOfComment(std::string_view text, size_t start) {
  const bool line = text[start + 1] == '/';
  const size_t end = text.find(line ? "\n" : "*/", start + 2);
  if (end == std::string_view::npos) return text.size();
  return line ? end : end + 2;
}

void AppendLineBreaks(std::string_view skipped, std::string* bare) {
  bare->append(std::count(skipped.begin(), skipped.end(), '\n'), '\n');
}

}  // namespace

std::vector<SourceFile> ReadTree(const std::string& root, const std::vector<std::string>& endings) {
  std::vector<SourceFile> files;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory()) {
      if (name.front() == '.' || name == "build" || name == "node_modules") {
        entry.disable_recursion_pending();
      }
      continue;
    }
    const bool wanted = std::any_of(endings.begin(), endings.end(),
                                    [&name](const std::string& e) { return name.ends_with(e); });
    if (!wanted) continue;
    std::ifstream stream(entry->path(), std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    files.push_back({fs::relative(entry->path(), root).generic_string(), text.str()});
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::string BareCode(std::string_view text) {
  std::string bare;
  size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const bool quote = c == '"' || (c == '\'' && (i == 0 || !IsWordCharacter(text[i - 1])));
    size_t end = i;
    if (c == '/' && i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '*')) {
      end = EndOfComment(text, i);
      bare += ' ';
    } else if (c == 'R' && EndOfRawString(text, i) != i) {
      end = EndOfRawString(text, i);
      bare += "\"\"";
    } else if (quote) {
      end = EndOfLiteral(text, i);
      bare += {c, c};
    } else {
      bare += c;
      ++i;
      continue;
    }
    AppendLineBreaks(text.substr(i, end - i), &bare);
    i = end;
  }
  return bare;
}

std::vector<std::string> Lines(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool Under(std::string_view path, std::string_view folder) {
  return path == folder ||
         (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

std::string Report(const std::vector<Finding>& findings) {
  std::ostringstream report;
  for (const Finding& finding : findings) {
    report << finding.path << ":" << finding.line << ": " << finding.what << "\n";
  }
  return report.str();
}

}  // namespace baton::style
