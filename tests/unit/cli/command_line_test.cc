#include "coordinator/cli/command_line.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cli/golden.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ParsedLine Parse(const std::string& line, const std::string& environment = "") {
  std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  return ParseCommandLine(words, environment);
}

TEST(CommandLineTest, KnowsEveryVerb) {
  const std::vector<std::pair<std::string, Verb>> verbs = {
      {"topology validate f", Verb::kTopologyValidate},
      {"topology apply f --reason r", Verb::kTopologyApply},
      {"topology show", Verb::kTopologyShow},
      {"adopt p --reason r", Verb::kAdopt},
      {"agents", Verb::kAgentsList},
      {"agents list", Verb::kAgentsList},
      {"agents accept h --reason r", Verb::kAgentsAccept},
      {"status", Verb::kStatus},
      {"switchover p --reason r", Verb::kSwitchover},
      {"plan list", Verb::kPlanList},
      {"plan show x", Verb::kPlanShow},
      {"events", Verb::kEvents},
      {"history", Verb::kHistory},
      {"failover p --lost-site s --reason r", Verb::kFailover},
      {"failback p --reason r", Verb::kFailback},
      {"protect p --reason r", Verb::kProtect},
      {"pause p --reason r", Verb::kPause},
      {"resume p --reason r", Verb::kResume},
      {"retry p --reason r", Verb::kRetry},
      {"skip p --step 3 --reason r", Verb::kSkip},
      {"abort p --reason r", Verb::kAbort},
      {"quarantine list", Verb::kQuarantineList},
      {"quarantine show p h/r n", Verb::kQuarantineShow},
      {"quarantine remove p h/r n --reason r", Verb::kQuarantineRemove},
      {"completion bash", Verb::kCompletion},
  };
  for (const auto& [line, verb] : verbs) {
    const ParsedLine parsed = Parse(line);
    ASSERT_TRUE(parsed.options.has_value()) << line << ": " << parsed.text;
    EXPECT_EQ(parsed.options->verb, verb) << line;
  }
}

TEST(CommandLineTest, TakesGlobalFlagsBeforeAndAfterTheVerb) {
  for (const std::string line : {"-o json -y --timeout 5s topology apply f --reason r",
                                 "topology apply f --reason r -o json -y --timeout 5s",
                                 "topology -o json apply -y f --timeout 5s --reason r"}) {
    const ParsedLine parsed = Parse(line);
    ASSERT_TRUE(parsed.options.has_value()) << line << ": " << parsed.text;
    EXPECT_EQ(parsed.options->output, Output::kJson);
    EXPECT_TRUE(parsed.options->yes);
    EXPECT_EQ(parsed.options->timeout, absl::Seconds(5));
    EXPECT_EQ(parsed.options->file, "f");
  }
}

TEST(CommandLineTest, FindsTheCoordinator) {
  EXPECT_THAT(Parse("status").options->coordinators, ElementsAre("127.0.0.1:7400"));
  EXPECT_THAT(Parse("status", "a:1, b:2").options->coordinators, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(Parse("status --coordinator c:3", "a:1").options->coordinators, ElementsAre("c:3"));
  EXPECT_EQ(Parse("status --coordinator ,").code, ExitCode::kUsage);
}

TEST(CommandLineTest, WantsAReasonWhereverTheWorldChanges) {
  for (const std::string line :
       {"switchover p", "failover p", "failback p", "protect p", "adopt p", "pause p", "resume p",
        "retry p", "skip p --step 1", "abort p", "quarantine remove p h/r n", "agents accept h",
        "topology apply f"}) {
    const ParsedLine parsed = Parse(line);
    EXPECT_FALSE(parsed.options.has_value()) << line;
    EXPECT_EQ(parsed.code, ExitCode::kUsage);
    EXPECT_THAT(parsed.text, HasSubstr("--reason"));
  }
  EXPECT_EQ(ParseCommandLine({"resume", "p", "--reason", "  "}, "").code, ExitCode::kUsage);
  for (const std::string line :
       {"switchover p --dry-run", "failover p --dry-run", "failback p --dry-run",
        "protect p --dry-run", "quarantine list", "quarantine show p h/r n"}) {
    EXPECT_TRUE(Parse(line).options.has_value()) << line;
  }
}

TEST(CommandLineTest, ReadsTheFlagsOfAFailover) {
  const ParsedLine parsed = Parse(
      "failover p --lost-site hq --lost-host a --lost-host b --reason r --allow-loss 90s "
      "--max-loss 1h30m --override-rule LOG_GAP --override-rule UNPROTECTED --salvage "
      "hq-sql1=/mnt/a=b --no-wait");
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  EXPECT_EQ(parsed.options->pool, "p");
  EXPECT_EQ(parsed.options->lost_site, "hq");
  EXPECT_THAT(parsed.options->lost_hosts, ElementsAre("a", "b"));
  EXPECT_EQ(parsed.options->allow_loss, absl::Seconds(90));
  EXPECT_EQ(parsed.options->max_loss, absl::Minutes(90));
  EXPECT_THAT(parsed.options->override_rules, ElementsAre("LOG_GAP", "UNPROTECTED"));
  ASSERT_EQ(parsed.options->salvage.size(), 1u);
  EXPECT_EQ(parsed.options->salvage[0].host, "hq-sql1");
  EXPECT_EQ(parsed.options->salvage[0].directory, "/mnt/a=b");
  EXPECT_TRUE(parsed.options->no_wait);
  EXPECT_EQ(Parse("failover p --reason r --allow-loss any").options->allow_loss,
            absl::InfiniteDuration());
  EXPECT_FALSE(Parse("failover p --reason r").options->allow_loss.has_value());
}

TEST(CommandLineTest, ARepeatableFlagLeavesThePoolAlone) {
  const ParsedLine parsed = Parse("failover --lost-host a p --reason r");
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  EXPECT_EQ(parsed.options->pool, "p");
  EXPECT_THAT(parsed.options->lost_hosts, ElementsAre("a"));
}

TEST(CommandLineTest, ReadsOrphansStepsAndQuarantine) {
  EXPECT_EQ(Parse("failback p --reason r --discard-orphans 16MB").options->discard_orphans,
            16'000'000u);
  EXPECT_EQ(Parse("protect p --reason r --discard-orphans 0").options->discard_orphans, 0u);
  EXPECT_FALSE(Parse("protect p --reason r").options->discard_orphans.has_value());
  EXPECT_EQ(Parse("retry x --step 7 --reason r").options->step, 7u);
  EXPECT_FALSE(Parse("retry x --reason r").options->step.has_value());
  EXPECT_THAT(Parse("switchover p --reason r --lost-host c").options->lost_hosts, ElementsAre("c"));
  EXPECT_THAT(Parse("adopt p --reason r --lost-host c --lost-host d").options->lost_hosts,
              ElementsAre("c", "d"));
  EXPECT_TRUE(Parse("adopt p --lost-host c --dry-run").options->dry_run);
  const ParsedLine parsed = Parse("quarantine show p hq-sql1/mgc 1.2");
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  EXPECT_EQ(parsed.options->instance.host, "hq-sql1");
  EXPECT_EQ(parsed.options->instance.resource, "mgc");
  EXPECT_EQ(parsed.options->quarantine, "1.2");
}

TEST(CommandLineTest, AWrongValueNamesItsFlagAndTellsHowToWriteIt) {
  EXPECT_EQ(Parse("failover p --reason r --allow-loss 90").text,
            "baton: --allow-loss: found \"90\", wanted a time from 0 on with its unit, or any; "
            "write 500ms, 90s, 5m, 1h30m\n");
  EXPECT_THAT(Parse("skip p --reason r --step 0").text, HasSubstr("--step: found \"0\", wanted a"));
  EXPECT_THAT(Parse("failback p --reason r --discard-orphans lots").text,
              HasSubstr("--discard-orphans: found \"lots\", wanted a number of bytes"));
  EXPECT_THAT(Parse("quarantine show p hq-sql1 1.2").text,
              HasSubstr("HOST/RESOURCE: found \"hq-sql1\", wanted HOST/RESOURCE as baton status"));
}

TEST(CommandLineTest, ReadsTheFlagsOfASwitchover) {
  const ParsedLine parsed = Parse("switchover p --reason r --expected-primary hq-sql1 --no-wait");
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  EXPECT_EQ(parsed.options->pool, "p");
  EXPECT_EQ(parsed.options->expected_primary, "hq-sql1");
  EXPECT_TRUE(parsed.options->no_wait);
  EXPECT_FALSE(parsed.options->dry_run);
}

TEST(CommandLineTest, ReadsTheFlagsOfEvents) {
  const ParsedLine parsed = Parse("events -f --from 18446744073709551615 --pool p --plan x");
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  EXPECT_TRUE(parsed.options->follow);
  EXPECT_EQ(parsed.options->from_sequence, UINT64_MAX);
  EXPECT_EQ(parsed.options->pool, "p");
  EXPECT_EQ(parsed.options->plan, "x");
}

TEST(CommandLineTest, NamesTheVerbsWhenOneIsMistyped) {
  EXPECT_THAT(Parse("swichover p").text,
              HasSubstr("verb: found \"swichover\", wanted one of topology, adopt"));
  EXPECT_THAT(Parse("topology valid f").text,
              HasSubstr("topology: found \"valid\", wanted one of validate, apply, show"));
  EXPECT_THAT(Parse("plan").text, HasSubstr("plan: found nothing, wanted one of list, show"));
  EXPECT_EQ(Parse("swichover p").code, ExitCode::kUsage);
}

TEST(CommandLineTest, RefusesWrongValues) {
  for (const std::string line :
       {"status -o xml", "status --timeout soon", "status --timeout -3s", "status --frobnicate",
        "status a b", "events --from x", "failover p --reason r --salvage h", "skip p --reason r",
        "failover p --reason r --max-loss any", "completion tcsh", "topology apply", ""}) {
    const ParsedLine parsed = Parse(line);
    EXPECT_FALSE(parsed.options.has_value()) << line;
    EXPECT_EQ(parsed.code, ExitCode::kUsage) << line;
    EXPECT_NE(parsed.text, "") << line;
  }
}

TEST(CommandLineTest, HelpTeaches) {
  const ParsedLine help = Parse("--help");
  EXPECT_EQ(help.code, ExitCode::kDone);
  for (const ExitCodeText& entry : kExitCodeTexts) EXPECT_THAT(help.text, HasSubstr(entry.text));
  const CommandInfo root = CommandTree();
  EXPECT_FALSE(root.commands.empty());
  for (const CommandInfo& command : root.commands) {
    EXPECT_THAT(help.text, HasSubstr(command.name));
    EXPECT_THAT(Parse(command.name + " --help").text, HasSubstr("Example:\n  ")) << command.name;
    for (const CommandInfo& inner : command.commands) {
      EXPECT_THAT(Parse(command.name + " " + inner.name + " --help").text,
                  HasSubstr("Example:\n  "))
          << command.name << " " << inner.name;
    }
  }
}

TEST(CommandLineTest, HelpIsAScreenOfItsOwn) {
  ExpectGolden("help.txt", Parse("--help").text);
  ExpectGolden("help_failover.txt", Parse("failover --help").text);
  ExpectGolden("help_abort.txt", Parse("abort --help").text);
}

TEST(CommandLineTest, TellsItsVersion) {
  EXPECT_THAT(Parse("--version").text, HasSubstr("baton 0."));
  EXPECT_EQ(Parse("--version").code, ExitCode::kDone);
}

TEST(CommandLineTest, ExamplesOfTheHelpCanBeTyped) {
  const CommandInfo root = CommandTree();
  std::vector<std::string> verbs;
  for (const CommandInfo& command : root.commands) {
    verbs.push_back(command.name);
    for (const CommandInfo& inner : command.commands) {
      verbs.push_back(command.name + " " + inner.name);
    }
  }
  for (const std::string& verb : verbs) {
    const std::string help = Parse(verb + " --help").text;
    std::string example = help.substr(help.find("Example:\n  ") + 11);
    example = example.substr(0, example.find('\n'));
    example = example.substr(0, example.find(" > "));
    if (example.rfind("baton ", 0) != 0) continue;  // a shell's own words
    std::vector<std::string> words;
    bool quoted = false;
    std::string word;
    for (const char c : example.substr(6) + " ") {
      if (c == '"')
        quoted = !quoted;
      else if (c != ' ' || quoted)
        word += c;
      else
        words.push_back(std::exchange(word, ""));
    }
    EXPECT_TRUE(ParseCommandLine(words, "").options.has_value()) << example;
  }
}

}  // namespace
}  // namespace baton
