#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <random>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

#include "agent/ledger/sqlite_ledger.h"
#include "common/os/file.h"
#include "tests/unit/agent/virtual_loop.h"

namespace baton {
namespace {

const PoolId kPool("chat.example.com");

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    char name[] = "/tmp/baton-ledger-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/ledger.db";
  }
  ~LedgerTest() override {
    for (const std::string& file : Files()) unlink((folder_ + "/" + file).c_str());
    rmdir(folder_.c_str());
  }

  std::vector<std::string> Files() const { return ListDirectory(folder_, 10000).value(); }
  SqliteLedger::Opened Open(const std::string& host = "h1") {
    absl::StatusOr<SqliteLedger::Opened> opened = SqliteLedger::Open({path_, HostId(host), &loop_});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  static Command MakeCommand(const std::string& id) {
    Command command;
    command.id = CommandId(id);
    command.plan = PlanId("p1");
    command.pool = kPool;
    command.resource = ResourceId("mgc");
    command.epoch = {1, 2};
    command.sequence = 3;
    command.timeout = absl::Seconds(30);
    command.action = ApplyPendingLogs{{1, 0x3000060}};
    return command;
  }
  static FenceRecord MakeFence(FencePhase phase) {
    FenceRecord record;
    record.pool = kPool;
    record.resource = ResourceId("mgc");
    record.phase = phase;
    record.fence_epoch = {1, 2};
    record.write = Lineage{"sys", {1, 2}, HostId("h1"), ShareId("s1"), std::nullopt};
    return record;
  }
  static absl::Status Write(SqliteLedger& ledger, std::vector<Ledger::Entry> entries) {
    std::promise<absl::Status> written;
    ledger.Write(std::move(entries), [&](absl::Status status) { written.set_value(status); });
    return written.get_future().get();
  }
  // A ledger with something of everything.
  void Fill() {
    SqliteLedger::Opened opened = Open();
    for (int i = 0; i < 40; ++i) {
      const std::string id = "c" + std::to_string(i);
      ASSERT_TRUE(Write(*opened.ledger, {Ledger::EpochSeen{kPool, {1, 2}, JournalId("j1")},
                                         Ledger::CommandAccepted{MakeCommand(id), JournalId("j1")}})
                      .ok());
      if (i % 2 == 0) {
        ASSERT_TRUE(
            Write(*opened.ledger, {Ledger::CommandFinished{CommandId(id), OkOutcome()}}).ok());
      }
    }
    ASSERT_TRUE(Write(*opened.ledger,
                      {Ledger::SessionOpened{7},
                       Ledger::FenceWritten{ResourceId("mgc"), MakeFence(FencePhase::kClosing)}})
                    .ok());
  }
  static bool Same(const Ledger::Contents& a, const Ledger::Contents& b) {
    if (a.id != b.id || a.session_counter != b.session_counter || a.epochs != b.epochs ||
        a.journals != b.journals || a.fences != b.fences ||
        a.commands.size() != b.commands.size()) {
      return false;
    }
    for (size_t i = 0; i < a.commands.size(); ++i) {
      if (a.commands[i].command.id != b.commands[i].command.id ||
          a.commands[i].outcome != b.commands[i].outcome) {
        return false;
      }
    }
    return true;
  }
  std::string Bytes() const { return ReadFile(path_, 1 << 24).value(); }
  void Put(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  VirtualLoop loop_;
  std::string folder_;
  std::string path_;
};

TEST_F(LedgerTest, BeginsFreshWithAnIdOfItsOwnForItsOwnerAlone) {
  LedgerId id;
  {
    SqliteLedger::Opened opened = Open();
    EXPECT_TRUE(opened.contents.fresh);
    EXPECT_TRUE(opened.moved_aside.empty());
    id = opened.contents.id;
    EXPECT_EQ(id.value().size(), 32u);
  }
  struct stat about = {};
  ASSERT_EQ(stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  SqliteLedger::Opened again = Open();
  EXPECT_FALSE(again.contents.fresh);
  EXPECT_EQ(again.contents.id, id);
}

TEST_F(LedgerTest, RemembersEverythingThatWasWritten) {
  Fill();
  const SqliteLedger::Opened opened = Open();
  const Ledger::Contents& held = opened.contents;
  EXPECT_EQ(held.session_counter, 7u);
  ASSERT_EQ(held.epochs.size(), 1u);
  EXPECT_EQ(held.epochs[0].second, (Epoch{1, 2}));
  EXPECT_EQ(held.journals[0].second, JournalId("j1"));
  EXPECT_EQ(held.fences[0].second, MakeFence(FencePhase::kClosing));
  ASSERT_EQ(held.commands.size(), 40u);
  for (const LedgerCommand& entry : held.commands) {
    const int number = std::stoi(entry.command.id.value().substr(1));
    EXPECT_EQ(entry.outcome.has_value(), number % 2 == 0);
    EXPECT_EQ(Describe(entry.command.action), "ApplyPendingLogs until 1:0/3000060");
    EXPECT_EQ(entry.command.timeout, absl::Seconds(30));
  }
}

TEST_F(LedgerTest, EpochsNeverFallAndAPoolStaysWithItsJournalUntilTheGenerationRises) {
  {
    SqliteLedger::Opened opened = Open();
    ASSERT_TRUE(Write(*opened.ledger, {Ledger::EpochSeen{kPool, {1, 9}, JournalId("j1")},
                                       Ledger::EpochSeen{kPool, {1, 3}, JournalId("j2")},
                                       Ledger::EpochSeen{kPool, {1, 10}, JournalId()}})
                    .ok());
  }
  {
    SqliteLedger::Opened opened = Open();
    EXPECT_EQ(opened.contents.epochs[0].second, (Epoch{1, 10}));
    EXPECT_EQ(opened.contents.journals[0].second, JournalId("j1"));
    ASSERT_TRUE(Write(*opened.ledger, {Ledger::EpochSeen{kPool, {2, 1}, JournalId("j2")}}).ok());
  }
  EXPECT_EQ(Open().contents.journals[0].second, JournalId("j2"));
}

TEST_F(LedgerTest, ASecondAgentIsRefused) {
  SqliteLedger::Opened opened = Open();
  const auto second = SqliteLedger::Open({path_, HostId("h1"), &loop_});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(second.status().message().find("another agent uses the ledger"), std::string::npos);
}

TEST_F(LedgerTest, ChildrenAreKeptUntilTheirCommandIsFinished) {
  {
    SqliteLedger::Opened opened = Open();
    ASSERT_TRUE(Write(*opened.ledger, {Ledger::CommandAccepted{MakeCommand("c1"), JournalId("j")},
                                       Ledger::CommandAccepted{MakeCommand("c2"), JournalId("j")}})
                    .ok());
    ASSERT_TRUE(opened.ledger->RecordChild({101, 5000, CommandId("c1")}).ok());
    ASSERT_TRUE(opened.ledger->RecordChild({102, ~uint64_t{0}, CommandId("c2")}).ok());
    ASSERT_TRUE(
        Write(*opened.ledger, {Ledger::CommandFinished{CommandId("c1"), OkOutcome()}}).ok());
  }
  const SqliteLedger::Opened opened = Open();
  ASSERT_EQ(opened.contents.children.size(), 1u);
  EXPECT_EQ(opened.contents.children[0].pid, 102);
  EXPECT_EQ(opened.contents.children[0].start_ticks, ~uint64_t{0});
}

TEST_F(LedgerTest, AFenceEnteredByAnyThreadIsDurableWhenTheCallReturns) {
  SqliteLedger::Opened opened = Open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const ResourceId resource("r" + std::to_string(i));
      EXPECT_TRUE(opened.ledger->RecordFence(resource, MakeFence(FencePhase::kClosed)).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  opened.ledger.reset();
  EXPECT_EQ(Open().contents.fences.size(), 8u);
}

TEST_F(LedgerTest, ForgetsWhatEndedADayAgoAndNothingElse) {
  {
    SqliteLedger::Opened opened = Open();
    for (const char* id : {"ended", "open"}) {
      ASSERT_TRUE(
          Write(*opened.ledger, {Ledger::CommandAccepted{MakeCommand(id), JournalId("j")}}).ok());
    }
    ASSERT_TRUE(
        Write(*opened.ledger, {Ledger::CommandFinished{CommandId("ended"), OkOutcome()}}).ok());
  }
  loop_.Advance(absl::Hours(23));
  EXPECT_EQ(Open().contents.commands.size(), 2u);
  loop_.Advance(absl::Hours(2));
  const SqliteLedger::Opened opened = Open();
  ASSERT_EQ(opened.contents.commands.size(), 1u);
  EXPECT_EQ(opened.contents.commands[0].command.id, CommandId("open"));
}

TEST_F(LedgerTest, TheLedgerOfAnotherHostIsMovedAside) {
  Fill();
  const SqliteLedger::Opened opened = Open("h2");
  EXPECT_TRUE(opened.contents.fresh);
  EXPECT_NE(opened.why.find("belongs to host h1"), std::string::npos);
  EXPECT_TRUE(Exists(opened.moved_aside).value());
}

TEST_F(LedgerTest, WhatIsNoLedgerIsMovedAside) {
  Put("this is no database at all, but somebody's notes, long enough to be looked at twice\n");
  const SqliteLedger::Opened opened = Open();
  EXPECT_TRUE(opened.contents.fresh);
  EXPECT_NE(opened.moved_aside.find(".damaged-"), std::string::npos);
  EXPECT_NE(ReadFile(opened.moved_aside, 1000)->find("somebody's notes"), std::string::npos);
}

TEST_F(LedgerTest, ATruncatedLedgerIsNeverTakenForWhole) {
  Fill();
  const Ledger::Contents original = Open().contents;
  const std::string whole = Bytes();
  int found = 0;
  int tried = 0;
  for (size_t size = 100; size < whole.size(); size += size < 500 ? 37 : 1777) {
    Put(whole.substr(0, size));
    const SqliteLedger::Opened opened = Open();
    ++tried;
    if (opened.contents.fresh) {
      ++found;
      EXPECT_NE(opened.contents.id, original.id) << size;
      EXPECT_FALSE(opened.moved_aside.empty()) << size;
    } else {
      // Cut within what its last page does not use.
      EXPECT_TRUE(Same(opened.contents, original)) << size;
    }
    loop_.Advance(absl::Seconds(1));
  }
  EXPECT_GE(found, tried - 3);
}

TEST_F(LedgerTest, AFlippedBitIsFoundOrWithoutEffect) {
  Fill();
  const Ledger::Contents original = Open().contents;
  const std::string whole = Bytes();
  std::mt19937_64 dice(20240611);
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = whole;
    bytes[dice() % bytes.size()] ^= static_cast<char>(1 << (dice() % 8));
    Put(bytes);
    const SqliteLedger::Opened opened = Open();
    if (opened.contents.fresh) {
      ++found;
      EXPECT_FALSE(opened.moved_aside.empty());
    } else {
      EXPECT_TRUE(Same(opened.contents, original));
    }
    loop_.Advance(absl::Seconds(1));
  }
  EXPECT_GT(found, 30);
}

TEST_F(LedgerTest, WhatItSaidIsDurableSurvivesAKill) {
  std::set<std::string> promised;
  int started = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
      SqliteLedger::Opened opened = Open();
      for (int i = 0;; ++i) {
        char id[16];
        snprintf(id, sizeof(id), "r%03d-%07d", round, i);
        if (!Write(*opened.ledger, {Ledger::CommandAccepted{MakeCommand(id), JournalId("j")}})
                 .ok() ||
            write(pipe_ends[1], id, 12) != 12) {
          _exit(1);
        }
      }
    }
    close(pipe_ends[1]);
    char id[13] = {};
    const int enough = 5 + 17 * round;
    for (int heard = 0; read(pipe_ends[0], id, 12) == 12; ++heard) {
      promised.insert(id);
      if (heard == enough) {
        ++started;
        kill(child, SIGKILL);
      }
    }
    close(pipe_ends[0]);
    waitpid(child, nullptr, 0);
  }
  EXPECT_EQ(started, 8);
  const SqliteLedger::Opened opened = Open();
  EXPECT_FALSE(opened.contents.fresh);
  std::set<std::string> held;
  for (const LedgerCommand& entry : opened.contents.commands) held.insert(entry.command.id.value());
  for (const std::string& id : promised) EXPECT_EQ(held.count(id), 1u) << id;
}

}  // namespace
}  // namespace baton
