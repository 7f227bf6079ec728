// Commands, from their arrival to their answer.
#include "gtest/gtest.h"

#include "agent/core/action_status.h"
#include "tests/unit/agent/agent_world.h"

namespace baton::agent {
namespace {

Outcome Cancelled() {
  Outcome outcome;
  outcome.code = OutcomeCode::kCancelled;
  outcome.message = "stopped after 3 of 7 files";
  return outcome;
}

TEST(CommandsTest, AcceptsDurablyThenTellsThenActsThenFinishesDurablyThenTells) {
  HostWorld world;
  world.BootAndWelcome();
  world.ledger.delay = absl::Milliseconds(5);
  world.Deliver(world.MakeCommand("c1"));
  EXPECT_TRUE(world.link.All<Accepted>().empty());
  EXPECT_FALSE(world.runners[kDatabase].running.has_value());
  world.loop.Advance(absl::Milliseconds(5));
  ASSERT_EQ(world.link.All<Accepted>().size(), 1u);
  ASSERT_TRUE(world.runners[kDatabase].running.has_value());

  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  EXPECT_FALSE(world.Told("c1").has_value());
  world.loop.Advance(absl::Milliseconds(5));
  EXPECT_TRUE(world.ledger.Find(CommandId("c1"))->outcome.has_value());
  EXPECT_EQ(world.Told("c1")->code, OutcomeCode::kOk);
}

TEST(CommandsTest, RefusesALowerEpochAlsoAfterARestart) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1", {1, 5}));
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  world.Deliver(world.MakeCommand("c2", {1, 4}, kChat));
  EXPECT_EQ(world.Told("c2")->reason, "EPOCH_TOO_LOW");
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c3", {1, 4}));
  EXPECT_EQ(world.Told("c3")->reason, "EPOCH_TOO_LOW");
  EXPECT_EQ(world.Told("c3")->code, OutcomeCode::kRefused);
  world.Deliver(world.MakeCommand("c4", {1, 5}));
  EXPECT_EQ(world.runners[kDatabase].starts[CommandId("c4")], 1);
}

TEST(CommandsTest, AnotherJournalIsRefusedUntilItAdoptsThePool) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1", {1, 5}));
  world.runners[kDatabase].Finish(OkOutcome());
  world.LoseLink();
  world.loop.Advance(absl::Seconds(1));
  world.WelcomeNow(JournalId("journal-2"));
  world.Deliver(world.MakeCommand("c2", {1, 6}));
  EXPECT_EQ(world.Told("c2")->reason, "JOURNAL_UNKNOWN");
  world.Deliver(world.MakeCommand("c3", {2, 1}));
  EXPECT_EQ(world.runners[kDatabase].starts[CommandId("c3")], 1);
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  // From now on the first journal is the strange one, also after a restart.
  world.BootAndWelcome(kJournal);
  world.Deliver(world.MakeCommand("c4", {2, 2}));
  EXPECT_EQ(world.Told("c4")->reason, "JOURNAL_UNKNOWN");
}

TEST(CommandsTest, RefusesWhatIsNotOnThisHost) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1", {1, 1}, ResourceId("nothing")));
  EXPECT_EQ(world.Told("c1")->reason, "RESOURCE_UNKNOWN");
  Command other = world.MakeCommand("c2");
  other.pool = PoolId("other.example.com");
  world.Deliver(other);
  EXPECT_EQ(world.Told("c2")->reason, "POOL_UNKNOWN");
  Command endless = world.MakeCommand("c3");
  endless.timeout = absl::ZeroDuration();
  world.Deliver(endless);
  EXPECT_EQ(world.Told("c3")->reason, "INVALID_COMMAND");
  EXPECT_TRUE(world.ledger.disk.commands.empty());
  EXPECT_TRUE(world.ledger.disk.epochs.empty());
}

TEST(CommandsTest, TakesOneCommandPerResourceAndOthersBeside) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(world.MakeCommand("c2"));
  world.Deliver(world.MakeCommand("c3", {1, 1}, kChat));
  EXPECT_EQ(world.Told("c2")->reason, "BUSY");
  EXPECT_TRUE(world.runners[kChat].running.has_value());
  // Refused is refused, even when the way is free: its sender was told so.
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  world.Deliver(world.MakeCommand("c2"));
  EXPECT_EQ(world.runners[kDatabase].starts.count(CommandId("c2")), 0u);
}

TEST(CommandsTest, TheSameIdReplaysItsOutcomeOrSaysThatItRuns) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(world.MakeCommand("c1"));
  ASSERT_EQ(world.link.All<CommandAnswer>().size(), 1u);
  EXPECT_EQ(world.link.All<CommandAnswer>()[0].state, AnswerState::kRunning);
  Outcome outcome = FailedOutcome("NOT_STOPPED", "it still runs");
  outcome.observation = Observation{};
  world.runners[kDatabase].Finish(outcome);
  world.loop.RunReady();
  EXPECT_TRUE(world.Told("c1")->observation.has_value());
  world.BootAndWelcome();
  world.link.sent.clear();
  world.Deliver(world.MakeCommand("c1"));
  EXPECT_EQ(world.Told("c1")->reason, "NOT_STOPPED");
  // What was seen then says nothing about now.
  EXPECT_FALSE(world.Told("c1")->observation.has_value());
  EXPECT_EQ(world.runners[kDatabase].starts[CommandId("c1")], 1);
}

TEST(CommandsTest, AnswersQueriesAboutEveryFate) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(QueryCommand{CommandId("c1")});
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(QueryCommand{CommandId("c1")});
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.RunReady();
  world.Deliver(QueryCommand{CommandId("c1")});
  const std::vector<CommandAnswer> answers = world.link.All<CommandAnswer>();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].state, AnswerState::kNotAccepted);
  EXPECT_EQ(answers[1].state, AnswerState::kRunning);
  EXPECT_EQ(answers[2].state, AnswerState::kFinished);
  EXPECT_TRUE(answers[2].outcome.ok());
}

TEST(CommandsTest, ACancelIsAcknowledgedWithWhatWasDone) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(CancelCommand{CommandId("c1")});
  ASSERT_EQ(world.runners[kDatabase].cancelled.size(), 1u);
  EXPECT_FALSE(world.Told("c1").has_value());
  world.runners[kDatabase].Finish(Cancelled());
  world.loop.RunReady();
  EXPECT_EQ(world.Told("c1")->message, "stopped after 3 of 7 files");
}

// Takes its steps one after the other, a second each, and looks up only between them.
class SlowRunner : public ActionRunner {
 public:
  explicit SlowRunner(VirtualLoop* loop) : loop_(loop) {}
  void Start(const Command& command, std::function<void(Progress)>,
             std::function<void(Outcome)> done) override {
    command_ = command;
    done_ = std::move(done);
    steps_.clear();
    cancelled_ = false;
    Step();
  }
  void Cancel(const CommandId& id) override { cancelled_ = cancelled_ || id == command_.id; }
  void Look(const Command&, std::function<void(Outcome)> done) override { done(Outcome()); }
  void Check(const Action&, std::function<void(Outcome)> done) override { done(OkOutcome()); }

 private:
  void Step() {
    if (cancelled_) {
      return done_(OutcomeOfError(command_.action, absl::CancelledError("cancelled"), steps_));
    }
    if (steps_.size() == 3) return done_(OkOutcome());
    loop_->After(absl::Seconds(1), [this] {
      steps_.push_back("step " + std::to_string(steps_.size() + 1));
      // The last one cannot be taken back.
      if (steps_.size() == 3) cancelled_ = false;
      Step();
    });
  }

  VirtualLoop* loop_;
  Command command_;
  std::function<void(Outcome)> done_;
  std::vector<std::string> steps_;
  bool cancelled_ = false;
};

// What a command's cancel, so long after its start, is answered with.
Outcome CancelledAfter(absl::Duration wait) {
  HostWorld world;
  SlowRunner slow(&world.loop);
  world.acting[kDatabase] = &slow;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.loop.Advance(wait);
  world.Deliver(CancelCommand{CommandId("c1")});
  world.loop.Advance(absl::Seconds(5));
  const std::optional<Outcome> told = world.Told("c1");
  EXPECT_TRUE(told.has_value());
  // Durable, and what is said when it is asked for again.
  world.link.sent.clear();
  world.Deliver(CancelCommand{CommandId("c1")});
  EXPECT_EQ(world.Told("c1"), told);
  return told.value_or(Outcome());
}

TEST(CancelTest, TellsWhatWasDoneAndWhatWasNot) {
  const Outcome early = CancelledAfter(absl::Milliseconds(100));
  EXPECT_EQ(early.code, OutcomeCode::kCancelled);
  EXPECT_EQ(early.reason, "CANCELLED");
  EXPECT_EQ(early.message,
            "EndConnections: cancelled; done: step 1; not done: what comes after that");
  const Outcome later = CancelledAfter(absl::Milliseconds(1100));
  EXPECT_NE(later.message.find("done: step 1, step 2; not done"), std::string::npos);
}

TEST(CancelTest, WhatWasDoneInFullSaysSo) {
  const Outcome late = CancelledAfter(absl::Milliseconds(2100));
  EXPECT_TRUE(late.ok());
  EXPECT_NE(late.message.find("in full before it could be stopped"), std::string::npos);
  EXPECT_TRUE(CancelledAfter(absl::Seconds(4)).ok());
}

TEST(CancelTest, WhatWasNeverAcceptedNeverActs) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(CancelCommand{CommandId("c1")});
  ASSERT_EQ(world.link.All<CommandAnswer>().size(), 1u);
  EXPECT_EQ(world.link.All<CommandAnswer>()[0].state, AnswerState::kNotAccepted);
  Command wrong = world.MakeCommand("c2");
  wrong.pool = PoolId("other.example.com");
  world.Deliver(wrong);
  world.Deliver(CancelCommand{CommandId("c2")});
  EXPECT_EQ(world.link.All<CommandAnswer>().back().state, AnswerState::kFinished);
  EXPECT_EQ(world.link.All<CommandAnswer>().back().outcome.reason, "POOL_UNKNOWN");
}

TEST(CancelTest, ARunnerThatTellsNothingIsNotTakenForOneThatDidNothing) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(CancelCommand{CommandId("c1")});
  Outcome silent;
  silent.code = OutcomeCode::kCancelled;
  world.runners[kDatabase].Finish(silent);
  world.loop.RunReady();
  EXPECT_NE(world.Told("c1")->message.find("not known"), std::string::npos);
}

TEST(CancelTest, ACancelOutlivesItsSession) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.Deliver(CancelCommand{CommandId("c1")});
  world.LoseLink();
  world.runners[kDatabase].Finish(Cancelled());
  world.loop.Advance(absl::Seconds(1));
  world.WelcomeNow();
  EXPECT_EQ(world.Told("c1")->code, OutcomeCode::kCancelled);
}

TEST(CommandsTest, TheDeadlineStopsTheRunnerAndSaysSo) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.loop.Advance(absl::Seconds(29));
  EXPECT_TRUE(world.runners[kDatabase].cancelled.empty());
  world.loop.Advance(absl::Seconds(1));
  ASSERT_EQ(world.runners[kDatabase].cancelled.size(), 1u);
  world.runners[kDatabase].Finish(Cancelled());
  world.loop.RunReady();
  EXPECT_EQ(world.Told("c1")->code, OutcomeCode::kCancelled);
  EXPECT_EQ(world.Told("c1")->reason, "DEADLINE_EXCEEDED");
  EXPECT_NE(world.Told("c1")->message.find("3 of 7"), std::string::npos);
}

TEST(CommandsTest, ADryRunOnlyChecks) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(DryRun{"d1", kDatabase, ShipTail{}});
  world.Deliver(DryRun{"d2", ResourceId("nothing"), ShipTail{}});
  ASSERT_EQ(world.link.All<DryRunResult>().size(), 2u);
  EXPECT_EQ(world.runners[kDatabase].checked, std::vector<std::string>{"ShipTail"});
  EXPECT_TRUE(world.runners[kDatabase].starts.empty());
  EXPECT_TRUE(world.ledger.disk.commands.empty());
  for (const DryRunResult& result : world.link.All<DryRunResult>()) {
    EXPECT_EQ(result.outcome.ok(), result.id == "d1");
  }
}

TEST(CommandsTest, ALedgerThatTakesNothingRefusesTheCommand) {
  HostWorld world;
  world.BootAndWelcome();
  world.ledger.failure = absl::ResourceExhaustedError("disk full");
  world.Deliver(world.MakeCommand("c1", {1, 7}));
  EXPECT_EQ(world.Told("c1")->reason, "LEDGER_FAILED");
  EXPECT_TRUE(world.runners[kDatabase].starts.empty());
  EXPECT_TRUE(world.core->state().EpochOf(kPool).none());
}

TEST(CommandsTest, AnOutcomeIsToldOnlyOnceTheLedgerHasTakenIt) {
  HostWorld world;
  world.BootAndWelcome();
  world.Deliver(world.MakeCommand("c1"));
  world.ledger.failure = absl::ResourceExhaustedError("disk full");
  world.runners[kDatabase].Finish(OkOutcome());
  world.loop.Advance(absl::Seconds(3));
  EXPECT_FALSE(world.Told("c1").has_value());
  world.Deliver(world.MakeCommand("c2"));
  EXPECT_EQ(world.Told("c2")->reason, "BUSY");
  world.ledger.failure = absl::OkStatus();
  world.loop.Advance(absl::Seconds(2));
  EXPECT_TRUE(world.Told("c1")->ok());
}

TEST(CommandsTest, KeepsNoMoreFinishedCommandsThanItMay) {
  HostWorld world;
  world.Boot();
  world.Deliver(Welcome{SessionId("s"), kJournal, absl::Minutes(1)});
  for (size_t i = 0; i < kFinishedCommandsMax + 50; ++i) {
    world.Deliver(world.MakeCommand("c" + std::to_string(i)));
    world.runners[kDatabase].Finish(OkOutcome());
    world.loop.RunReady();
  }
  EXPECT_EQ(world.core->state().commands.size(), kFinishedCommandsMax);
  world.loop.Advance(kFinishedKept + absl::Hours(1));
  EXPECT_TRUE(world.core->state().commands.empty());
}

TEST(CommandsTest, AFloodOfMessagesEndsTheSession) {
  HostWorld world;
  world.BootAndWelcome();
  world.ledger.delay = absl::Hours(1);
  const CoordinatorLink::Events stream = world.link.streams.back();
  for (int i = 0; i < 5000; ++i) stream.message(world.MakeCommand("c" + std::to_string(i)));
  world.loop.RunReady();
  world.loop.Advance(absl::Hours(1));
  EXPECT_EQ(world.core->state().link, LinkPhase::kDown);
}

}  // namespace
}  // namespace baton::agent
