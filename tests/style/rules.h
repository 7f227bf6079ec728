// The house rules, each a pure function of one file. What they want is in the tables of the
// sources.
#pragma once

#include <string>
#include <vector>

#include "tests/style/source_tree.h"

namespace baton::style {

inline constexpr int kFunctionLinesMax = 70;

// Who may include whom, and which libraries a room may know.
std::vector<Finding> CheckIncludes(const SourceFile& file);

// Calls that hide time, chance, blocking or a shell from tests and readers.
std::vector<Finding> CheckBannedCalls(const SourceFile& file);

// Functions of more than kFunctionLinesMax lines, head and closing brace included. Tables are no
// functions.
std::vector<Finding> CheckFunctionLength(const SourceFile& file);

// Work left for later that names nobody who will do it.
std::vector<Finding> CheckLeftovers(const SourceFile& file);

// What lies at the top of the tree; `names` are its entries, hidden ones left out.
std::vector<Finding> CheckTopLevel(const std::vector<std::string>& names);

}  // namespace baton::style
