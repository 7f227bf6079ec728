#include "agent/database/log_chain.h"

#include "gtest/gtest.h"

namespace baton::postgresql {
namespace {

constexpr uint64_t kMegabyte = uint64_t{1} << 20;

TEST(LogChainTest, EndsWhereTheFirstFileIsMissing) {
  const LogPosition from{1, 3 * kMegabyte + 100};
  EXPECT_EQ(FollowChain(from, {}, kMegabyte).end, (LogPosition{1, 3 * kMegabyte - 1}));
  const LogChain chain = FollowChain(from, {{{0, 1, 1, 5}, {0, 1, 7, 9}}, {}}, kMegabyte);
  EXPECT_EQ(chain.end, (LogPosition{1, 6 * kMegabyte - 1}));
  EXPECT_EQ(chain.gap, "000000010000000000000006");
  EXPECT_EQ(FollowChain(from, {{{0, 1, 1, 5}, {1, 1, 6, 9}}, {}}, kMegabyte).gap, "");
}

TEST(LogChainTest, GoesOnInATimelineThatBeginsLater) {
  const LogPosition from{1, 3 * kMegabyte + 100};
  const ArchivedLog::Fork fork{1, 2, 4 * kMegabyte + 7};
  const LogChain chain = FollowChain(from, {{{0, 1, 1, 4}, {1, 2, 4, 6}}, {fork}}, kMegabyte);
  EXPECT_EQ(chain.end, (LogPosition{2, 7 * kMegabyte - 1}));
  EXPECT_EQ(chain.gap, "");
  // Its first file holds the log from the fork on: the parent's does not do.
  const LogChain cut = FollowChain(from, {{{0, 1, 1, 9}, {1, 2, 5, 6}}, {fork}}, kMegabyte);
  EXPECT_EQ(cut.end, (LogPosition{2, 4 * kMegabyte - 1}));
  EXPECT_EQ(cut.gap, "000000020000000000000004");
  // Only its history came.
  const LogChain begun = FollowChain(from, {{{0, 1, 1, 4}}, {fork}}, kMegabyte);
  EXPECT_EQ(begun.end, (LogPosition{2, 4 * kMegabyte - 1}));
}

TEST(LogChainTest, LeavesOutATimelineThatLeftBeforeOrIsNotKnown) {
  const LogPosition from{1, 3 * kMegabyte + 100};
  const ArchivedLog::Fork past{1, 2, 2 * kMegabyte};
  EXPECT_EQ(FollowChain(from, {{{0, 1, 1, 3}, {1, 2, 2, 9}}, {past}}, kMegabyte).end,
            (LogPosition{1, 4 * kMegabyte - 1}));
  EXPECT_EQ(FollowChain(from, {{{0, 1, 1, 3}, {1, 2, 3, 9}}, {}}, kMegabyte).gap,
            "00000002.history");
}

TEST(LogChainTest, CountsTheFileThatIsReplayedAsApplied) {
  const LogPosition from{1, 3 * kMegabyte + 100};
  EXPECT_EQ(BytesBeyond(from, {{1, 4 * kMegabyte - 1}, ""}, kMegabyte), 0u);
  EXPECT_EQ(BytesBeyond(from, {{1, 3 * kMegabyte - 1}, ""}, kMegabyte), 0u);
  EXPECT_EQ(BytesBeyond(from, {{1, 6 * kMegabyte - 1}, ""}, kMegabyte), 3 * kMegabyte - 100);
}

}  // namespace
}  // namespace baton::postgresql
