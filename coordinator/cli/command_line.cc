#include "coordinator/cli/command_line.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace baton {
namespace {

// What is typed, before it is checked as a whole.
struct Typed {
  Options options;
  std::string coordinators;
  std::string output = "table";
  std::string timeout = "30s";
};

// A line about what the verb does, and one that can be typed.
void Teach(CLI::App& app, const std::string& example) {
  app.footer(absl::StrCat("Example:\n  ", example));
}

std::string ExitCodeLines() {
  std::string text = "Exit codes:\n";
  for (const ExitCodeText& entry : kExitCodeTexts) {
    absl::StrAppend(&text, "  ", static_cast<int>(entry.code), "  ", entry.text, "\n");
  }
  return text;
}

// The words that read Options; lives as long as the parsing.
class CommandLine {
 public:
  CommandLine()
      : app_("Hands a persistent-chat service from one site to another, and back.", "baton") {
    app_.fallthrough();
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "baton " BATON_VERSION);
    app_.footer(
        absl::StrCat("Examples:\n"
                     "  baton status\n"
                     "  baton switchover chat.example.com --reason \"patching hq\" --dry-run\n"
                     "  baton -o json plan list | jq '.plans[].state'\n\n",
                     ExitCodeLines()));
    AddGlobals();
    AddTopology();
    AddAdopt();
    AddAgents();
    AddStatus();
    AddSwitchover();
    AddPlan();
    AddEvents();
    AddHistory();
    AddResume();
    AddCompletion();
  }

  CLI::App& app() { return app_; }
  Typed& typed() { return typed_; }

 private:
  void AddGlobals() {
    app_.add_option("--coordinator", typed_.coordinators,
                    absl::StrCat("Address of the coordinator; several, separated by commas, are "
                                 "tried in turn. Default: BATON_COORDINATOR, else ",
                                 kDefaultCoordinator))
        ->type_name("ADDRESS");
    app_.add_option("-o,--output", typed_.output,
                    "table for people, json for programs: the public messages in protobuf's JSON "
                    "mapping, one document")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"table", "json"}));
    app_.add_option("--timeout", typed_.timeout,
                    "How long to wait for one answer of the coordinator. Default: 30s")
        ->type_name("TIME");
    app_.add_flag("-y,--yes", typed_.options.yes,
                  "Ask nothing. Skips questions, never checks. Questions are asked on a terminal "
                  "only");
  }

  CLI::App& AddVerb(CLI::App& parent, const std::string& name, Verb verb,
                    const std::string& description, const std::string& example) {
    CLI::App& app = *parent.add_subcommand(name, description);
    app.fallthrough();
    Teach(app, example);
    app.parse_complete_callback([this, verb] { typed_.options.verb = verb; });
    return app;
  }

  CLI::App& AddGroup(const std::string& name, const std::string& description,
                     const std::string& example) {
    CLI::App& app = *app_.add_subcommand(name, description);
    app.fallthrough();
    Teach(app, example);
    return app;
  }

  void AddReason(CLI::App& app) {
    app.add_option("--reason", typed_.options.reason, "Why; kept in the history")
        ->type_name("TEXT")
        ->required();
  }

  void AddPool(CLI::App& app, bool required) {
    CLI::Option* pool = app.add_option("POOL", typed_.options.pool, "The pool's name");
    pool->type_name("");
    if (required) pool->required();
  }

  void AddNoWait(CLI::App& app) {
    app.add_flag(
        "--no-wait", typed_.options.no_wait,
        "Print the plan's id and return; the plan goes on. Look with: baton plan show PLAN");
  }

  void AddTopologyFile(CLI::App& app) {
    app.add_option("FILE", typed_.options.file, "The topology file; - for standard input")
        ->type_name("")
        ->required();
    app.add_flag("--allow-coordinator-at-home", typed_.options.allow_coordinator_at_home,
                 "Accept that the only coordinator stands at a pool's home site");
  }

  void AddTopology() {
    CLI::App& group = AddGroup("topology", "What exists and what role it has",
                               "baton topology apply topology.yaml");
    group.require_subcommand(1);
    CLI::App& validate =
        AddVerb(group, "validate", Verb::kTopologyValidate,
                "Tells every problem of a topology file, and what applying it would change",
                "baton topology validate topology.yaml");
    AddTopologyFile(validate);
    validate.add_flag("--offline", typed_.options.offline,
                      "Check it here, without a coordinator; what would change is not told");
    AddTopologyFile(AddVerb(group, "apply", Verb::kTopologyApply,
                            "Makes a topology file the coordinator's; as a whole or not at all",
                            "baton topology apply topology.yaml"));
    AddVerb(group, "show", Verb::kTopologyShow, "Prints the topology that is applied",
            "baton topology show > topology.yaml");
  }

  void AddAdopt() {
    CLI::App& app = AddVerb(app_, "adopt", Verb::kAdopt,
                            "Takes a pool over: checks that every instance is in its role, then "
                            "makes the first epoch. Until then nothing of the pool starts writable",
                            "baton adopt chat.example.com --reason \"first installation\"");
    AddPool(app, true);
    AddReason(app);
    AddNoWait(app);
  }

  void AddAgents() {
    CLI::App& group =
        AddGroup("agents", "The agents, one a host; without more words: list", "baton agents");
    group.require_subcommand(0, 1);
    group.parse_complete_callback([this] {
      if (typed_.options.verb == Verb::kStatus) typed_.options.verb = Verb::kAgentsList;
    });
    AddVerb(group, "list", Verb::kAgentsList, "Every host, its agent, and refused agents",
            "baton agents list");
    CLI::App& accept = AddVerb(group, "accept", Verb::kAgentsAccept,
                               "Takes the ledger that a host's refused agent shows as its own",
                               "baton agents accept hq-sql1 --reason \"disk replaced\"");
    accept.add_option("HOST", typed_.options.host, "The host")->type_name("")->required();
    AddReason(accept);
  }

  void AddStatus() {
    CLI::App& app = AddVerb(app_, "status", Verb::kStatus,
                            "Who serves, what every member should be and was seen to be, and "
                            "whether a switchover could go ahead now",
                            "baton status -W");
    AddPool(app, false);
    app.add_flag("-W,--watch", typed_.options.watch, "Draw it anew every second until Ctrl-C");
  }

  void AddSwitchover() {
    CLI::App& app = AddVerb(
        app_, "switchover", Verb::kSwitchover,
        "Moves a pool to its other site, planned, losing nothing. Ctrl-C ends the watching, not "
        "the move",
        "baton switchover chat.example.com --reason \"patching hq\" --expected-primary hq-sql1");
    AddPool(app, true);
    CLI::Option* reason = app.add_option("--reason", typed_.options.reason,
                                         "Why; kept in the history. A dry run needs none");
    reason->type_name("TEXT");
    app.add_flag("--dry-run", typed_.options.dry_run,
                 "Change nothing: the agents check every step's preconditions under their own "
                 "identity; prints the steps and every reason to refuse");
    app.add_option("--expected-primary", typed_.options.expected_primary,
                   "Refuse unless this host holds the right to write")
        ->type_name("HOST");
    AddNoWait(app);
  }

  void AddPlan() {
    CLI::App& group = AddGroup("plan", "Moves, under way and past", "baton plan list");
    group.require_subcommand(1);
    CLI::App& list = AddVerb(group, "list", Verb::kPlanList, "Plans, newest first",
                             "baton plan list chat.example.com");
    AddPool(list, false);
    AddLimit(list);
    CLI::App& show = AddVerb(group, "show", Verb::kPlanShow,
                             "A plan's steps, times and outcomes, what it waits for, and what can "
                             "be done now",
                             "baton plan show 7f3a91 --watch");
    show.add_option("PLAN", typed_.options.plan, "The plan's id")->type_name("")->required();
    show.add_flag("-W,--watch", typed_.options.watch, "Look on until it ends or waits");
  }

  void AddLimit(CLI::App& app) {
    app.add_option("--limit", typed_.options.limit, "At most so many; default 50")
        ->type_name("COUNT");
  }

  void AddEvents() {
    CLI::App& app = AddVerb(app_, "events", Verb::kEvents,
                            "What happened, oldest first. With -o json a document a line",
                            "baton events -f --pool chat.example.com");
    app.add_flag("-f,--follow", typed_.options.follow, "Go on with what happens next");
    app.add_option("--from", typed_.options.from_sequence, "First sequence number wanted")
        ->type_name("NUMBER");
    app.add_option("--pool", typed_.options.pool, "Of this pool only")->type_name("POOL");
    app.add_option("--plan", typed_.options.plan, "Of this plan only")->type_name("PLAN");
  }

  void AddHistory() {
    CLI::App& app = AddVerb(app_, "history", Verb::kHistory,
                            "Moves that have ended: who, why, how long", "baton history");
    AddPool(app, false);
    AddLimit(app);
  }

  void AddResume() {
    CLI::App& app = AddVerb(app_, "resume", Verb::kResume,
                            "Goes on with a plan that waits: what failed is tried again",
                            "baton resume chat.example.com --reason \"share is mounted again\"");
    app.add_option("TARGET", typed_.options.target, "A pool, or a plan's id")
        ->type_name("")
        ->required();
    AddReason(app);
    AddNoWait(app);
  }

  void AddCompletion() {
    CLI::App& app = AddVerb(app_, "completion", Verb::kCompletion,
                            "Prints a script that completes words in a shell",
                            "source <(baton completion bash)");
    app.add_option("SHELL", typed_.options.shell, "bash, zsh or fish")
        ->type_name("")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  CLI::App app_;
  Typed typed_;
};

// What the library does not check. Empty: nothing is wrong.
std::string Complete(Typed& typed, const std::string& environment_coordinator) {
  Options& options = typed.options;
  options.output = typed.output == "json" ? Output::kJson : Output::kTable;
  if (!absl::ParseDuration(typed.timeout, &options.timeout) ||
      options.timeout <= absl::ZeroDuration() || options.timeout > absl::Hours(24)) {
    return absl::StrCat("--timeout: found \"", typed.timeout,
                        "\", wanted a time above 0 and up to 24h; write 500ms, 30s, 5m");
  }
  std::string addresses = typed.coordinators;
  if (addresses.empty()) addresses = environment_coordinator;
  if (addresses.empty()) addresses = kDefaultCoordinator;
  for (std::string address : std::vector<std::string>(absl::StrSplit(addresses, ','))) {
    absl::StripAsciiWhitespace(&address);
    if (!address.empty()) options.coordinators.push_back(std::move(address));
  }
  if (options.coordinators.empty()) {
    return absl::StrCat("--coordinator: found \"", addresses,
                        "\", wanted HOST:PORT, several separated by commas");
  }
  absl::StripAsciiWhitespace(&options.reason);
  const bool changes = options.verb == Verb::kSwitchover || options.verb == Verb::kAdopt ||
                       options.verb == Verb::kResume || options.verb == Verb::kAgentsAccept;
  if (changes && !options.dry_run && options.reason.empty()) {
    return "--reason: found nothing, wanted why this is done; add --reason \"...\", it is kept in "
           "the history";
  }
  return "";
}

FlagInfo DescribeFlag(const CLI::Option& option) {
  FlagInfo flag;
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  const std::string& text = option.get_description();
  flag.description = text.substr(0, std::min(text.find(". "), text.find("; ")));
  flag.takes_value = option.get_items_expected_max() > 0;
  if (std::count(flag.names.begin(), flag.names.end(), "--output") > 0) {
    flag.values = {"json", "table"};
  }
  return flag;
}

CommandInfo Describe(const CLI::App& app) {
  CommandInfo command;
  command.name = app.get_name();
  const std::string text = app.get_description();
  command.description = text.substr(0, std::min(text.find(". "), text.find("; ")));
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) {
      command.takes_file = command.takes_file || option->get_name() == "FILE";
      if (option->get_name() == "SHELL") command.values = {"bash", "fish", "zsh"};
      continue;
    }
    command.flags.push_back(DescribeFlag(*option));
  }
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(Describe(*inner));
  }
  return command;
}

}  // namespace

ParsedLine ParseCommandLine(const std::vector<std::string>& arguments,
                            const std::string& environment_coordinator) {
  CommandLine line;
  ParsedLine parsed;
  try {
    // The library takes them last first.
    line.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    parsed.text = line.app().help();
    return parsed;
  } catch (const CLI::CallForVersion& version) {
    parsed.text = absl::StrCat(version.what(), "\n");
    return parsed;
  } catch (const CLI::Error& error) {
    parsed.text = absl::StrCat("baton: ", error.what(), "; see baton --help\n");
    parsed.code = ExitCode::kUsage;
    return parsed;
  }
  if (const std::string wrong = Complete(line.typed(), environment_coordinator); !wrong.empty()) {
    parsed.text = absl::StrCat("baton: ", wrong, "\n");
    parsed.code = ExitCode::kUsage;
    return parsed;
  }
  parsed.options = std::move(line.typed().options);
  return parsed;
}

CommandInfo CommandTree() {
  CommandLine line;
  return Describe(line.app());
}

}  // namespace baton
