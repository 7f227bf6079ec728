// A verb with everything around it: a terminal, a coordinator that answers as told, typed options.
#pragma once

#include "gtest/gtest.h"

#include "coordinator/cli/commands.h"
#include "tests/unit/cli/fake_console.h"
#include "tests/unit/cli/fake_coordinator.h"

namespace baton {

class VerbWorld : public ::testing::Test {
 protected:
  VerbWorld()
      : client_({{"fake:1", coordinator_.Channel()}}, terminal_.terminal(), absl::Seconds(30), 1) {
    options_.requested_by = "alice@ops1";
    options_.request_id = "r1";
    options_.reason = "why not";
  }

  ExitCode Do(Verb verb) {
    options_.verb = verb;
    return RunVerb(options_, client_, terminal_.terminal());
  }

  FakeTerminal terminal_;
  FakeCoordinator coordinator_;
  Client client_;
  Options options_;
};

}  // namespace baton
