#include "common/protocol/supervisor_control.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

SupervisorReply MakeReply() {
  SupervisorReply reply;
  reply.ok = true;
  reply.running = true;
  reply.pid = 4711;
  reply.could_write = true;
  reply.verdict = "read-write";
  reply.last_exit = "exit status 1";
  reply.refused = "a=b";
  return reply;
}

TEST(SupervisorControlTest, VerbsSurviveTheWayThereAndBack) {
  for (const SupervisorVerb verb : {SupervisorVerb::kStatus, SupervisorVerb::kStart,
                                    SupervisorVerb::kStopClean, SupervisorVerb::kStopImmediate}) {
    EXPECT_EQ(*ParseSupervisorVerb(ToString(verb)), verb);
  }
  for (const char* line : {"", "stop", "START", "start ", "status\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSupervisorVerb(line).status())) << line;
  }
}

TEST(SupervisorControlTest, RepliesSurviveTheWayThereAndBack) {
  const absl::StatusOr<SupervisorReply> parsed =
      ParseSupervisorReply(FormatSupervisorReply(MakeReply()));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, MakeReply());
}

TEST(SupervisorControlTest, ReasonsLoseTheirLineBreaksAndTheirExcess) {
  SupervisorReply reply = MakeReply();
  reply.error = "one\ntwo\nok=1";
  reply.refused = std::string(100000, 'x');
  const absl::StatusOr<SupervisorReply> parsed = ParseSupervisorReply(FormatSupervisorReply(reply));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->error, "one two ok=1");
  EXPECT_EQ(parsed->refused.size(), 1024u);
}

TEST(SupervisorControlTest, RefusesRepliesCutShortAndGarbage) {
  const std::string text = FormatSupervisorReply(MakeReply());
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ParseSupervisorReply(text.substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(ParseSupervisorReply(std::string(1 << 20, 'x') + "end=1\n").ok());
  EXPECT_FALSE(ParseSupervisorReply("ok=2\nend=1\n").ok());
}

}  // namespace
}  // namespace baton
