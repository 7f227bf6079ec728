#include "coordinator/cli/completion.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace baton {
namespace {

// Inside single quotes of a shell.
std::string Escaped(const std::string& text) { return absl::StrReplaceAll(text, {{"'", "'\\''"}}); }

// Inside a description of zsh's _describe and _arguments.
std::string ZshEscaped(const std::string& text) {
  return Escaped(absl::StrReplaceAll(text, {{":", "\\:"}, {"[", "("}, {"]", ")"}}));
}

struct Place {
  std::string path;  // "topology apply"; empty: the program itself
  const CommandInfo* command;
};

void Collect(const CommandInfo& command, const std::string& path, std::vector<Place>& places) {
  places.push_back({path, &command});
  for (const CommandInfo& inner : command.commands) {
    Collect(inner, path.empty() ? inner.name : absl::StrCat(path, " ", inner.name), places);
  }
}

std::vector<Place> PlacesOf(const CommandInfo& root) {
  std::vector<Place> places;
  Collect(root, "", places);
  return places;
}

// What may stand next, flags of the program included.
std::vector<std::string> WordsAt(const CommandInfo& command, const CommandInfo& root) {
  std::vector<std::string> words;
  for (const CommandInfo& inner : command.commands) words.push_back(inner.name);
  words.insert(words.end(), command.values.begin(), command.values.end());
  for (const FlagInfo& flag : command.flags) {
    words.insert(words.end(), flag.names.begin(), flag.names.end());
  }
  if (&command != &root) {
    for (const FlagInfo& flag : root.flags) {
      words.insert(words.end(), flag.names.begin(), flag.names.end());
    }
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

// Every flag of the tree that takes a value, by all its names, once.
std::vector<FlagInfo> FlagsWithValues(const CommandInfo& root) {
  std::vector<FlagInfo> flags;
  for (const Place& place : PlacesOf(root)) {
    for (const FlagInfo& flag : place.command->flags) {
      const bool known = std::any_of(flags.begin(), flags.end(), [&](const FlagInfo& other) {
        return other.names == flag.names;
      });
      if (flag.takes_value && !known) flags.push_back(flag);
    }
  }
  return flags;
}

// The part that bash and zsh share: which verb has been typed so far. Values of flags are skipped.
std::string CasesOfVerbs(const CommandInfo& root) {
  std::string text;
  for (const Place& place : PlacesOf(root)) {
    for (const CommandInfo& inner : place.command->commands) {
      const std::string path =
          place.path.empty() ? inner.name : absl::StrCat(place.path, " ", inner.name);
      absl::StrAppend(&text, "      '", place.path, ":", inner.name, "') verb='", path, "' ;;\n");
    }
  }
  return text;
}

std::string Bash(const CommandInfo& root) {
  std::vector<std::string> skipping;
  std::string values;
  for (const FlagInfo& flag : FlagsWithValues(root)) {
    skipping.insert(skipping.end(), flag.names.begin(), flag.names.end());
    absl::StrAppend(&values, "    ", absl::StrJoin(flag.names, "|"), ") COMPREPLY=($(compgen -W '",
                    absl::StrJoin(flag.values, " "), "' -- \"$current\")); return ;;\n");
  }
  std::string words;
  for (const Place& place : PlacesOf(root)) {
    absl::StrAppend(&words, "    '", place.path, "') words='",
                    absl::StrJoin(WordsAt(*place.command, root), " "), "'",
                    place.command->takes_file ? "; files=1" : "", " ;;\n");
  }
  return absl::StrCat(
      "# bash completion for ", root.name, "; load with: source <(", root.name,
      " completion bash)\n_", root.name, "() {\n",
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n",
      "  local verb='' skip='' word words='' files=''\n", "  COMPREPLY=()\n",
      "  case \"$previous\" in\n", values, "  esac\n",
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n",
      "    if [[ -n $skip ]]; then skip=''; continue; fi\n", "    case \"$word\" in\n      ",
      absl::StrJoin(skipping, "|"), ") skip=1; continue ;;\n    esac\n",
      "    case \"$verb:$word\" in\n", CasesOfVerbs(root), "    esac\n  done\n",
      "  case \"$verb\" in\n", words, "  esac\n",
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n",
      "  if [[ -n $files ]]; then COMPREPLY+=($(compgen -f -- \"$current\")); fi\n", "}\n",
      "complete -o filenames -F _", root.name, " ", root.name, "\n");
}

// The verb's flags, then those of the program that the verb doesn't have itself.
std::string ZshFlags(const CommandInfo& command, const CommandInfo& root) {
  std::vector<std::string> told;
  std::string text;
  for (const CommandInfo* owner : {&command, &root}) {
    for (const FlagInfo& flag : owner->flags) {
      for (const std::string& name : flag.names) {
        if (std::find(told.begin(), told.end(), name) != told.end()) continue;
        told.push_back(name);
        absl::StrAppend(&text, " '", name, ":", ZshEscaped(flag.description), "'");
      }
    }
  }
  return text;
}

std::string Zsh(const CommandInfo& root) {
  std::vector<std::string> skipping;
  std::string values;
  for (const FlagInfo& flag : FlagsWithValues(root)) {
    skipping.insert(skipping.end(), flag.names.begin(), flag.names.end());
    absl::StrAppend(&values, "    ", absl::StrJoin(flag.names, "|"), ") ",
                    flag.values.empty() ? "_files" : "compadd --", " ",
                    absl::StrJoin(flag.values, " "), "; return ;;\n");
  }
  std::string cases;
  for (const Place& place : PlacesOf(root)) {
    std::string choices;
    for (const CommandInfo& inner : place.command->commands) {
      absl::StrAppend(&choices, " '", inner.name, ":", ZshEscaped(inner.description), "'");
    }
    for (const std::string& value : place.command->values) {
      absl::StrAppend(&choices, " '", value, "'");
    }
    absl::StrAppend(&cases, "    '", place.path, "') choices=(", choices, "); flags=(",
                    ZshFlags(*place.command, root), ")",
                    place.command->takes_file ? "; _files" : "", " ;;\n");
  }
  return absl::StrCat("#compdef ", root.name, "\n# zsh completion for ", root.name,
                      "; load with: source <(", root.name, " completion zsh)\n_", root.name,
                      "() {\n", "  local verb='' skip='' word\n  local -a choices flags\n",
                      "  case \"${words[CURRENT-1]}\" in\n", values, "  esac\n",
                      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n",
                      "    if [[ -n $skip ]]; then skip=''; continue; fi\n",
                      "    case \"$word\" in\n      ", absl::StrJoin(skipping, "|"),
                      ") skip=1; continue ;;\n    esac\n", "    case \"$verb:$word\" in\n",
                      CasesOfVerbs(root), "    esac\n  done\n", "  case \"$verb\" in\n", cases,
                      "  esac\n", "  _describe 'argument' choices\n",
                      "  _describe -o 'flag' flags\n}\ncompdef _", root.name, " ", root.name, "\n");
}

std::string FishFlags(const CommandInfo& root, const CommandInfo& command,
                      const std::string& condition) {
  std::string text;
  for (const FlagInfo& flag : command.flags) {
    absl::StrAppend(&text, "complete -c ", root.name, condition);
    for (const std::string& name : flag.names) {
      const bool is_long = name.size() > 2;
      absl::StrAppend(&text, is_long ? " -l " : " -s ", name.substr(is_long ? 2 : 1));
    }
    if (flag.takes_value) absl::StrAppend(&text, " -x");
    if (!flag.values.empty()) {
      absl::StrAppend(&text, " -a '", absl::StrJoin(flag.values, " "), "'");
    }
    absl::StrAppend(&text, " -d '", Escaped(flag.description), "'\n");
  }
  return text;
}

std::string Fish(const CommandInfo& root) {
  std::string text = absl::StrCat("# fish completion for ", root.name, "; load with: ", root.name,
                                  " completion fish | source\ncomplete -c ", root.name, " -f\n");
  for (const Place& place : PlacesOf(root)) {
    std::string condition;
    std::string inner_names;
    for (const CommandInfo& inner : place.command->commands) {
      absl::StrAppend(&inner_names, " ", inner.name);
    }
    std::string seen;
    if (!place.path.empty()) {
      for (const std::string& word : std::vector<std::string>(absl::StrSplit(place.path, ' '))) {
        absl::StrAppend(&seen, seen.empty() ? "" : "; and ", "__fish_seen_subcommand_from ", word);
      }
    }
    const std::string exact = inner_names.empty()
                                  ? seen
                                  : absl::StrCat(seen, seen.empty() ? "" : "; and ",
                                                 "not __fish_seen_subcommand_from", inner_names);
    const std::string when = exact.empty() ? "" : absl::StrCat(" -n '", exact, "'");
    for (const CommandInfo& inner : place.command->commands) {
      absl::StrAppend(&text, "complete -c ", root.name, when, " -a ", inner.name, " -d '",
                      Escaped(inner.description), "'\n");
    }
    if (!place.command->values.empty()) {
      absl::StrAppend(&text, "complete -c ", root.name, when, " -a '",
                      absl::StrJoin(place.command->values, " "), "'\n");
    }
    if (place.command->takes_file) absl::StrAppend(&text, "complete -c ", root.name, when, " -F\n");
    condition = place.path.empty() ? "" : absl::StrCat(" -n '", seen, "'");
    absl::StrAppend(&text, FishFlags(root, *place.command, condition));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> CompletionScript(std::string_view shell, const CommandInfo& root) {
  if (shell == "bash") return Bash(root);
  if (shell == "zsh") return Zsh(root);
  if (shell == "fish") return Fish(root);
  return absl::InvalidArgumentError(absl::StrCat("completion: found shell \"", std::string(shell),
                                                 "\", wanted bash, zsh or fish; name one of them"));
}

}  // namespace baton
