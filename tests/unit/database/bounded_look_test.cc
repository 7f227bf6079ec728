#include "agent/database/bounded_look.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"

#include "agent/database/interrupt.h"
#include "common/runtime/system_clock.h"

namespace baton::postgresql {
namespace {

TEST(BoundedLookTest, EachLookBeginsAfterTheQuestion) {
  SystemClock clock;
  std::atomic<int> world{1};
  const auto look = BoundedLook<int>::Make(&clock, [&world] { return world.load(); });
  EXPECT_EQ(look->Look(absl::Seconds(30)), 1);
  world = 2;
  EXPECT_EQ(look->Look(absl::Seconds(30)), 2);
  EXPECT_TRUE(look->End(absl::Seconds(30)));
}

TEST(BoundedLookTest, AHangingLookGivesNothingAndItsLateResultIsNotTakenForALaterOne) {
  SystemClock clock;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> runs{0};
  const auto look = BoundedLook<int>::Make(&clock, [&] {
    const int run = ++runs;
    if (run == 1) released.wait();
    return run;
  });
  EXPECT_EQ(look->Look(absl::Milliseconds(20)), std::nullopt);
  EXPECT_EQ(look->Look(absl::Milliseconds(20)), std::nullopt);
  EXPECT_FALSE(look->End(absl::ZeroDuration()));
  release.set_value();
  EXPECT_TRUE(look->End(absl::Seconds(30)));
}

TEST(BoundedLookTest, GoesOnOnceTheHangIsOver) {
  SystemClock clock;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> runs{0};
  const auto look = BoundedLook<int>::Make(&clock, [&] {
    const int run = ++runs;
    if (run == 1) released.wait();
    return run;
  });
  EXPECT_EQ(look->Look(absl::Milliseconds(20)), std::nullopt);
  release.set_value();
  EXPECT_EQ(look->Look(absl::Seconds(30)), 2);
  EXPECT_TRUE(look->End(absl::Seconds(30)));
}

TEST(InterruptTest, EndsWaitsUntilItIsCleared) {
  Interrupt interrupt;
  EXPECT_TRUE(interrupt.Wait(absl::Milliseconds(1)).ok());
  interrupt.Raise();
  EXPECT_TRUE(absl::IsCancelled(interrupt.Wait(absl::Hours(1))));
  interrupt.Clear();
  EXPECT_TRUE(interrupt.Wait(absl::Milliseconds(1)).ok());
}

}  // namespace
}  // namespace baton::postgresql
