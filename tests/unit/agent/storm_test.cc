// Commands doubled, reordered and sent anew, sessions and agents lost at random moments: whatever
// comes, the same id never acts twice, epochs never fall, and nothing is told before it is durable.
// The runner and the ledger of the world check the order of Accepted and acting.
#include <random>

#include "gtest/gtest.h"

#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

class Storm {
 public:
  explicit Storm(uint64_t seed) : dice_(seed) {
    world_.fences[kDatabase].file = OpenFence({1, 1});
    world_.ledger.disk.fences.emplace_back(kDatabase, OpenFence({1, 1}));
  }
  int revoked() const { return revoked_; }

  void Run(int steps) {
    world_.Boot();
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      Step();
      world_.loop.RunReady();
      Check();
    }
    Settle();
  }

 private:
  int Roll(int sides) { return static_cast<int>(dice_() % static_cast<uint64_t>(sides)); }

  void Step() {
    switch (Roll(17)) {
      case 0:
        return world_.Boot();
      case 1:
        if (world_.link.open) world_.link.streams.back().closed(absl::UnavailableError("cut"));
        return;
      case 2:
        world_.ledger.delay = absl::Milliseconds(Roll(3));
        world_.ledger.failure =
            Roll(8) == 0 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
        return;
      case 3:
        DisturbFences();
        return world_.loop.Advance(absl::Milliseconds(Roll(4000)));
      case 4:
        return Anything(Welcome{SessionId("s"), kJournal, absl::Seconds(1)});
      case 5:
        return Anything(CancelCommand{SomeId()});
      case 6:
        return Anything(QueryCommand{SomeId()});
      case 7:
      case 8:
        return FinishOne();
      case 9:
        return world_.loop.Advance(absl::Milliseconds(Roll(5)));
      case 14:
        // As a coordinator does: right after Welcome.
        Anything(Welcome{SessionId("s"), kJournal, absl::Seconds(1)});
        return Anything(Revoke{kPool, SomeResource(), SomeEpoch()});
      case 15:
        return Anything(Confirm{kPool, SomeResource(), SomeEpoch(), kBoot});
      case 16:
        return DisturbFences();
      default:
        return SendOne();
    }
  }

  // To the newest stream, or to any that ever was.
  void Anything(const FromCoordinator& message) {
    if (world_.link.streams.empty()) return;
    const size_t newest = world_.link.streams.size() - 1;
    const size_t stream = Roll(5) == 0 ? dice_() % (newest + 1) : newest;
    world_.link.streams[stream].message(message);
  }

  CommandId SomeId() { return CommandId("c" + std::to_string(Roll(made_ + 1))); }

  ResourceId SomeResource() { return Roll(2) == 0 ? kDatabase : kChat; }

  // Mostly one that nothing has seen yet, now and then one that is outdated.
  Epoch SomeEpoch() {
    if (Roll(3) > 0) epoch_ = epoch_.Next();
    Epoch epoch = epoch_;
    if (Roll(4) == 0 && epoch.counter > 2) epoch.counter -= 2;
    return epoch;
  }

  // What waits at a fence file goes on, or the file is given a right by a runner, or hangs.
  void DisturbFences() {
    FakeFenceFile& fence = world_.fences[SomeResource()];
    std::vector<std::function<void()>> waiting = std::move(fence.waiting);
    fence.waiting.clear();
    for (const auto& work : waiting) work();
    Enforced(fence, Roll(2) == 0 ? absl::OkStatus() : absl::DeadlineExceededError("runs on"));
    FenceSummary& seen = world_.probes[kDatabase].seen.fence;
    seen.phase = FencePhase::kClosing;
    seen.write_epoch = Roll(2) == 0 ? epoch_ : Epoch();
    seen.proven = Roll(2) == 0;
    fence.hangs = Roll(12) == 0;
    fence.writes_hang = Roll(8) == 0;
    fence.failure = Roll(8) == 0 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
  }

  static void Enforced(FakeFenceFile& fence, const absl::Status& status) {
    std::vector<std::function<void(absl::Status)>> enforcing = std::move(fence.enforcing);
    fence.enforcing.clear();
    for (const auto& done : enforcing) done(status);
  }

  void SendOne() {
    if (Roll(3) == 0) epoch_ = epoch_.Next();
    const bool again = made_ > 0 && Roll(3) == 0;
    const int number = again ? Roll(made_) : made_++;
    Epoch epoch = epoch_;
    if (Roll(5) == 0 && epoch.counter > 1) --epoch.counter;
    const ResourceId resource = number % 2 == 0 ? kDatabase : kChat;
    const Command command = world_.MakeCommand("c" + std::to_string(number), epoch, resource);
    for (int copies = 1 + Roll(2); copies > 0; --copies) Anything(command);
  }

  void FinishOne() {
    FakeRunner& runner = world_.runners[Roll(2) == 0 ? kDatabase : kChat];
    if (runner.running.has_value()) {
      runner.Finish(Roll(2) == 0 ? OkOutcome() : FailedOutcome("NO", "no"));
    }
  }

  // A fence never loosens by itself in a storm of revokes, and is in the ledger before the file.
  void CheckFences() {
    for (auto& [id, fence] : world_.fences) {
      if (!fence.file.has_value()) continue;
      const FenceRecord& file = *fence.file;
      EXPECT_GE(file.fence_epoch, fence_epochs_[id]);
      fence_epochs_[id] = file.fence_epoch;
      for (const auto& [entered, record] : world_.ledger.disk.fences) {
        if (entered == id) {
          EXPECT_GE(record.fence_epoch, file.fence_epoch);
        }
      }
    }
  }

  void CheckRevoked(const Revoked& revoked) {
    if (!revoked.outcome.ok()) return;
    ++revoked_;
    const std::optional<FenceRecord>& file = world_.fences[revoked.resource].file;
    ASSERT_TRUE(file.has_value());
    EXPECT_GE(file->fence_epoch, revoked.epoch);
    EXPECT_GE(file->phase, FencePhase::kClosing);
    EXPECT_GE(world_.ledger.EpochOf(kPool), revoked.epoch);
  }

  void Check() {
    const Epoch durable = world_.ledger.EpochOf(kPool);
    EXPECT_GE(durable, highest_);
    highest_ = durable;
    CheckFences();
    for (; told_ < world_.link.sent.size(); ++told_) {
      const auto* accepted = std::get_if<Accepted>(&world_.link.sent[told_]);
      if (accepted != nullptr) {
        EXPECT_NE(world_.ledger.Find(accepted->command), nullptr);
      }
      if (const auto* revoked = std::get_if<Revoked>(&world_.link.sent[told_])) {
        CheckRevoked(*revoked);
      }
      const auto* finished = std::get_if<Finished>(&world_.link.sent[told_]);
      if (finished == nullptr || finished->outcome.code == OutcomeCode::kRefused) continue;
      const LedgerCommand* entry = world_.ledger.Find(finished->command);
      ASSERT_NE(entry, nullptr);
      ASSERT_TRUE(entry->outcome.has_value()) << "told before it was durable";
      EXPECT_EQ(entry->outcome->code, finished->outcome.code);
    }
  }

  // Left alone, the agent comes to rest: everything Accepted is Finished, and a session is open.
  void Settle() {
    world_.ledger.failure = absl::OkStatus();
    world_.ledger.delay = absl::ZeroDuration();
    world_.probes[kDatabase].seen.fence.proven = true;
    for (int i = 0; i < 3; ++i) {
      for (auto& [id, fence] : world_.fences) {
        Enforced(fence, absl::OkStatus());
        fence.failure = absl::OkStatus();
        fence.hangs = fence.writes_hang = false;
        std::vector<std::function<void()>> waiting = std::move(fence.waiting);
        fence.waiting.clear();
        for (const auto& work : waiting) work();
      }
      for (auto& [id, runner] : world_.runners) {
        if (runner.running.has_value()) runner.Finish(OkOutcome());
      }
      world_.loop.Advance(absl::Seconds(10));
    }
    if (world_.core->state().link == LinkPhase::kOpening) world_.WelcomeNow();
    world_.loop.Advance(absl::Seconds(2));
    EXPECT_EQ(world_.core->state().link, LinkPhase::kWelcomed);
    for (const LedgerCommand& entry : world_.ledger.disk.commands) {
      EXPECT_TRUE(entry.outcome.has_value()) << entry.command.id;
    }
    for (const auto& [id, resource] : world_.core->state().resources) {
      EXPECT_FALSE(resource.AwaitsFence() || resource.deferred) << id;
    }
  }

  std::mt19937_64 dice_;
  HostWorld world_;
  Epoch epoch_ = {1, 1};
  Epoch highest_;
  std::map<ResourceId, Epoch> fence_epochs_;
  int made_ = 0;
  size_t told_ = 0;
  int revoked_ = 0;
};

TEST(StormTest, KeepsItsRulesWhateverComes) {
  int revoked = 0;
  for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Storm storm(seed);
    storm.Run(600);
    revoked += storm.revoked();
  }
  EXPECT_GT(revoked, 100);
}

}  // namespace
}  // namespace baton::agent
