#include "common/runtime/event_loop.h"

#include <vector>

#include "gtest/gtest.h"

#include "common/runtime/system_clock.h"

namespace baton {
namespace {

// Runs `loop` on this thread until something stops it.
class EventLoopTest : public testing::Test {
 protected:
  SystemClock clock_;
  EventLoop loop_{clock_};
  std::vector<int> ran_;
};

TEST_F(EventLoopTest, RunsPostsInOrder) {
  for (int i = 0; i < 3; ++i) {
    loop_.Post([this, i] { ran_.push_back(i); });
  }
  loop_.Post([this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(ran_, (std::vector<int>{0, 1, 2}));
}

TEST_F(EventLoopTest, RunsTimersByDueTimeThenByAge) {
  loop_.After(absl::Milliseconds(3), [this] { loop_.Stop(); });
  loop_.After(absl::Milliseconds(2), [this] { ran_.push_back(2); });
  loop_.After(absl::Milliseconds(1), [this] { ran_.push_back(1); });
  loop_.After(absl::ZeroDuration(), [this] { ran_.push_back(0); });
  loop_.Run();
  EXPECT_EQ(ran_, (std::vector<int>{0, 1, 2}));
}

TEST_F(EventLoopTest, NeverRunsACancelledTimer) {
  const TimerId id = loop_.After(absl::Milliseconds(1), [this] { ran_.push_back(1); });
  loop_.Cancel(id);
  loop_.Cancel(id + 100);
  loop_.After(absl::Milliseconds(2), [this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_TRUE(ran_.empty());
}

TEST_F(EventLoopTest, APostFromAnotherThreadWakesIt) {
  std::thread other([this] { loop_.Post([this] { loop_.Stop(); }); });
  loop_.Run();
  other.join();
}

TEST_F(EventLoopTest, DueTimersAreNotStarvedByPosts) {
  std::function<void()> again = [&] { loop_.Post(again); };
  loop_.After(absl::Milliseconds(1), [this] { loop_.Stop(); });
  again();
  loop_.Run();
}

}  // namespace
}  // namespace baton
