// The source tree as the house rules see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton::style {

// One file of ours: its path below the tree's root, with '/' between, and its text.
struct SourceFile {
  std::string path;
  std::string text;
};

// A rule that a line breaks. `what` says what was found and what is wanted.
struct Finding {
  std::string path;
  int line = 0;  // from 1; 0: the file as a whole
  std::string what;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// All files below `root` whose names end in one of `endings`, in order of path; build folders,
// hidden folders and the like are left out.
std::vector<SourceFile> ReadTree(const std::string& root, const std::vector<std::string>& endings);

// C++ without comments and with empty string and character literals; line breaks stay, so that line
// numbers hold. Understands raw strings and digit separators.
std::string BareCode(std::string_view text);

// The lines of `text`, without their ends.
std::vector<std::string> Lines(std::string_view text);

bool Under(std::string_view path, std::string_view folder);

// "path:line: what", one a line; empty when there is none.
std::string Report(const std::vector<Finding>& findings);

}  // namespace baton::style
