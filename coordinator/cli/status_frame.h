// A page that is drawn over itself.
#pragma once

#include <string>

#include "coordinator/cli/terminal.h"

namespace baton {

// What turns a terminal that shows anything into one that shows `text` from its first row on,
// without a moment in which it is blank. Lines may wrap; those that would not fit make way for a
// last one that says how many. `text` holds no control characters but newlines.
std::string StatusFrame(const std::string& text, Console::Size size);

}  // namespace baton
