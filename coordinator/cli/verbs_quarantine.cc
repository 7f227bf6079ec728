// What was moved aside rather than overwritten.
#include "coordinator/cli/verb_words.h"

namespace baton {
namespace {

std::vector<ArgumentWords> EntryArguments() {
  return {PoolArgument(),
          {"HOST/RESOURCE", ReadParsed<&Options::instance, ParseInstanceName>,
           "The instance, as status names it"},
          {"NAME", ReadText<&Options::quarantine>, "The entry, as list names it"}};
}

}  // namespace

std::vector<VerbWords> QuarantineVerbs() {
  VerbWords group{.name = "quarantine",
                  .description = "Data and log that were moved aside before a copy was filled anew",
                  .detail =
                      "What an old copy had beyond the fork exists nowhere else: it is kept "
                      "on its host until someone removes it.",
                  .example = "baton quarantine list chat.example.com"};
  group.inner.push_back({.name = "list",
                         .verb = Verb::kQuarantineList,
                         .description = "Every entry, with how much it holds that nobody else has",
                         .example = "baton quarantine list chat.example.com",
                         .arguments = {PoolArgument(false)}});
  group.inner.push_back({.name = "show",
                         .verb = Verb::kQuarantineShow,
                         .description = "One entry",
                         .example = "baton quarantine show chat.example.com hq-sql1/mgc "
                                    "20261124-102113-78ed",
                         .arguments = EntryArguments()});
  group.inner.push_back(
      {.name = "remove",
       .verb = Verb::kQuarantineRemove,
       .description = "Removes an entry for good",
       .detail =
           "On a terminal it shows what the entry holds and asks. A plan like any other: only "
           "one runs for a pool.",
       .example = "baton quarantine remove chat.example.com hq-sql1/mgc 20261124-102113-78ed "
                  "--reason \"all 12 messages were posted again\"",
       .arguments = EntryArguments(),
       .flags = {ReasonFlag(), NoWaitFlag()},
       .changes = true});
  return {std::move(group)};
}

}  // namespace baton
