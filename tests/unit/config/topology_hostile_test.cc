// Texts that nobody means well with: never a crash, never a hang, always a sentence.
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "coordinator/config/topology_config.h"
#include "tests/unit/config/topology_text.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

std::string Repeated(const std::string& text, size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(TopologyHostileTest, RefusesTextsThatAreTooLong) {
  EXPECT_THAT(Complaint(std::string((1 << 20) + 1, ' ')),
              HasSubstr("found 1048577 bytes, wanted at most 1048576"));
}

TEST(TopologyHostileTest, RefusesDepthBeforeItCostsStack) {
  for (const std::string opening : {"[", "{a: ", "[a: ", "{? ", "- ", "? "}) {
    const std::string complaint = Complaint(Repeated(opening, (1 << 20) / opening.size()));
    EXPECT_NE(complaint, "") << opening;
  }
  EXPECT_THAT(Complaint(Repeated("[", 1000)), HasSubstr("found more than 16 levels"));
}

TEST(TopologyHostileTest, RefusesAnchorsAndAliases) {
  EXPECT_THAT(Complaint("a: &x [1, 2]\nb: *x\n"), HasSubstr("an anchor (&) or alias (*)"));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string last = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + last + ", *a" + last +
            "]\n";
  }
  EXPECT_THAT(Complaint(bomb), HasSubstr("an anchor (&) or alias (*)"));
}

TEST(TopologyHostileTest, RefusesTagsSecondDocumentsAndOddKeys) {
  EXPECT_THAT(Complaint("sites: !!binary aGk=\n"), HasSubstr("found the tag"));
  EXPECT_THAT(Complaint(SampleTopology() + "---\nsites: {}\n"), HasSubstr("a second document"));
  EXPECT_THAT(Complaint("{[a, b]: c}\n"), HasSubstr("this key: found a list"));
}

TEST(TopologyHostileTest, RefusesMoreValuesThanAnyInstallationHas) {
  EXPECT_THAT(Complaint("[" + Repeated("x,", 400'000) + "x]"),
              HasSubstr("found more than 100000 values"));
}

TEST(TopologyHostileTest, RefusesControlBytes) {
  EXPECT_THAT(Complaint(std::string("sites:\n  \0: {}\n", 15)),
              HasSubstr("t.yaml:2: this line: found the byte 0x00"));
  EXPECT_THAT(Complaint("\xff\xfes\0i\0"), HasSubstr("found the byte 0xff"));
}

TEST(TopologyHostileTest, KeepsMessagesOnTheirLine) {
  const std::string complaint = Complaint(Edited({{"home: hq", "home: \"h\\nq\\x1b[2J\""}}));
  EXPECT_THAT(complaint, HasSubstr("'h?q?[2J'"));
}

TEST(TopologyHostileTest, TellsAtMostAHundredProblems) {
  std::string text = "sites:\n";
  for (int i = 0; i < 500; ++i) text += "  s" + std::to_string(i) + ": {x: 1}\n";
  EXPECT_THAT(Complaint(text), HasSubstr("t.yaml: and 40"));
}

TEST(TopologyHostileTest, SurvivesEveryTruncation) {
  const std::string sample = SampleTopology();
  for (size_t length = 0; length < sample.size(); length += 7) {
    Complaint(sample.substr(0, length));
  }
}

TEST(TopologyHostileTest, SurvivesMutations) {
  const std::string sample = SampleTopology();
  const std::string special = "{}[]:-?,&*!|>'\"%@`#\n\t \\~<=";
  std::mt19937 dice(20130611);  // NOLINT: the same on every run, on purpose
  for (int round = 0; round < 1500; ++round) {
    std::string text = sample;
    const int edits = 1 + static_cast<int>(dice() % 8);
    for (int i = 0; i < edits && !text.empty(); ++i) {
      const size_t at = dice() % text.size();
      switch (dice() % 5) {
        case 0:
          text[at] = static_cast<char>(dice() % 256);
          break;
        case 1:
          text.insert(at, 1, special[dice() % special.size()]);
          break;
        case 2:
          text.erase(at, dice() % 40);
          break;
        case 3:
          text.insert(at, text.substr(dice() % text.size(), dice() % 80));
          break;
        case 4:
          text[at] = special[dice() % special.size()];
          break;
      }
    }
    const absl::StatusOr<Topology> topology = Parse(text);
    if (!topology.ok()) {
      EXPECT_EQ(topology.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_NE(topology.status().message(), "");
    }
  }
}

}  // namespace
}  // namespace baton
