// What a coordinator may send, damaged: read or refused, answered where an answer is due, and never
// the end of the agent.
#include <random>

#include "gtest/gtest.h"

#include "agent/transport/session_proto.h"
#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

v1::CoordinatorMessage RevokeFrame(const std::string& pool, const std::string& resource,
                                   uint64_t generation, uint64_t counter) {
  v1::CoordinatorMessage message;
  message.mutable_revoke()->set_pool(pool);
  message.mutable_revoke()->set_resource(resource);
  message.mutable_revoke()->mutable_epoch()->set_generation(generation);
  message.mutable_revoke()->mutable_epoch()->set_counter(counter);
  return message;
}

std::unique_ptr<HostWorld> Settled() {
  auto world = std::make_unique<HostWorld>();
  world->fences[kDatabase].file = OpenFence({1, 3});
  world->ledger.disk.fences.emplace_back(kDatabase, OpenFence({1, 3}));
  world->BootAndWelcome();
  return world;
}

TEST(FramesTest, EveryRevokeThatCanBeReadIsAnswered) {
  const std::string names[] = {"chat.example.com",    "mgc",     "prosody", "nothing", "..", "x y",
                               std::string(256, 'n'), "\xc3\xa9"};
  const uint64_t numbers[] = {0, 1, 2, 3, 5, uint64_t{1} << 32, UINT64_MAX};
  std::mt19937_64 dice(11);
  for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
    const std::unique_ptr<HostWorld> world = Settled();
    size_t due = 0;
    for (int n = 0; n < 4; ++n) {
      const auto read = FromProto(RevokeFrame(names[dice() % 8], names[dice() % 8],
                                              numbers[dice() % 7], numbers[dice() % 7]));
      if (!read.ok()) continue;
      ++due;
      world->Deliver(*read);
    }
    EXPECT_EQ(world->link.All<Revoked>().size(), due);
    EXPECT_EQ(world->core->state().link, LinkPhase::kWelcomed);
  }
}

TEST(FramesTest, DamagedFramesHarmNobody) {
  std::mt19937_64 dice(7);
  const std::string whole = RevokeFrame("chat.example.com", "mgc", 1, 5).SerializeAsString();
  int read = 0;
  std::unique_ptr<HostWorld> world = Settled();
  for (int i = 0; i < 20000; ++i) {
    std::string bytes =
        whole.substr(0, whole.size() - (dice() % 4 == 0 ? dice() % whole.size() : 0));
    for (uint64_t flips = dice() % 4; flips > 0 && !bytes.empty(); --flips) {
      bytes[dice() % bytes.size()] = static_cast<char>(dice() % 128);
    }
    v1::CoordinatorMessage message;
    if (!message.ParseFromString(bytes)) continue;
    const absl::StatusOr<FromCoordinator> understood = FromProto(message);
    if (!understood.ok()) continue;
    ++read;
    world->Deliver(*understood);
    const FencePhase phase = world->fences[kDatabase].file->phase;
    EXPECT_TRUE(phase == FencePhase::kOpen || phase == FencePhase::kClosing);
    if (phase == FencePhase::kClosing) world = Settled();
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace baton::agent
