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

// What there is to know beyond the description, and a line that can be typed.
void Teach(CLI::App& app, const std::string& detail, const std::string& example) {
  app.footer(absl::StrCat(detail, detail.empty() ? "" : "\n\n", "Example:\n  ", example,
                          "\n\nThe options of baton itself (-o, --coordinator, --timeout, -y) may "
                          "follow here too: baton --help"));
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
                  "Ask nothing: skips questions, never checks. Questions are asked on a terminal "
                  "only");
  }

  struct VerbText {
    const char* name;
    const char* description;  // one short line
    const char* detail;       // may be ""
    const char* example;
  };

  CLI::App& AddVerb(CLI::App& parent, Verb verb, const VerbText& text) {
    CLI::App& app = AddGroup(parent, text);
    app.parse_complete_callback([this, verb] { typed_.options.verb = verb; });
    return app;
  }

  CLI::App& AddGroup(CLI::App& parent, const VerbText& text) {
    CLI::App& app = *parent.add_subcommand(text.name, text.description);
    app.fallthrough();
    Teach(app, text.detail, text.example);
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
    CLI::App& group =
        AddGroup(app_, {"topology", "What exists and what role it has", "", "baton topology show"});
    group.require_subcommand(1);
    CLI::App& validate = AddVerb(group, Verb::kTopologyValidate,
                                 {"validate", "Tells every problem of a topology file",
                                  "Each problem with its line, or else what applying the file "
                                  "would change. Changes nothing.",
                                  "baton topology validate topology.yaml"});
    AddTopologyFile(validate);
    validate.add_flag("--offline", typed_.options.offline,
                      "Check it here, without a coordinator; what would change is not told");
    CLI::App& apply =
        AddVerb(group, Verb::kTopologyApply,
                {"apply", "Makes a topology file the coordinator's",
                 "As a whole or not at all. Refused while a plan runs for a pool that it changes.",
                 "baton topology apply topology.yaml --reason \"a second chat server\""});
    AddTopologyFile(apply);
    AddReason(apply);
    AddVerb(
        group, Verb::kTopologyShow,
        {"show", "Prints the topology that is applied", "", "baton topology show > topology.yaml"});
  }

  void AddAdopt() {
    CLI::App& app = AddVerb(
        app_, Verb::kAdopt,
        {"adopt", "Takes a pool over, or gives a right back that was lost",
         "Looks whether every instance is in its role, then makes the first epoch and opens "
         "the primary's fence.\nUntil then nothing of the pool starts writable. A pool that was "
         "adopted before: whoever may write by the\njournal, but lost its fence, gets its right "
         "back, and chat is served again.",
         "baton adopt chat.example.com --reason \"first installation\""});
    AddPool(app, true);
    AddReason(app);
    AddNoWait(app);
  }

  void AddAgents() {
    CLI::App& group = AddGroup(app_, {"agents", "Lists agents, and settles which ledger is theirs",
                                      "Without a further word: list.", "baton agents"});
    group.require_subcommand(0, 1);
    group.parse_complete_callback([this] {
      if (typed_.options.verb == Verb::kStatus) typed_.options.verb = Verb::kAgentsList;
    });
    AddVerb(group, Verb::kAgentsList,
            {"list", "Every host, its agent, and refused agents", "", "baton agents list"});
    CLI::App& accept =
        AddVerb(group, Verb::kAgentsAccept,
                {"accept", "Takes the ledger that a refused agent shows as its host's own",
                 "For a host whose ledger was lost or replaced. Make sure first that it is not "
                 "another machine.",
                 "baton agents accept hq-sql1 --reason \"disk replaced\""});
    accept.add_option("HOST", typed_.options.host, "The host")->type_name("")->required();
    AddReason(accept);
  }

  void AddStatus() {
    CLI::App& app = AddVerb(
        app_, Verb::kStatus,
        {"status", "Who serves, who should, and whether a move could go ahead now",
         "Every member with what it is to be and what it was seen to be, its fence, position, lag, "
         "the age of its last\nreport and what is wrong with it.",
         "baton status -W"});
    AddPool(app, false);
    app.add_flag("-W,--watch", typed_.options.watch, "Draw it anew every second until Ctrl-C");
  }

  void AddSwitchover() {
    CLI::App& app = AddVerb(
        app_, Verb::kSwitchover,
        {"switchover", "Moves a pool to its other site, planned, losing nothing",
         "On a terminal it shows the steps and asks, then shows them as they go. The plan belongs "
         "to the coordinator:\nCtrl-C ends the watching, not the move.",
         "baton switchover chat.example.com --reason \"patching hq\" --expected-primary hq-sql1"});
    AddPool(app, true);
    app.add_option("--reason", typed_.options.reason,
                   "Why; kept in the history. A dry run needs none")
        ->type_name("TEXT");
    app.add_flag("--dry-run", typed_.options.dry_run,
                 "Change nothing. The agents check every step's real preconditions; prints the "
                 "steps and every reason to refuse");
    app.add_option("--expected-primary", typed_.options.expected_primary,
                   "Refuse unless this host holds the right to write")
        ->type_name("HOST");
    AddNoWait(app);
  }

  void AddPlan() {
    CLI::App& group = AddGroup(app_, {"plan", "Moves, under way and past", "", "baton plan list"});
    group.require_subcommand(1);
    CLI::App& list =
        AddVerb(group, Verb::kPlanList,
                {"list", "Plans, newest first", "", "baton plan list chat.example.com"});
    AddPool(list, false);
    AddLimit(list);
    CLI::App& show = AddVerb(
        group, Verb::kPlanShow,
        {"show", "A plan's steps, times and outcomes",
         "And what it waits for, and what can be done now.", "baton plan show 7f3a91 --watch"});
    show.add_option("PLAN", typed_.options.plan, "The plan's id")->type_name("")->required();
    show.add_flag("-W,--watch", typed_.options.watch, "Look on until it ends or waits");
  }

  void AddLimit(CLI::App& app) {
    app.add_option("--limit", typed_.options.limit, "At most so many; default 50")
        ->type_name("COUNT");
  }

  void AddEvents() {
    CLI::App& app = AddVerb(
        app_, Verb::kEvents,
        {"events", "What happened, oldest first",
         "A line begins with the event's sequence number; + marks what is not kept. With -o "
         "json: one document a line.",
         "baton events -f --pool chat.example.com"});
    app.add_flag("-f,--follow", typed_.options.follow, "Go on with what happens next");
    app.add_option("--from", typed_.options.from_sequence, "First sequence number wanted")
        ->type_name("NUMBER");
    app.add_option("--pool", typed_.options.pool, "Of this pool only")->type_name("POOL");
    app.add_option("--plan", typed_.options.plan, "Of this plan only")->type_name("PLAN");
  }

  void AddHistory() {
    CLI::App& app = AddVerb(app_, Verb::kHistory,
                            {"history", "Moves that have ended: who, why, how long", "",
                             "baton history chat.example.com"});
    AddPool(app, false);
    AddLimit(app);
  }

  void AddResume() {
    CLI::App& app = AddVerb(app_, Verb::kResume,
                            {"resume", "Goes on with a plan that waits",
                             "What failed, or was left unknown, is tried again.",
                             "baton resume chat.example.com --reason \"share is mounted again\""});
    app.add_option("TARGET", typed_.options.target, "A pool, or a plan's id")
        ->type_name("")
        ->required();
    AddReason(app);
    AddNoWait(app);
  }

  void AddCompletion() {
    CLI::App& app = AddVerb(app_, Verb::kCompletion,
                            {"completion", "Prints a script that completes words in a shell", "",
                             "source <(baton completion bash)"});
    app.add_option("SHELL", typed_.options.shell, "The shell")
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

// "FORMAT:{table,json}" → table, json: the words that the option's own check allows.
std::vector<std::string> AllowedWords(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  if (open == std::string::npos) return {};
  return absl::StrSplit(type.substr(open + 1, type.find('}') - open - 1), ',');
}

// What stands before the first sentence's end.
std::string FirstClause(const std::string& text) {
  return text.substr(0, std::min(text.find(". "), text.find("; ")));
}

FlagInfo DescribeFlag(const CLI::Option& option) {
  FlagInfo flag;
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  flag.description = FirstClause(option.get_description());
  flag.takes_value = option.get_items_expected_max() > 0;
  flag.values = AllowedWords(option);
  return flag;
}

CommandInfo Describe(const CLI::App& app) {
  CommandInfo command;
  command.name = app.get_name();
  command.description = FirstClause(app.get_description());
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      command.flags.push_back(DescribeFlag(*option));
      continue;
    }
    command.takes_file = command.takes_file || option->get_name() == "FILE";
    const std::vector<std::string> words = AllowedWords(*option);
    command.values.insert(command.values.end(), words.begin(), words.end());
  }
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(Describe(*inner));
  }
  return command;
}

// The library's complaint, or a better one where a verb is missing or mistyped.
std::string Complaint(const CLI::App& app, const CLI::Error& error) {
  const CLI::App* group = &app;
  while (!group->get_subcommands().empty()) group = group->get_subcommands().front();
  std::string known;
  for (const CLI::App* verb : group->get_subcommands([](const CLI::App*) { return true; })) {
    absl::StrAppend(&known, known.empty() ? "" : ", ", verb->get_name());
  }
  std::string found = "nothing";
  for (const std::string& word : app.remaining(true)) {
    if (word.empty() || word.front() == '-') continue;
    found = absl::StrCat("\"", word, "\"");
    break;
  }
  const bool verb_wrong = found != "nothing" || error.get_name() == "RequiredError";
  if (known.empty() || !verb_wrong) return absl::StrCat(error.what(), "; see baton --help");
  return absl::StrCat(group == &app ? "verb" : group->get_name(), ": found ", found,
                      ", wanted one of ", known, "; see baton --help");
}

}  // namespace

ParsedLine ParseCommandLine(const std::vector<std::string>& arguments,
                            const std::string& environment_coordinator) {
  CommandLine line;
  ParsedLine parsed;
  if (arguments.empty()) {
    parsed.text = line.app().help();
    parsed.code = ExitCode::kUsage;
    return parsed;
  }
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
    parsed.text = absl::StrCat("baton: ", Complaint(line.app(), error), "\n");
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
