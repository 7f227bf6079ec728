// What is set up once: topology, pools, agents, the shell.
#include "coordinator/cli/verb_words.h"

namespace baton {
namespace {

ArgumentWords FileArgument() {
  return {"FILE", ReadText<&Options::file>, "The topology file; - for standard input"};
}

FlagWords AllowCoordinatorAtHomeFlag() {
  return {"--allow-coordinator-at-home", "", ReadYes<&Options::allow_coordinator_at_home>,
          "Accept that the only coordinator stands at a pool's home site"};
}

VerbWords Topology() {
  VerbWords group{.name = "topology",
                  .description = "What exists and what role it has",
                  .example = "baton topology show"};
  group.inner.push_back(
      {.name = "validate",
       .verb = Verb::kTopologyValidate,
       .description = "Tells every problem of a topology file",
       .detail = "Each problem with its line, or else what applying the file would change. Changes "
                 "nothing.",
       .example = "baton topology validate topology.yaml",
       .arguments = {FileArgument()},
       .flags = {AllowCoordinatorAtHomeFlag(),
                 {"--offline", "", ReadYes<&Options::offline>,
                  "Check it here, without a coordinator; what would change is not told"}}});
  group.inner.push_back(
      {.name = "apply",
       .verb = Verb::kTopologyApply,
       .description = "Makes a topology file the coordinator's",
       .detail = "As a whole or not at all. Refused while a plan runs for a pool that it changes.",
       .example = "baton topology apply topology.yaml --reason \"a second chat server\"",
       .arguments = {FileArgument()},
       .flags = {AllowCoordinatorAtHomeFlag(), ReasonFlag()},
       .changes = true});
  group.inner.push_back({.name = "show",
                         .verb = Verb::kTopologyShow,
                         .description = "Prints the topology that is applied",
                         .example = "baton topology show > topology.yaml"});
  return group;
}

VerbWords Adopt() {
  return {.name = "adopt",
          .verb = Verb::kAdopt,
          .description = "Takes a pool over, or gives a right back that was lost",
          .detail =
              "Looks whether every instance is in its role, then makes the first epoch and "
              "opens the primary's fence.\nUntil then nothing of the pool starts writable. A "
              "pool that was adopted before: whoever may write by the\njournal, but lost its "
              "fence, gets its right back, and chat is served again.\nA chat server whose host "
              "is down is left out with --lost-host; another one of the pool serves.\nA pool "
              "without log shipping yet: baton protect does this too.",
          .example = "baton adopt chat.example.com --reason \"first installation\"",
          .arguments = {PoolArgument()},
          .flags = {TriedReasonFlag(), DryRunFlag(),
                    LostHostFlag("On your word this chat host is down: another chat server is "
                                 "activated, and it is fenced when it returns. May be repeated"),
                    NoWaitFlag()},
          .changes = true};
}

VerbWords Agents() {
  VerbWords group{.name = "agents",
                  .verb = Verb::kAgentsList,
                  .description = "Lists agents, and settles which ledger is theirs",
                  .detail = "Without a further word: list.",
                  .example = "baton agents"};
  group.inner.push_back({.name = "list",
                         .verb = Verb::kAgentsList,
                         .description = "Every host, its agent, and refused agents",
                         .example = "baton agents list"});
  group.inner.push_back(
      {.name = "accept",
       .verb = Verb::kAgentsAccept,
       .description = "Takes the ledger that a refused agent shows as its host's own",
       .detail = "For a host whose ledger was lost or replaced. Make sure first that it is not "
                 "another machine.",
       .example = "baton agents accept hq-sql1 --reason \"disk replaced\"",
       .arguments = {{"HOST", ReadText<&Options::host>, "The host"}},
       .flags = {ReasonFlag()},
       .changes = true});
  return group;
}

VerbWords Completion() {
  return {.name = "completion",
          .verb = Verb::kCompletion,
          .description = "Prints a script that completes words in a shell",
          .example = "source <(baton completion bash)",
          .arguments = {
              {"SHELL", ReadText<&Options::shell>, "The shell", true, {"bash", "zsh", "fish"}}}};
}

}  // namespace

std::vector<VerbWords> SetupVerbs() { return {Topology(), Adopt(), Agents(), Completion()}; }

}  // namespace baton
