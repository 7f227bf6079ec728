#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/runtime/system_clock.h"
#include "coordinator/journal/sqlite_journal.h"
#include "coordinator/wire/record_proto.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

// Runs what is posted when asked to.
class Inbox : public Scheduler {
 public:
  void Post(std::function<void()> f) override {
    MutexLock lock(&mutex_);
    queue_.push_back(std::move(f));
    wake_.SignalAll();
  }
  TimerId After(absl::Duration, std::function<void()>) override { return 1; }
  void Cancel(TimerId) override {}
  void RunOne() {
    std::function<void()> f;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty()) wake_.Wait(&mutex_);
      f = std::move(queue_.front());
      queue_.pop_front();
    }
    f();
  }

 private:
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
};

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    char name[] = "/tmp/baton-journal-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/journal.db";
  }
  ~JournalTest() override { fs::remove_all(directory_); }

  std::unique_ptr<SqliteJournal> Open() {
    absl::StatusOr<std::unique_ptr<SqliteJournal>> journal =
        SqliteJournal::Open(path_, clock_, inbox_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return journal.ok() ? *std::move(journal) : nullptr;
  }
  absl::Status OpenError() { return SqliteJournal::Open(path_, clock_, inbox_).status(); }

  std::vector<Record> Append(SqliteJournal& journal, std::vector<Fact> facts) {
    absl::StatusOr<std::vector<Record>> result;
    journal.Append(std::move(facts), [&](auto records) { result = std::move(records); });
    inbox_.RunOne();
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : std::vector<Record>();
  }
  static std::vector<Record> ReadAll(SqliteJournal& journal) {
    std::vector<Record> records;
    const absl::Status status =
        journal.ReadAll([&](const Record& record) { records.push_back(record); });
    EXPECT_TRUE(status.ok()) << status;
    return records;
  }
  static std::string Text(const std::vector<Record>& records) {
    std::string text;
    for (const Record& record : records) text += ToProto(record).DebugString();
    return text;
  }
  // `count` records in a journal that was closed, all of them in the main file.
  void Fill(int count) {
    const std::unique_ptr<SqliteJournal> journal = Open();
    for (int i = 0; i < count; ++i) {
      Append(*journal, {PlanWaiting{PlanId("plan"), absl::StrCat("reason ", i)}});
    }
  }
  void Write(std::streamoff offset, const std::string& bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << bytes;
  }
  std::string Bytes() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void ExpectRefused(const std::string& found) {
    const std::string before = Bytes();
    const absl::Status status = OpenError();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    const std::string message(status.message());
    EXPECT_NE(message.find(path_), std::string::npos) << message;
    EXPECT_NE(message.find(found), std::string::npos) << message;
    EXPECT_NE(message.find("restore the file from a copy"), std::string::npos) << message;
    EXPECT_NE(message.find("baton adopt"), std::string::npos) << message;
    EXPECT_EQ(Bytes(), before) << "the evidence was changed";
  }

  SystemClock clock_;
  Inbox inbox_;
  std::string directory_;
  std::string path_;
};

TEST_F(JournalTest, GivesBackWhatWasAppendedNumberedWithoutGapUnderItsOwnId) {
  JournalId id;
  std::vector<Record> appended;
  {
    const std::unique_ptr<SqliteJournal> journal = Open();
    id = journal->id();
    EXPECT_FALSE(id.empty());
    appended = Append(*journal, {EpochRaised{PlanId("p"), PoolId("c"), 0, {1, 1}},
                                 StepStarted{PlanId("p"), 1, 1, CommandId("p/1/1")}});
    const std::vector<Record> more = Append(*journal, {UndoStarted{PlanId("p"), "why"}});
    appended.insert(appended.end(), more.begin(), more.end());
  }
  ASSERT_EQ(appended.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(appended[i].sequence, i + 1);
  const std::unique_ptr<SqliteJournal> again = Open();
  EXPECT_EQ(again->id(), id);
  EXPECT_EQ(Text(ReadAll(*again)), Text(appended));
  EXPECT_EQ(Append(*again, {PlanEnded{PlanId("p"), PlanState::kUndone, ""}})[0].sequence, 4u);
}

TEST_F(JournalTest, ReadsFromAnyPointInBatches) {
  Fill(20);
  const std::unique_ptr<SqliteJournal> journal = Open();
  std::vector<Record> read;
  journal->Read(7, 5, [&](auto records) { read = records.value(); });
  inbox_.RunOne();
  ASSERT_EQ(read.size(), 5u);
  EXPECT_EQ(read.front().sequence, 7u);
  journal->Read(21, 5, [&](auto records) { read = records.value(); });
  inbox_.RunOne();
  EXPECT_TRUE(read.empty());
}

TEST_F(JournalTest, ManyAppendsCompleteInOrder) {
  const std::unique_ptr<SqliteJournal> journal = Open();
  uint64_t last = 0;
  for (int i = 0; i < 500; ++i) {
    journal->Append({PlanWaiting{PlanId("p"), "x"}}, [&](auto records) {
      EXPECT_EQ(records.value().front().sequence, last + 1);
      last = records.value().front().sequence;
    });
  }
  for (int i = 0; i < 500; ++i) inbox_.RunOne();
  EXPECT_EQ(last, 500u);
}

TEST_F(JournalTest, RefusesASecondCoordinator) {
  const std::unique_ptr<SqliteJournal> journal = Open();
  const absl::Status status = OpenError();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.ToString().find("another coordinator"), std::string::npos) << status;
}

// A child appends and says what was acknowledged; it is killed at some point of that.
TEST_F(JournalTest, KeepsEverythingAcknowledgedWhenKilled) {
  uint64_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      const std::unique_ptr<SqliteJournal> journal = Open();
      if (journal == nullptr) _exit(1);
      for (;;) {
        uint64_t sequence = 0;
        journal->Append({PlanWaiting{PlanId("p"), "x"}, UndoStarted{PlanId("p"), "y"}},
                        [&](auto records) { sequence = records.value().back().sequence; });
        inbox_.RunOne();
        if (write(pipe_ends[1], &sequence, sizeof(sequence)) != sizeof(sequence)) _exit(1);
      }
    }
    close(pipe_ends[1]);
    for (int i = 0; i < 20 + 7 * round; ++i) {
      ASSERT_EQ(read(pipe_ends[0], &acknowledged, sizeof(acknowledged)),
                static_cast<ssize_t>(sizeof(acknowledged)));
    }
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) {
    }
    close(pipe_ends[0]);
    waitpid(child, nullptr, 0);
    const std::vector<Record> records = ReadAll(*Open());
    ASSERT_GE(records.size(), acknowledged);
    EXPECT_EQ(records.size() % 2, 0u) << "half an append";
    for (size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].sequence, i + 1);
  }
}

TEST_F(JournalTest, RefusesATruncatedFile) {
  Fill(400);
  const auto size = fs::file_size(path_);
  for (const double part : {0.0, 0.001, 0.5, 0.9}) {
    SCOPED_TRACE(part);
    fs::copy_file(path_, path_ + ".whole", fs::copy_options::overwrite_existing);
    fs::resize_file(path_, static_cast<uintmax_t>(static_cast<double>(size) * part));
    ExpectRefused("");
    fs::rename(path_ + ".whole", path_);
  }
}

TEST_F(JournalTest, RefusesFlippedBits) {
  Fill(50);
  const std::string whole = Bytes();
  const size_t text = whole.find("reason 17");
  ASSERT_NE(text, std::string::npos);
  Write(static_cast<std::streamoff>(text), "raeson 17");
  ExpectRefused("record 18 has checksum");
}

TEST_F(JournalTest, RefusesForeignFilesAndAMissingMainFile) {
  {
    std::ofstream file(path_);
    file << std::string(4096, 'x');
  }
  ExpectRefused("");
  fs::remove(path_);
  {
    std::ofstream file(path_ + "-wal");
    file << "left over";
  }
  ExpectRefused("the file is missing");
}

TEST_F(JournalTest, RefusesMissingAndExchangedRecords) {
  Fill(10);
  fs::copy_file(path_, path_ + ".whole");
  const auto tamper = [&](const std::string& sql) {
    const std::unique_ptr<Sqlite> db = Sqlite::Open(path_, 0x42544a31).value();
    ASSERT_TRUE(db->Execute(sql).ok());
    ASSERT_TRUE(db->Execute("PRAGMA wal_checkpoint(TRUNCATE)").ok());
  };
  tamper("DELETE FROM records WHERE sequence = 5");
  ExpectRefused("record 5 is missing");
  fs::copy_file(path_ + ".whole", path_, fs::copy_options::overwrite_existing);
  tamper(
      "UPDATE records SET body = (SELECT body FROM records WHERE sequence = 3), checksum = "
      "(SELECT checksum FROM records WHERE sequence = 3) WHERE sequence = 4");
  ExpectRefused("record 4 has checksum");
  fs::copy_file(path_ + ".whole", path_, fs::copy_options::overwrite_existing);
  tamper("UPDATE meta SET value = '99' WHERE key = 'schema_version'");
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(JournalTest, AHalfMadeJournalIsMadeAnew) {
  {
    std::ofstream file(path_ + ".new");
    file << "half";
  }
  EXPECT_NE(Open(), nullptr);
}

}  // namespace
}  // namespace baton
