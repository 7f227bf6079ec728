#include "coordinator/cli/command_line.h"

#include <algorithm>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "coordinator/cli/verb_words.h"

namespace baton {
namespace {

constexpr absl::Duration kTimeoutMax = absl::Hours(24);

std::string ExitCodeLines() {
  std::string text = "Exit codes:\n";
  for (const ExitCodeText& entry : kExitCodeTexts) {
    absl::StrAppend(&text, "  ", static_cast<int>(entry.code), "  ", entry.text, "\n");
  }
  return text;
}

absl::Status ReadTimeout(const std::string& typed, Options& options) {
  const absl::StatusOr<absl::Duration> timeout = ParseTime(typed);
  if (!timeout.ok() || *timeout <= absl::ZeroDuration() || *timeout > kTimeoutMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "found \"", typed, "\", wanted a time above 0 and up to 24h; write 500ms, 30s, 5m"));
  }
  options.timeout = *timeout;
  return absl::OkStatus();
}

// Addresses separated by commas.
absl::Status ReadCoordinators(const std::string& typed, Options& options) {
  for (std::string address : std::vector<std::string>(absl::StrSplit(typed, ','))) {
    absl::StripAsciiWhitespace(&address);
    if (!address.empty()) options.coordinators.push_back(std::move(address));
  }
  if (!options.coordinators.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("found \"", typed, "\", wanted HOST:PORT, several separated by commas"));
}

// The program: its own flags, and every verb.
VerbWords Program() {
  VerbWords root{
      .name = "baton",
      .description = "Hands a persistent-chat service from one site to another, and back.",
      .flags = {
          {"--coordinator", "ADDRESS", ReadCoordinators,
           "Address of the coordinator; several, separated by commas, are tried in turn. Default: "
           "BATON_COORDINATOR, else 127.0.0.1:7400"},
          {.names = "-o,--output",
           .type = "FORMAT",
           .read =
               [](const std::string& typed, Options& options) {
                 options.output = typed == "json" ? Output::kJson : Output::kTable;
                 return absl::OkStatus();
               },
           .description = "table for people, json for programs: the public messages in protobuf's "
                          "JSON mapping, one document",
           .values = {"table", "json"},
           .closed = true},
          {"--timeout", "TIME", ReadTimeout,
           "How long to wait for one answer of the coordinator. Default: 30s"},
          {"-y,--yes", "", ReadYes<&Options::yes>,
           "Ask nothing: skips questions, never checks. Questions are asked on a terminal only"}}};
  for (std::vector<VerbWords> verbs :
       {SetupVerbs(), LookVerbs(), MoveVerbs(), OperateVerbs(), QuarantineVerbs()}) {
    std::move(verbs.begin(), verbs.end(), std::back_inserter(root.inner));
  }
  return root;
}

// The words that read Options; lives as long as the parsing.
class CommandLine {
 public:
  CommandLine() : root_(Program()), app_(root_.description, root_.name) {
    app_.fallthrough();
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "baton " BATON_VERSION);
    app_.footer(absl::StrCat(
        "Examples:\n"
        "  baton status\n"
        "  baton switchover chat.example.com --reason \"patching hq\" --dry-run\n"
        "  baton failover chat.example.com --lost-site hq --reason \"fire\" --dry-run\n"
        "  baton -o json plan list | jq '.plans[].state'\n\n",
        ExitCodeLines()));
    AddWords(app_, root_);
    for (const VerbWords& verb : root_.inner) AddVerb(app_, verb);
  }

  CLI::App& app() { return app_; }
  Options& options() { return options_; }
  // The verb that was typed.
  const VerbWords& verb() const { return *verb_; }

 private:
  void AddVerb(CLI::App& parent, const VerbWords& words) {
    CLI::App& app = *parent.add_subcommand(words.name, words.description);
    app.fallthrough();
    app.footer(absl::StrCat(words.detail, words.detail.empty() ? "" : "\n\n", "Example:\n  ",
                            words.example,
                            "\n\nThe options of baton itself (-o, --coordinator, --timeout, -y) "
                            "may follow here too: baton --help"));
    AddWords(app, words);
    if (!words.inner.empty()) app.require_subcommand(words.verb.has_value() ? 0 : 1, 1);
    for (const VerbWords& inner : words.inner) AddVerb(app, inner);
    if (!words.verb.has_value()) return;
    // The innermost verb's turn comes first; a group's own is for when nothing follows it.
    app.parse_complete_callback([this, &words] {
      if (verb_ != nullptr) return;
      verb_ = &words;
      options_.verb = *words.verb;
    });
  }

  void AddWords(CLI::App& app, const VerbWords& words) {
    for (const ArgumentWords& argument : words.arguments) {
      CLI::Option& option = *app.add_option(argument.name, Callback(argument.name, argument.read),
                                            argument.description);
      option.type_name("")->required(argument.required);
      if (!argument.values.empty()) option.check(CLI::IsMember(argument.values));
    }
    for (const FlagWords& flag : words.flags) AddFlag(app, flag);
  }

  void AddFlag(CLI::App& app, const FlagWords& flag) {
    if (*flag.type == '\0') {
      app.add_flag_callback(
          flag.names, [this, &flag] { (void)flag.read("", options_); }, flag.description);
      return;
    }
    const std::string names = flag.names;
    CLI::Option& option = *app.add_option(
        names, Callback(names.substr(names.rfind(',') + 1), flag.read), flag.description);
    option.type_name(flag.type)->required(flag.required);
    if (flag.repeatable) option.take_all();
    if (flag.closed) option.check(CLI::IsMember(flag.values));
  }

  CLI::callback_t Callback(const std::string& name, Reader read) {
    return [this, name, read](const CLI::results_t& typed) {
      for (const std::string& word : typed) {
        const absl::Status status = read(word, options_);
        if (!status.ok()) throw CLI::ValidationError(name, std::string(status.message()));
      }
      return true;
    };
  }

  const VerbWords root_;
  CLI::App app_;
  Options options_;
  const VerbWords* verb_ = nullptr;
};

// What the library does not check. Empty: nothing is wrong.
std::string Complete(Options& options, const VerbWords& verb,
                     const std::string& environment_coordinator) {
  if (options.coordinators.empty()) {
    const absl::Status status = ReadCoordinators(
        environment_coordinator.empty() ? kDefaultCoordinator : environment_coordinator, options);
    if (!status.ok()) return absl::StrCat("BATON_COORDINATOR: ", std::string(status.message()));
  }
  absl::StripAsciiWhitespace(&options.reason);
  if (verb.changes && !options.dry_run && options.reason.empty()) {
    return "--reason: found nothing, wanted why this is done; add --reason \"...\", it is kept in "
           "the history";
  }
  return "";
}

// What stands before the first sentence's end.
std::string FirstClause(const std::string& text) {
  return text.substr(0, std::min(text.find(". "), text.find("; ")));
}

CommandInfo Describe(const VerbWords& words) {
  CommandInfo command;
  command.name = words.name;
  command.description = FirstClause(words.description);
  command.flags.push_back({{"-h", "--help"}, "Print this help message and exit", false, {}});
  for (const FlagWords& flag : words.flags) {
    command.flags.push_back({absl::StrSplit(flag.names, ','), FirstClause(flag.description),
                             *flag.type != '\0', flag.values});
  }
  for (const ArgumentWords& argument : words.arguments) {
    command.takes_file = command.takes_file || std::string(argument.name) == "FILE";
    command.values.insert(command.values.end(), argument.values.begin(), argument.values.end());
  }
  for (const VerbWords& inner : words.inner) command.commands.push_back(Describe(inner));
  return command;
}

// The library's complaint, or a better one where a verb is missing or mistyped.
std::string Complaint(const CLI::App& app, const CLI::Error& error) {
  if (error.get_name() == "ValidationError") return error.what();
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
  if (const std::string wrong = Complete(line.options(), line.verb(), environment_coordinator);
      !wrong.empty()) {
    parsed.text = absl::StrCat("baton: ", wrong, "\n");
    parsed.code = ExitCode::kUsage;
    return parsed;
  }
  parsed.options = std::move(line.options());
  return parsed;
}

CommandInfo CommandTree() { return Describe(Program()); }

}  // namespace baton
