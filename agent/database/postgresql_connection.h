// A connection to one PostgreSQL server on which every call ends in time, even if the server hangs.
#pragma once

#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/database/interrupt.h"
#include "common/protocol/resource_config.h"

namespace baton::postgresql {

// Every session of Baton carries it, which is how the sessions of others are told apart.
inline constexpr char kApplicationName[] = "baton-agent";

// Where a server listens and who logs in. `address` is a numeric address or the folder of a Unix
// socket: names are not looked up, since that can block for long.
struct PostgresqlEndpoint {
  std::string address;
  std::string port;
  std::string user;
  std::string password_file;
  std::string database;

  std::string ToString() const { return address + ":" + port; }
};
// From the "postgresql." keys. FAILED_PRECONDITION naming a missing key, INVALID_ARGUMENT naming a
// bad address.
absl::StatusOr<PostgresqlEndpoint> EndpointOf(const ResourceConfig& config);

// The rows of one answer. Thread-compatible.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, &PQclear) {}

  bool none() const { return result_ == nullptr; }
  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  // "" for null. Booleans are "t" and "f".
  std::string Text(int row, int column) const { return PQgetvalue(result_.get(), row, column); }
  bool True(int row, int column) const { return Text(row, column) == "t"; }
  // 0 for null and for what is no whole number.
  int64_t Number(int row, int column) const;

  ExecStatusType status() const { return PQresultStatus(result_.get()); }
  std::string error() const { return PQresultErrorMessage(result_.get()); }
  std::string sql_state() const {
    const char* state = PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE);
    return state == nullptr ? "" : state;
  }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

// Thread-compatible; used by one thread at a time.
class PostgresqlConnection {
 public:
  // Logs in within `timeout`. NOT_FOUND: nobody listens there. UNAVAILABLE: a server is there but
  // takes no queries yet, or any more. PERMISSION_DENIED: the login was refused.
  // RESOURCE_EXHAUSTED: no free connection. DEADLINE_EXCEEDED: no answer. CANCELLED: `interrupt`
  // was raised. `interrupt` may be null; it must outlive the connection. A login that a standby's
  // replay cut off is repeated.
  static absl::StatusOr<PostgresqlConnection> Connect(const PostgresqlEndpoint& endpoint,
                                                      absl::Duration timeout,
                                                      const Interrupt* interrupt);

  // Runs one statement, whose text is a constant, with `parameters` for $1, $2, …, and waits for
  // its answer for at most `timeout`. DEADLINE_EXCEEDED and CANCELLED leave the connection
  // unusable; UNAVAILABLE: it broke; INTERNAL: the server refused the statement. One that a
  // standby's replay cut off (it ends whoever still sees what a VACUUM took away, whenever the
  // next such record comes) is asked anew, in a new session if that was ended with it: nothing that
  // is asked in recovery does harm when it is asked twice.
  absl::StatusOr<Rows> Query(const char* sql, const std::vector<std::string>& parameters,
                             absl::Duration timeout);
  absl::StatusOr<Rows> Query(const char* sql, absl::Duration timeout) {
    return Query(sql, {}, timeout);
  }

  // False once it broke or was given up; notices a server that went away since the last call.
  bool Usable();

 private:
  PostgresqlConnection(PostgresqlEndpoint endpoint, const Interrupt* interrupt)
      : endpoint_(std::move(endpoint)), connection_(nullptr, &PQfinish), interrupt_(interrupt) {}
  // One try each; ABORTED: replay cut it off.
  absl::Status Login(absl::Duration deadline);
  absl::StatusOr<Rows> Ask(const char* sql, const std::vector<std::string>& parameters,
                           absl::Duration deadline);
  absl::StatusOr<Rows> Exchange(const char* sql, const std::vector<std::string>& parameters,
                                absl::Duration deadline);

  PostgresqlEndpoint endpoint_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  const Interrupt* interrupt_;
  bool given_up_ = false;
};

}  // namespace baton::postgresql
