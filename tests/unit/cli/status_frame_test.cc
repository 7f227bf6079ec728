#include "coordinator/cli/status_frame.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusFrameTest, DrawsOverWhatIsThereAndIsNeverBlank) {
  const std::string frame = StatusFrame("one\ntwo\n", {80, 24});
  EXPECT_EQ(frame, "\x1b[Hone\x1b[K\ntwo\x1b[K\n\x1b[J");
  EXPECT_THAT(frame, Not(HasSubstr("\x1b[2J")));
}

TEST(StatusFrameTest, LeavesAFullLineAlone) {
  EXPECT_EQ(StatusFrame("12345\n6\n", {5, 24}), "\x1b[H12345\n6\x1b[K\n\x1b[J");
}

TEST(StatusFrameTest, TellsWhatDoesNotFit) {
  EXPECT_EQ(StatusFrame("1\n2\n3\n4\n5\n", {80, 4}),
            "\x1b[H1\x1b[K\n2\x1b[K\n(3 lines more in a taller window)\x1b[K\n\x1b[J");
  // A line that wraps takes two rows of the three.
  EXPECT_EQ(StatusFrame("1234567890123456789012345678901234567890123\n2\n3\n4\n", {40, 5}),
            "\x1b[H1234567890123456789012345678901234567890123\x1b[K\n2\x1b[K\n"
            "(2 lines more in a taller window)\x1b[K\n\x1b[J");
}

}  // namespace
}  // namespace baton
