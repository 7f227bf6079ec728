// What an operator does to a plan that has not ended.
#include "coordinator/cli/verb_words.h"

namespace baton {
namespace {

constexpr char kFollows[] =
    "\nFollows the plan afterwards. What can be done now, and what it would do: baton plan show "
    "PLAN";

VerbWords Operate(const char* name, Verb verb, const char* description, const std::string& detail,
                  const std::string& example) {
  return {.name = name,
          .verb = verb,
          .description = description,
          .detail = detail + kFollows,
          .example = example,
          .arguments = {{"TARGET", ReadText<&Options::target>,
                         "A pool, whose plan is meant, or a plan's id"}},
          .flags = {ReasonFlag(), NoWaitFlag()},
          .changes = true};
}

FlagWords StepFlag(const char* description, bool required) {
  return {.names = "--step",
          .type = "NUMBER",
          .read = ReadParsed<&Options::step, ParseStepNumber>,
          .description = description,
          .required = required};
}

}  // namespace

std::vector<VerbWords> OperateVerbs() {
  VerbWords retry =
      Operate("retry", Verb::kRetry, "Tries one step of a waiting plan again",
              "A step that failed, or whose outcome nobody knows; the others stay as they are.",
              "baton retry chat.example.com --step 7 --reason \"dr-sql1 is back\"");
  retry.flags.push_back(StepFlag(
      "Which, as plan show numbers it; may be left out where only one can be meant", false));
  VerbWords skip = Operate(
      "skip", Verb::kSkip, "Lets a waiting plan go on without one step, on your word",
      "Only steps that safety does not stand on, such as the canary; the others are refused.",
      "baton skip chat.example.com --step 14 --reason \"canary account is locked\"");
  skip.flags.push_back(StepFlag("Which, as plan show numbers it", true));
  return {
      Operate("pause", Verb::kPause, "Begins no further step of a plan",
              "What runs already ends. Ends with 0 once the plan stands still.",
              "baton pause chat.example.com --reason \"waiting for the network team\""),
      Operate("resume", Verb::kResume, "Goes on with a plan that waits or was paused",
              "What failed, or was left unknown, is tried again. Where the plan says that a host "
              "answered and is silent again,\nit is also your word that this host is lost: turn "
              "its power off first.",
              "baton resume chat.example.com --reason \"share is mounted again\""),
      std::move(retry),
      std::move(skip),
      Operate("abort", Verb::kAbort, "Gives a plan up",
              "Cancels what runs and waits until the agents say what was done. Then: nothing was "
              "moved yet, or it is taken\nback and chat is served where it was (exit code 6); past "
              "the point of no return it ends where it is (1) and says\nhow to go on. Says first "
              "which of them, and asks.",
              "baton abort chat.example.com --reason \"users are back at work\""),
  };
}

}  // namespace baton
