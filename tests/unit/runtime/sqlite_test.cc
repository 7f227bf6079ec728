#include "common/runtime/sqlite.h"

#include <cstdio>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include <sys/stat.h>

namespace baton {
namespace {

constexpr int32_t kApplication = 0x42746F6E;

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() { Clean(); }
  ~SqliteTest() override { Clean(); }
  void Clean() {
    for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path_ + suffix).c_str());
  }
  std::string path_ = testing::TempDir() + "sqlite_test.db";
};

TEST_F(SqliteTest, KeepsWhatWasCommittedAndDropsWhatWasNot) {
  {
    auto db = Sqlite::Open(path_, kApplication);
    ASSERT_TRUE(db.ok()) << db.status();
    ASSERT_TRUE((*db)->Execute("CREATE TABLE t (a INTEGER, b TEXT, c BLOB)").ok());
    auto insert = (*db)->Prepare("INSERT INTO t VALUES (?, ?, ?)");
    ASSERT_TRUE(insert.ok());
    ASSERT_TRUE((*db)->Begin().ok());
    ASSERT_TRUE(
        insert->Bind(1, 7).BindText(2, "seven").BindBlob(3, std::string("\0x", 2)).Run().ok());
    ASSERT_TRUE((*db)->Commit().ok());
    ASSERT_TRUE((*db)->Begin().ok());
    ASSERT_TRUE(insert->Bind(1, 8).BindText(2, "eight").BindBlob(3, "").Run().ok());
  }
  auto db = Sqlite::Open(path_, kApplication);
  ASSERT_TRUE(db.ok()) << db.status();
  EXPECT_TRUE((*db)->CheckIntegrity().ok());
  auto read = (*db)->Prepare("SELECT a, b, c FROM t");
  ASSERT_TRUE(read.ok());
  ASSERT_TRUE(*read->Step());
  EXPECT_EQ(read->Int(0), 7);
  EXPECT_EQ(read->Text(1), "seven");
  EXPECT_EQ(read->Blob(2), std::string("\0x", 2));
  EXPECT_FALSE(*read->Step());
}

TEST_F(SqliteTest, MakesThePrivateFile) {
  ASSERT_TRUE(Sqlite::Open(path_, kApplication).ok());
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SqliteTest, RefusesFilesThatAreNotOurs) {
  std::ofstream(path_) << std::string(5000, 'x');
  EXPECT_EQ(Sqlite::Open(path_, kApplication).status().code(), absl::StatusCode::kDataLoss);
  Clean();
  ASSERT_TRUE(Sqlite::Open(path_, kApplication).ok());
  EXPECT_EQ(Sqlite::Open(path_, kApplication + 1).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace baton
