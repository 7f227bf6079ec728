#include "common/protocol/fence_state.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

const FencePhase kPhases[] = {FencePhase::kOpen, FencePhase::kUnconfirmed, FencePhase::kClosing,
                              FencePhase::kClosed};

Lineage MakeLineage(uint64_t counter, const char* host) {
  Lineage lineage;
  lineage.system_id = "7389112233445566778";
  lineage.epoch = {1, counter};
  lineage.instance = HostId(host);
  lineage.share = ShareId("home-share");
  return lineage;
}

FenceRecord MakeRecord() {
  FenceRecord record;
  record.pool = PoolId("chat.example.com");
  record.resource = ResourceId("mgc");
  record.phase = FencePhase::kOpen;
  record.fence_epoch = {3, 17};
  record.write = MakeLineage(17, "home-sql1");
  record.fetch = {MakeLineage(15, "dr-sql1"), MakeLineage(16, "home-sql1")};
  record.fetch[0].sealed = LogPosition{2, 0x3000060};
  record.ledger = LedgerId("ledger-1");
  record.confirmed_boot = BootId("boot-1");
  return record;
}

TEST(FenceRecordTest, SurvivesTheWayToTextAndBack) {
  const FenceRecord record = MakeRecord();
  const absl::StatusOr<FenceRecord> parsed = ParseFenceRecord(FormatFenceRecord(record));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, record);
}

TEST(FenceRecordTest, KeepsEmptyAndStrangeNames) {
  for (const std::string& name :
       std::vector<std::string>{"", "-", "%", "a b", "line\nbreak", "key = value", "..", "ü/\\",
                                std::string("\0x", 2), std::string(3000, 'x')}) {
    FenceRecord record;
    record.pool = PoolId(name);
    record.resource = ResourceId(name);
    record.ledger = LedgerId(name);
    record.confirmed_boot = BootId(name);
    record.write = Lineage{name, {}, HostId(name), ShareId(name), std::nullopt};
    record.fetch = {*record.write};
    const absl::StatusOr<FenceRecord> parsed = ParseFenceRecord(FormatFenceRecord(record));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, record);
  }
}

TEST(FenceRecordTest, RefusesTextCutShortAtAnyByte) {
  const std::string text = FormatFenceRecord(MakeRecord());
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_TRUE(absl::IsDataLoss(ParseFenceRecord(text.substr(0, length)).status())) << length;
  }
}

TEST(FenceRecordTest, RefusesAnyFlippedBit) {
  const std::string text = FormatFenceRecord(MakeRecord());
  for (size_t i = 0; i < text.size() * 8; ++i) {
    std::string altered = text;
    altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << (i % 8)));
    EXPECT_TRUE(absl::IsDataLoss(ParseFenceRecord(altered).status())) << i;
  }
}

TEST(FenceRecordTest, RefusesWhatStandsBeforeOrBehind) {
  const std::string text = FormatFenceRecord(MakeRecord());
  for (const std::string& altered : {text + "\n", "\n" + text, text + text, text + " "}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseFenceRecord(altered).status()));
  }
}

TEST(FenceRecordTest, RefusesGarbageAndHugeInput) {
  for (const std::string& text :
       std::vector<std::string>{"", "\n", "phase = open\n", std::string(64, '\0'),
                                std::string(50 << 20, 'x'), "checksum = 00000000\n"}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseFenceRecord(text).status()));
  }
}

TEST(LineageDirectoryTest, NamesPoolResourceSystemEpochAndInstance) {
  EXPECT_EQ(
      LineageDirectory(PoolId("chat.example.com"), ResourceId("mgc"), MakeLineage(17, "home-sql1")),
      "chat.example.com/mgc/7389112233445566778/1.17-home-sql1");
}

TEST(LineageDirectoryTest, StaysBelowItsRootWhateverTheNames) {
  const Lineage lineage{"../..", {1, 2}, HostId("../../etc"), ShareId("s"), std::nullopt};
  const std::string path = LineageDirectory(PoolId(".."), ResourceId("a/../b"), lineage);
  EXPECT_EQ(path.find("/.."), std::string::npos) << path;
  EXPECT_NE(path.substr(0, 1), ".") << path;
  EXPECT_EQ(std::count(path.begin(), path.end(), '/'), 3) << path;
}

TEST(EffectivePhaseTest, TakesOpenOfAnotherBootAsUnconfirmed) {
  FenceRecord record = MakeRecord();
  EXPECT_EQ(EffectivePhase(record, BootId("boot-1")), FencePhase::kOpen);
  EXPECT_EQ(EffectivePhase(record, BootId("boot-2")), FencePhase::kUnconfirmed);
  record.confirmed_boot = BootId();
  EXPECT_EQ(EffectivePhase(record, BootId()), FencePhase::kUnconfirmed);
}

// What the gate must say, worked out by hand from protocol.md rather than from the code.
GateVerdict Expected(const GateFacts& facts) {
  if (!facts.data_directory_whole) return GateVerdict::kRefuse;
  const bool open = facts.fence.has_value() && facts.fence->phase == FencePhase::kOpen &&
                    facts.fence->confirmed_boot == facts.boot;
  if (!facts.is_database) return open ? GateVerdict::kReadWrite : GateVerdict::kRefuse;
  if (facts.recovery_signal) return GateVerdict::kRefuse;
  if (facts.standby_signal) return GateVerdict::kStandby;
  return open ? GateVerdict::kReadWrite : GateVerdict::kRefuse;
}

TEST(GateTest, FollowsTheTableOverAllPhasesBootsAndSignals) {
  std::vector<std::optional<FenceRecord>> fences = {std::nullopt};
  for (const FencePhase phase : kPhases) {
    FenceRecord record = MakeRecord();
    record.phase = phase;
    fences.push_back(record);
  }
  int read_write = 0;
  for (const auto& fence : fences) {
    for (unsigned bits = 0; bits < 32; ++bits) {
      GateFacts facts;
      facts.fence = fence;
      facts.boot = BootId((bits & 1) != 0 ? "boot-1" : "boot-2");
      facts.is_database = (bits & 2) != 0;
      facts.data_directory_whole = (bits & 4) != 0;
      facts.standby_signal = (bits & 8) != 0;
      facts.recovery_signal = (bits & 16) != 0;
      const GateDecision decision = JudgeGate(facts);
      EXPECT_EQ(decision.verdict, Expected(facts)) << bits << " " << decision.reason;
      EXPECT_FALSE(decision.reason.empty());
      if (decision.verdict == GateVerdict::kReadWrite) ++read_write;
    }
  }
  EXPECT_EQ(read_write, 5);  // a database without signals; a chat server, whatever lies about
}

TEST(GateTest, RefusesOpenFenceOfAnotherBoot) {
  GateFacts facts;
  facts.fence = MakeRecord();
  facts.boot = BootId("boot-2");
  facts.is_database = true;
  const GateDecision decision = JudgeGate(facts);
  EXPECT_EQ(decision.verdict, GateVerdict::kRefuse);
  EXPECT_THAT(decision.reason, HasSubstr("not confirmed in this boot"));
}

TEST(GateTest, RefusesToStartWritableWhatWasInRecovery) {
  GateFacts facts;
  facts.fence = MakeRecord();
  facts.boot = BootId("boot-1");
  facts.is_database = true;
  EXPECT_EQ(JudgeGate(facts).verdict, GateVerdict::kReadWrite);
  facts.was_in_recovery = true;
  const GateDecision decision = JudgeGate(facts);
  EXPECT_EQ(decision.verdict, GateVerdict::kRefuse);
  EXPECT_THAT(decision.reason, HasSubstr("standby.signal"));
  facts.standby_signal = true;
  EXPECT_EQ(JudgeGate(facts).verdict, GateVerdict::kStandby);
}

TEST(GateTest, RefusesDatabaseWithoutALineageToWrite) {
  GateFacts facts;
  facts.fence = MakeRecord();
  facts.fence->write.reset();
  facts.boot = BootId("boot-1");
  facts.is_database = true;
  EXPECT_EQ(JudgeGate(facts).verdict, GateVerdict::kRefuse);
}

}  // namespace
}  // namespace baton
