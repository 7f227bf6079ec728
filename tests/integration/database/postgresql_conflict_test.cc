// A standby that replays ends whoever still sees what it is about to take away: no look of ours may
// take that for a database that is ill.
#include <gtest/gtest.h>
#include <optional>
#include <thread>

#include "tests/integration/database/pg_world.h"

namespace baton::test {
namespace {

using postgresql::PostgresqlConnection;
using postgresql::Rows;

constexpr absl::Duration kPatience = absl::Seconds(60);

class ConflictTest : public ::testing::Test {
 protected:
  ConflictTest() {
    world_.Sql(world_.home(), "INSERT INTO posts SELECT generate_series(1, 100)");
    world_.Eventually("the posts are applied", [this] { return Posts() == "100"; });
  }
  PostgresqlConnection Connect() {
    const auto endpoint = postgresql::EndpointOf(world_.away().config);
    auto connection = PostgresqlConnection::Connect(*endpoint, kPatience, nullptr);
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }
  std::string Posts() { return world_.Sql(world_.away(), "SELECT count(*) FROM posts"); }
  // Takes away rows that a session of the standby still sees, and waits until replay has ended it.
  void EndByReplay() {
    world_.Sql(world_.home(), "DELETE FROM posts WHERE id <= 50");
    world_.Sql(world_.home(), "VACUUM posts");
    world_.Eventually("replay met a session that still sees them", [this] {
      return world_.Sql(world_.away(),
                        "SELECT sum(confl_snapshot) > 0 FROM pg_stat_database_conflicts") == "t";
    });
  }

  World world_;
};

TEST_F(ConflictTest, AStatementThatReplayCutOffIsAskedAnew) {
  PostgresqlConnection connection = Connect();
  std::optional<absl::StatusOr<Rows>> rows;
  std::thread asks([&] {
    rows = connection.Query("SELECT count(*) FROM posts, (SELECT pg_sleep(3)) s", kPatience);
  });
  world_.Eventually("the statement sleeps on the standby", [this] {
    return world_.Sql(world_.away(),
                      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1";
  });
  EndByReplay();
  asks.join();
  ASSERT_TRUE(rows->ok()) << rows->status();
  EXPECT_EQ((*rows)->Text(0, 0), "50") << "the second try sees what was replayed";
}

TEST_F(ConflictTest, ASessionThatReplayEndedIsOpenedAnew) {
  PostgresqlConnection connection = Connect();
  ASSERT_TRUE(connection.Query("BEGIN ISOLATION LEVEL REPEATABLE READ", kPatience).ok());
  ASSERT_TRUE(connection.Query("SELECT count(*) FROM posts", kPatience).ok());
  EndByReplay();
  const absl::StatusOr<Rows> rows = connection.Query("SELECT count(*) FROM posts", kPatience);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->Text(0, 0), "50");
}

}  // namespace
}  // namespace baton::test
