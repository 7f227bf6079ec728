// The console of this process.
#pragma once

#include "coordinator/cli/terminal.h"

namespace baton {

// Standard input, output and error. Write errors are ignored: whoever closed the pipe reads no
// more.
class PosixConsole : public Console {
 public:
  void Print(std::string_view text) override;
  void Note(std::string_view text) override;
  bool interactive() const override;
  Size size() const override;
  bool Confirm(std::string_view question) override;
};

// "alice@ops1", for the history: the login name (behind sudo: the one that called it) and host.
std::string WhoAsks();

}  // namespace baton
