// The verbs and flags as they are typed, as data. What reads them is command_line.cc; help,
// completion and parsing are all made from here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "common/base/status_macros.h"
#include "coordinator/cli/options.h"
#include "coordinator/cli/value_words.h"

namespace baton {

// Puts what was typed where it belongs. INVALID_ARGUMENT as value_words.h says it.
using Reader = absl::Status (*)(const std::string& typed, Options& options);

struct FlagWords {
  const char* names = "";  // "-o,--output"
  const char* type = "";   // "HOST"; empty: takes no value
  Reader read = nullptr;   // without a value: called with ""
  const char* description = "";
  bool required = false;
  bool repeatable = false;
  std::vector<std::string> values = {};  // offered by completion
  bool closed = false;                   // nothing but `values` is taken
};

struct ArgumentWords {
  const char* name = "";
  Reader read = nullptr;
  const char* description = "";
  bool required = true;
  std::vector<std::string> values = {};  // nothing else is taken; empty: anything
};

struct VerbWords {
  const char* name = "";
  std::optional<Verb> verb = {};  // none: it only leads to `inner`
  const char* description = "";   // one short line
  std::string detail = {};        // what there is to know beyond it; may be empty
  std::string example = {};       // a line that can be typed
  std::vector<ArgumentWords> arguments = {};
  std::vector<FlagWords> flags = {};
  std::vector<VerbWords> inner = {};
  bool changes = false;  // a reason is wanted, unless it is a dry run
};

// Each in a file of its own, in the order in which help shows them.
std::vector<VerbWords> SetupVerbs();
std::vector<VerbWords> LookVerbs();
std::vector<VerbWords> MoveVerbs();
std::vector<VerbWords> OperateVerbs();
std::vector<VerbWords> QuarantineVerbs();

template <auto kMember>
absl::Status ReadYes(const std::string&, Options& options) {
  options.*kMember = true;
  return absl::OkStatus();
}

template <auto kMember>
absl::Status ReadText(const std::string& typed, Options& options) {
  options.*kMember = typed;
  return absl::OkStatus();
}

template <auto kMember>
absl::Status ReadIntoList(const std::string& typed, Options& options) {
  (options.*kMember).push_back(typed);
  return absl::OkStatus();
}

// With one of the parsers of value_words.h.
template <auto kMember, auto kParser>
absl::Status ReadParsed(const std::string& typed, Options& options) {
  BATON_ASSIGN_OR_RETURN(options.*kMember, kParser(typed));
  return absl::OkStatus();
}

// Words that several verbs have.
inline ArgumentWords PoolArgument(bool required = true) {
  return {"POOL", ReadText<&Options::pool>, "The pool's name", required};
}

inline FlagWords ReasonFlag(const char* description = "Why; kept in the history") {
  return {"--reason", "TEXT", ReadText<&Options::reason>, description};
}

// Of a move or an adoption, which can be tried without doing it.
inline FlagWords TriedReasonFlag() {
  return ReasonFlag("Why; kept in the history. A dry run needs none");
}

inline FlagWords LostHostFlag(const char* description) {
  return {.names = "--lost-host",
          .type = "HOST",
          .read = ReadIntoList<&Options::lost_hosts>,
          .description = description,
          .repeatable = true};
}

inline FlagWords DryRunFlag() {
  return {"--dry-run", "", ReadYes<&Options::dry_run>,
          "Change nothing. The agents check every step's real preconditions; prints the steps and "
          "every reason to refuse"};
}

inline FlagWords NoWaitFlag() {
  return {"--no-wait", "", ReadYes<&Options::no_wait>,
          "Print the plan's id and return; the plan goes on. Look with: baton plan show PLAN"};
}

inline FlagWords LimitFlag() {
  return {"--limit", "COUNT",
          [](const std::string& typed, Options& options) {
            BATON_ASSIGN_OR_RETURN(const uint64_t limit, ParseCount(typed, 1'000'000));
            options.limit = static_cast<uint32_t>(limit);
            return absl::OkStatus();
          },
          "At most so many; default 50"};
}

}  // namespace baton
