#include "agent/database/postgresql_connection.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/os/monotonic.h"

namespace baton::postgresql {
namespace {

// How long a raised interrupt may go unnoticed while the socket is silent.
constexpr absl::Duration kPollSlice = absl::Milliseconds(20);
// A statement whose client gave up, or died, ends at the server within a second, too.
constexpr char kServerSideLimits[] =
    "-c client_connection_check_interval=1s -c statement_timeout=10min -c lock_timeout=5s";

absl::Status WaitForSocket(int socket, short events, absl::Duration deadline,
                           const Interrupt* interrupt) {
  while (true) {
    if (interrupt != nullptr && interrupt->raised()) return absl::CancelledError("asked to stop");
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return absl::DeadlineExceededError("no answer in time");
    pollfd entry = {socket, events, 0};
    const timespec slice = absl::ToTimespec(std::min(left, kPollSlice));
    const int ready = ppoll(&entry, 1, &slice, nullptr);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return absl::UnavailableError("cannot poll the socket");
  }
}

// libpq's messages without line breaks and without the place in the server's source.
std::string Clean(std::string_view message) {
  const size_t location = message.find("LOCATION:");
  std::string text(absl::StripAsciiWhitespace(ToAbsl(message.substr(0, location))));
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

// The beginning of a statement, to name it in a message.
std::string Brief(std::string_view sql) {
  constexpr size_t kBriefBytes = 40;
  const std::string_view text = ToStd(absl::StripAsciiWhitespace(ToAbsl(sql)));
  return absl::StrCat(Clean(text.substr(0, kBriefBytes)), text.size() > kBriefBytes ? "…" : "");
}

// The five characters before "SEVERITY:  SQLSTATE: text" of a verbose message; empty: none.
std::string SqlState(std::string_view message) {
  for (size_t at = message.find(":  "); at != std::string_view::npos;
       at = message.find(":  ", at + 1)) {
    const std::string_view code = message.substr(at + 3, 5);
    const bool plain = std::all_of(code.begin(), code.end(), [](char c) {
      return absl::ascii_isdigit(c) || absl::ascii_isupper(c);
    });
    if (plain && code.size() == 5 && message.substr(at + 8, 1) == ":") return std::string(code);
  }
  return "";
}

// The class of what may be repeated at once: "conflict with recovery", or a deadlock with it.
bool CutOffByReplay(const std::string& sql_state) { return absl::StartsWith(sql_state, "40"); }

// What a session that broke said last.
absl::Status Broke(std::string_view message) {
  if (CutOffByReplay(SqlState(message))) return absl::AbortedError(Clean(message));
  return absl::UnavailableError(Clean(message));
}

absl::Status ConnectError(const PostgresqlEndpoint& endpoint, std::string_view message) {
  const std::string text =
      absl::StrCat("PostgreSQL at ", endpoint.ToString(), ": ", Clean(message));
  const std::string state = SqlState(message);
  if (state == "57P03" || state == "57P01") return absl::UnavailableError(text);
  if (CutOffByReplay(state)) return absl::AbortedError(text);
  if (state == "53300") return absl::ResourceExhaustedError(text);
  if (!state.empty()) return absl::PermissionDeniedError(text);
  if (absl::StrContains(text, strerror(ECONNREFUSED)) ||
      absl::StrContains(text, strerror(ENOENT))) {
    return absl::NotFoundError(text);
  }
  return absl::UnavailableError(text);
}

bool IsNumericAddress(const std::string& address) {
  in6_addr buffer;
  return inet_pton(AF_INET, address.c_str(), &buffer) == 1 ||
         inet_pton(AF_INET6, address.c_str(), &buffer) == 1;
}

}  // namespace

absl::StatusOr<PostgresqlEndpoint> EndpointOf(const ResourceConfig& config) {
  PostgresqlEndpoint endpoint;
  BATON_ASSIGN_OR_RETURN(endpoint.address, config.Engine("address"));
  BATON_ASSIGN_OR_RETURN(endpoint.port, config.Engine("port"));
  BATON_ASSIGN_OR_RETURN(endpoint.user, config.Engine("user"));
  BATON_ASSIGN_OR_RETURN(endpoint.password_file, config.Engine("password_file"));
  BATON_ASSIGN_OR_RETURN(endpoint.database, config.Engine("database"));
  if (!IsNumericAddress(endpoint.address) && endpoint.address.front() != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat(config.resource.value(), ": postgresql.address: found \"", endpoint.address,
                     "\", wanted a numeric address or the folder of a Unix socket"));
  }
  return endpoint;
}

int64_t Rows::Number(int row, int column) const {
  int64_t value = 0;
  if (!absl::SimpleAtoi(Text(row, column), &value)) return 0;
  return value;
}

absl::Status PostgresqlConnection::Login(absl::Duration deadline) {
  const std::array<const char*, 13> names = {"host",
                                             "port",
                                             "user",
                                             "dbname",
                                             "passfile",
                                             "application_name",
                                             "options",
                                             "client_encoding",
                                             "keepalives_idle",
                                             "keepalives_interval",
                                             "keepalives_count",
                                             "gssencmode",
                                             nullptr};
  const std::array<const char*, 13> values = {endpoint_.address.c_str(),
                                              endpoint_.port.c_str(),
                                              endpoint_.user.c_str(),
                                              endpoint_.database.c_str(),
                                              endpoint_.password_file.c_str(),
                                              kApplicationName,
                                              kServerSideLimits,
                                              "UTF8",
                                              "5",
                                              "2",
                                              "3",
                                              "disable",
                                              nullptr};
  const absl::Duration timeout = deadline - MonotonicNow();
  connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
  PGconn* connection = connection_.get();
  if (connection == nullptr) return absl::ResourceExhaustedError("libpq: out of memory");
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(connection) != CONNECTION_BAD && next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) break;
    const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const absl::Status ready = WaitForSocket(PQsocket(connection), events, deadline, interrupt_);
    if (absl::IsDeadlineExceeded(ready)) {
      return absl::DeadlineExceededError(
          absl::StrCat("PostgreSQL at ", endpoint_.ToString(), " gave no answer to a login within ",
                       absl::FormatDuration(absl::Ceil(timeout, absl::Milliseconds(1)))));
    }
    BATON_RETURN_IF_ERROR(ready);
    next = PQconnectPoll(connection);
  }
  if (PQstatus(connection) != CONNECTION_OK) {
    return ConnectError(endpoint_, PQerrorMessage(connection));
  }
  if (PQsetnonblocking(connection, 1) != 0) {
    return absl::InternalError("libpq: cannot make the connection non-blocking");
  }
  return absl::OkStatus();
}

absl::StatusOr<PostgresqlConnection> PostgresqlConnection::Connect(
    const PostgresqlEndpoint& endpoint, absl::Duration timeout, const Interrupt* interrupt) {
  const absl::Duration deadline = MonotonicNow() + timeout;
  PostgresqlConnection result(endpoint, interrupt);
  absl::Status in = result.Login(deadline);
  while (absl::IsAborted(in)) in = result.Login(deadline);
  BATON_RETURN_IF_ERROR(in);
  return result;
}

bool PostgresqlConnection::Usable() {
  if (given_up_ || connection_ == nullptr) return false;
  PGconn* connection = connection_.get();
  pollfd entry = {PQsocket(connection), POLLIN, 0};
  if (PQstatus(connection) == CONNECTION_OK && poll(&entry, 1, 0) > 0 &&
      PQconsumeInput(connection) == 0) {
    given_up_ = true;
  }
  if (PQstatus(connection) != CONNECTION_OK) given_up_ = true;
  return !given_up_;
}

absl::StatusOr<Rows> PostgresqlConnection::Exchange(const char* sql,
                                                    const std::vector<std::string>& parameters,
                                                    absl::Duration deadline) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  PGconn* connection = connection_.get();
  const int count = static_cast<int>(values.size());
  if (PQsendQueryParams(connection, sql, count, nullptr, values.data(), nullptr, nullptr, 0) != 1) {
    return Broke(PQerrorMessage(connection));
  }
  for (int unsent = PQflush(connection); unsent != 0; unsent = PQflush(connection)) {
    if (unsent < 0) return Broke(PQerrorMessage(connection));
    BATON_RETURN_IF_ERROR(WaitForSocket(PQsocket(connection), POLLOUT, deadline, interrupt_));
  }
  Rows first(nullptr);
  while (true) {
    while (PQisBusy(connection) != 0) {
      BATON_RETURN_IF_ERROR(WaitForSocket(PQsocket(connection), POLLIN, deadline, interrupt_));
      if (PQconsumeInput(connection) != 1) {
        return Broke(PQerrorMessage(connection));
      }
    }
    Rows next(PQgetResult(connection));
    if (next.none()) return first;
    if (first.none()) first = std::move(next);
  }
}

absl::StatusOr<Rows> PostgresqlConnection::Ask(const char* sql,
                                               const std::vector<std::string>& parameters,
                                               absl::Duration deadline) {
  absl::StatusOr<Rows> rows = Exchange(sql, parameters, deadline);
  if (!rows.ok()) {
    given_up_ = true;
    return absl::Status(rows.status().code(), absl::StrCat("PostgreSQL: ", rows.status().message(),
                                                           " (", Brief(sql), ")"));
  }
  if (rows->status() == PGRES_TUPLES_OK || rows->status() == PGRES_COMMAND_OK) return rows;
  const std::string text =
      absl::StrCat("PostgreSQL: ", Clean(rows->error()), " (", Brief(sql), ")");
  const std::string state = rows->sql_state();
  if (CutOffByReplay(state)) return absl::AbortedError(text);
  if (!Usable() || state == "57P01" || state == "57P02") {
    given_up_ = true;
    return absl::UnavailableError(text);
  }
  if (state == "57014" || state == "55P03") return absl::DeadlineExceededError(text);
  if (state == "42501") return absl::PermissionDeniedError(text);
  return absl::InternalError(text);
}

absl::StatusOr<Rows> PostgresqlConnection::Query(const char* sql,
                                                 const std::vector<std::string>& parameters,
                                                 absl::Duration timeout) {
  if (given_up_) return absl::UnavailableError("the connection to PostgreSQL is broken");
  const absl::Duration deadline = MonotonicNow() + timeout;
  absl::StatusOr<Rows> rows = Ask(sql, parameters, deadline);
  while (absl::IsAborted(rows.status())) {
    if (!Usable()) {
      BATON_ASSIGN_OR_RETURN(
          PostgresqlConnection anew,
          Connect(endpoint_, std::max(absl::ZeroDuration(), deadline - MonotonicNow()),
                  interrupt_));
      *this = std::move(anew);
    }
    rows = Ask(sql, parameters, deadline);
  }
  return rows;
}

}  // namespace baton::postgresql
