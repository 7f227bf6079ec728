// What only looks: how things are, what happens, what has happened.
#include "coordinator/cli/verb_words.h"

namespace baton {
namespace {

VerbWords Status() {
  return {.name = "status",
          .verb = Verb::kStatus,
          .description = "Who serves, who should, and whether a move could go ahead now",
          .detail =
              "Every member with what it is to be and what it was seen to be, its fence, "
              "position, lag, the age of its last\nreport and what is wrong with it. Below: "
              "whether another copy follows, what losing the serving site now\nwould lose, "
              "what is fenced when it returns and what came back with log that nobody else "
              "has.",
          .example = "baton status -W",
          .arguments = {PoolArgument(false)},
          .flags = {{"-W,--watch", "", ReadYes<&Options::watch>,
                     "Draw it anew every second until Ctrl-C"}}};
}

VerbWords Plan() {
  VerbWords group{
      .name = "plan", .description = "Moves, under way and past", .example = "baton plan list"};
  group.inner.push_back({.name = "list",
                         .verb = Verb::kPlanList,
                         .description = "Plans, newest first",
                         .example = "baton plan list chat.example.com",
                         .arguments = {PoolArgument(false)},
                         .flags = {LimitFlag()}});
  group.inner.push_back(
      {.name = "show",
       .verb = Verb::kPlanShow,
       .description = "A plan's steps, times and outcomes, and what can be done now",
       .detail = "What it announced to lose, which rules were overridden and who is fenced on "
                 "return; then its steps; then\nwhat it waits for and every verb that applies to "
                 "it now, with what each would do.",
       .example = "baton plan show 7f3a91 --watch",
       .arguments = {{"PLAN", ReadText<&Options::plan>, "The plan's id"}},
       .flags = {{"-W,--watch", "", ReadYes<&Options::watch>, "Look on until it ends or waits"}}});
  return group;
}

VerbWords Events() {
  return {.name = "events",
          .verb = Verb::kEvents,
          .description = "What happened, oldest first",
          .detail =
              "A line begins with the event's sequence number; + marks what is not kept. With "
              "-o json: one document a line.",
          .example = "baton events -f --pool chat.example.com",
          .flags = {{"-f,--follow", "", ReadYes<&Options::follow>, "Go on with what happens next"},
                    {"--from", "NUMBER",
                     [](const std::string& typed, Options& options) {
                       BATON_ASSIGN_OR_RETURN(options.from_sequence, ParseCount(typed, UINT64_MAX));
                       return absl::OkStatus();
                     },
                     "First sequence number wanted"},
                    {"--pool", "POOL", ReadText<&Options::pool>, "Of this pool only"},
                    {"--plan", "PLAN", ReadText<&Options::plan>, "Of this plan only"}}};
}

VerbWords History() {
  return {.name = "history",
          .verb = Verb::kHistory,
          .description = "Moves that have ended: who, why, how long",
          .example = "baton history chat.example.com",
          .arguments = {PoolArgument(false)},
          .flags = {LimitFlag()}};
}

}  // namespace

std::vector<VerbWords> LookVerbs() { return {Status(), Plan(), Events(), History()}; }

}  // namespace baton
