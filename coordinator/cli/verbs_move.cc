// What moves the right to write, and what readies a pool for it.
#include "coordinator/cli/verb_words.h"

namespace baton {
namespace {

// What a person who starts a move should know about its terminal.
constexpr char kPlanIsTheCoordinators[] =
    "On a terminal it shows what would happen and asks, then shows the steps as they go. The plan "
    "belongs to the\ncoordinator: Ctrl-C ends the watching, not the plan.";

FlagWords DiscardOrphansFlag() {
  return {"--discard-orphans", "BYTES", ReadParsed<&Options::discard_orphans, ParseByteCount>,
          "Throw away up to so much log that only the old copy has, instead of keeping it in "
          "quarantine; more than that is kept. Write 4096, 16MB, 1.5GiB"};
}

VerbWords Switchover() {
  return {.name = "switchover",
          .verb = Verb::kSwitchover,
          .description = "Moves a pool to its other site, planned, losing nothing",
          .detail = std::string("Fails before the other side begins to write: it is undone, and "
                                "chat is served where it was. ") +
                    kPlanIsTheCoordinators,
          .example =
              "baton switchover chat.example.com --reason \"patching hq\" "
              "--expected-primary hq-sql1",
          .arguments = {PoolArgument()},
          .flags = {TriedReasonFlag(),
                    DryRunFlag(),
                    {"--expected-primary", "HOST", ReadText<&Options::expected_primary>,
                     "Refuse unless this host holds the right to write"},
                    LostHostFlag("On your word this chat host is down: the move goes on without "
                                 "it, and it is fenced when it returns. May be repeated"),
                    NoWaitFlag()},
          .changes = true};
}

std::vector<FlagWords> FailoverFlags() {
  return {
      TriedReasonFlag(),
      DryRunFlag(),
      {"--lost-site", "SITE", ReadText<&Options::lost_site>,
       "On your word all of this site is down. A host of it that still answers: refused"},
      LostHostFlag("On your word this host is down. May be repeated; naming one that answers is "
                   "refused"),
      {"--allow-loss", "TIME", ReadParsed<&Options::allow_loss, ParseTimeOrAny>,
       "Accept losing what was acknowledged in up to this time, over the pool's limit. Write 90s, "
       "2m; any: also a loss that nobody can bound"},
      {"--max-loss", "TIME", ReadParsed<&Options::max_loss, ParseTime>,
       "Refuse to lose more than this, though the pool's limit allows it"},
      {.names = "--override-rule",
       .type = "RULE",
       .read = ReadIntoList<&Options::override_rules>,
       .description = "Go on against this refusal, by its name. May be repeated; a refusal tells "
                      "whether it can be overridden",
       .repeatable = true,
       .values = {"FENCE_EPOCH_AHEAD", "HOME_DATABASE_UP", "LOG_GAP", "SHARE_UNREADABLE",
                  "UNPROTECTED"}},
      {.names = "--salvage",
       .type = "HOST=DIR",
       .read =
           [](const std::string& typed, Options& options) {
             BATON_ASSIGN_OR_RETURN(SalvageSource source, ParseSalvage(typed));
             options.salvage.push_back(std::move(source));
             return absl::OkStatus();
           },
       .description = "The lost host's disk can be read: its data directory as the host that takes "
                      "over sees it. Log that it had not shipped is copied first. May be repeated",
       .repeatable = true},
      NoWaitFlag()};
}

VerbWords Failover() {
  return {.name = "failover",
          .verb = Verb::kFailover,
          .description =
              "The serving site is lost: the other one takes over, as far as its log "
              "goes",
          .detail = std::string(
                        "Loses what was acknowledged but never left the lost site; before it "
                        "begins it says how much that can be.\nWhat answers is fenced now, what "
                        "does not is fenced when it returns, before anything else.\nWhere a check "
                        "fails, or a lost host answers, before the epoch is raised, it ends with "
                        "nothing moved; from then on\nit is never undone: where it fails it "
                        "waits. Everything is up, or can be started again? Then: baton "
                        "switchover.\n") +
                    kPlanIsTheCoordinators,
          .example =
              "baton failover chat.example.com --lost-site hq --reason \"fire at hq\" "
              "--allow-loss 90s",
          .arguments = {PoolArgument()},
          .flags = FailoverFlags(),
          .changes = true};
}

VerbWords Failback() {
  return {.name = "failback",
          .verb = Verb::kFailback,
          .description = "Moves a pool back to its home site, seeding that anew if need be",
          .detail =
              std::string("What only the old copy at home has is put into quarantine first, then "
                          "home is filled and follows while chat\ngoes on being served; users wait "
                          "only for the switchover at the end, which loses nothing.\n") +
              kPlanIsTheCoordinators,
          .example = "baton failback chat.example.com --reason \"hq is rebuilt\"",
          .arguments = {PoolArgument()},
          .flags = {TriedReasonFlag(), DryRunFlag(), DiscardOrphansFlag(), NoWaitFlag()},
          .changes = true};
}

VerbWords Protect() {
  return {.name = "protect",
          .verb = Verb::kProtect,
          .description = "Makes the other copy follow again, or for the first time",
          .detail =
              std::string("Writes the settings of log shipping, puts what only the old copy has "
                          "into quarantine, fills it if it is\nempty, and lets it follow. A pool "
                          "that was never adopted, a bare primary and a bare backup, is adopted by "
                          "it.\n") +
              kPlanIsTheCoordinators,
          .example = "baton protect chat.example.com --reason \"hq is back\"",
          .arguments = {PoolArgument()},
          .flags = {TriedReasonFlag(), DryRunFlag(), DiscardOrphansFlag(), NoWaitFlag()},
          .changes = true};
}

}  // namespace

std::vector<VerbWords> MoveVerbs() { return {Switchover(), Failover(), Failback(), Protect()}; }

}  // namespace baton
