#include "agent/chat/turn.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"

#include "tests/unit/chat/fake_host.h"

namespace baton::chat {
namespace {

bool Never() { return false; }

TEST(TurnTest, IsHeldByOneUntilGivenBack) {
  Turn turn;
  test::HastyClock clock;
  ASSERT_TRUE(turn.Take(clock, absl::InfiniteDuration(), Never));
  EXPECT_FALSE(turn.Take(clock, absl::ZeroDuration(), Never)) << "its time is over";
  EXPECT_FALSE(turn.Take(clock, absl::InfiniteDuration(), [] { return true; })) << "not wanted";
  std::atomic<bool> taken{false};
  test::HastyClock other_clock;
  std::thread other([&] { taken = turn.Take(other_clock, absl::InfiniteDuration(), Never); });
  turn.GiveBack();
  other.join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace baton::chat
