#include "coordinator/cli/completion.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/os/process.h"
#include "coordinator/cli/command_line.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

// What bash offers after `words`, the last of which is being typed.
std::string BashOffers(const std::vector<std::string>& words) {
  RunOptions options;
  options.argv = {"/bin/bash", "--norc"};
  options.input = CompletionScript("bash", CommandTree()).value() + "COMP_WORDS=(baton";
  for (const std::string& word : words) options.input += " '" + word + "'";
  options.input +=
      ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n_baton\necho \"${COMPREPLY[*]}\"\n";
  const absl::StatusOr<RunResult> result = Run(options);
  EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->error, "");
  return result->output;
}

TEST(CompletionTest, BashOffersVerbs) {
  EXPECT_EQ(BashOffers({"sw"}), "switchover\n");
  EXPECT_EQ(BashOffers({"topology", "v"}), "validate\n");
  EXPECT_EQ(BashOffers({"completion", ""}).substr(0, 2), "--");
  EXPECT_THAT(BashOffers({"completion", "z"}), HasSubstr("zsh"));
}

TEST(CompletionTest, BashOffersFlagsOfTheVerbAndOfTheProgram) {
  EXPECT_EQ(BashOffers({"switchover", "--dr"}), "--dry-run\n");
  EXPECT_EQ(BashOffers({"switchover", "--time"}), "--timeout\n");
  EXPECT_EQ(BashOffers({"status", "--dr"}), "\n");
  EXPECT_EQ(BashOffers({"failover", "p", "--lost-host", "h", "--lo"}), "--lost-host --lost-site\n");
  EXPECT_EQ(BashOffers({"adopt", "p", "--lo"}), "--lost-host\n");
  EXPECT_EQ(BashOffers({"skip", "7f3a91", "--st"}), "--step\n");
  EXPECT_EQ(BashOffers({"quarantine", "re"}), "remove\n");
}

TEST(CompletionTest, BashOffersValuesOfFlags) {
  EXPECT_EQ(BashOffers({"status", "-o", "j"}), "json\n");
  EXPECT_THAT(BashOffers({"failover", "p", "--override-rule", ""}), HasSubstr("UNPROTECTED"));
  // A flag's value is not taken for a verb.
  EXPECT_EQ(BashOffers({"--coordinator", "plan", "sw"}), "switchover\n");
}

TEST(CompletionTest, EveryShellKnowsEveryVerbAndFlag) {
  const CommandInfo root = CommandTree();
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string script = CompletionScript(shell, root).value();
    for (const CommandInfo& command : root.commands) {
      EXPECT_THAT(script, HasSubstr(command.name)) << shell;
      for (const FlagInfo& flag : command.flags) {
        const std::string& name = flag.names.back();
        EXPECT_THAT(script, HasSubstr(name.substr(name.find_first_not_of('-')))) << shell;
      }
    }
  }
}

TEST(CompletionTest, RefusesOtherShells) {
  EXPECT_EQ(CompletionScript("tcsh", CommandTree()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace baton
