// Everything that is wrong with a file, gathered before anything is refused.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace baton {

// One thing to mend. Sentences read "WHAT: found FOUND, wanted WANTED; REMEDY".
struct Problem {
  int line = 0;  // from 1; 0: the file as a whole
  std::string what;
  std::string found;
  std::string wanted;
  std::string remedy;
};

// Text of a file as messages show it: in quotes, cut short, on one line.
std::string Quoted(std::string_view text);

// Collects problems of one file. Thread-compatible.
class Problems {
 public:
  explicit Problems(std::string file_name) : file_name_(std::move(file_name)) {}

  void Add(Problem problem) { problems_.push_back(std::move(problem)); }
  bool empty() const { return problems_.empty(); }

  // OK, or INVALID_ARGUMENT with a line "FILE:LINE: …" for each problem, in the file's order. Past
  // the first hundred only their number is told.
  absl::Status ToStatus() const;

 private:
  std::string file_name_;
  std::vector<Problem> problems_;
};

}  // namespace baton
