#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include "tests/style/rules.h"

namespace baton::style {
namespace {

// Libraries, as bits.
enum Library : unsigned {
  kAbsl = 1u << 0,
  kSystem = 1u << 1,  // POSIX and Linux
  kProto = 1u << 2,   // protobuf and what is generated with it
  kGrpc = 1u << 3,
  kSqlite = 1u << 4,
  kSpdlog = 1u << 5,
  kYaml = 1u << 6,
  kJson = 1u << 7,
  kCommandLine = 1u << 8,
  kPostgresql = 1u << 9,
  kXmpp = 1u << 10,
  kOpenssl = 1u << 11,
  kTest = 1u << 12,
  kAll = ~0u,
};

struct LibraryHeader {
  std::string_view prefix;
  Library library;
};
constexpr std::array kLibraryHeaders = {
    LibraryHeader{"absl/", kAbsl},       LibraryHeader{"baton/", kProto},
    LibraryHeader{"google/", kProto},    LibraryHeader{"grpc/", kGrpc},
    LibraryHeader{"grpcpp/", kGrpc},     LibraryHeader{"sqlite3", kSqlite},
    LibraryHeader{"spdlog/", kSpdlog},   LibraryHeader{"fmt/", kSpdlog},
    LibraryHeader{"yaml-cpp/", kYaml},   LibraryHeader{"nlohmann/", kJson},
    LibraryHeader{"CLI/", kCommandLine}, LibraryHeader{"libpq", kPostgresql},
    LibraryHeader{"strophe", kXmpp},     LibraryHeader{"openssl/", kOpenssl},
    LibraryHeader{"gtest/", kTest},      LibraryHeader{"gmock/", kTest},
};

using Folders = std::array<std::string_view, 16>;  // empty ones at the end

struct Room {
  std::string_view folder;
  unsigned libraries;
  Folders sees;  // besides its own folder
};

// The first room whose folder holds the file counts: inner folders stand before outer ones.
constexpr std::array kRooms = {
    Room{"common/base", kAbsl, {}},
    Room{"common/protocol", kAbsl, {"common/base"}},
    Room{"common/os", kAbsl | kSystem, {"common/base"}},
    Room{"common/runtime", kAbsl | kSystem | kSpdlog | kSqlite, {"common/base", "common/os"}},
    Room{"common/rpc",
         kAbsl | kSystem | kProto | kGrpc | kOpenssl,
         {"common/base", "common/protocol", "common/os", "common/runtime"}},

    Room{"coordinator/model", kAbsl, {"common/base", "common/protocol"}},
    Room{"coordinator/planner", kAbsl, {"common/base", "common/protocol", "coordinator/model"}},
    Room{"coordinator/executor",
         kAbsl,
         {"common/base", "common/protocol", "coordinator/model", "coordinator/planner"}},
    Room{"coordinator/config",
         kAbsl | kSystem | kYaml | kSpdlog,
         {"common", "coordinator/model", "coordinator/planner", "coordinator/executor"}},
    Room{"coordinator/wire",
         kAbsl | kProto,
         {"common", "coordinator/model", "coordinator/planner", "coordinator/executor"}},
    Room{"coordinator/journal",
         kAbsl | kSystem | kProto | kSqlite | kSpdlog,
         {"common", "coordinator/model", "coordinator/planner", "coordinator/executor",
          "coordinator/config", "coordinator/wire"}},
    Room{"coordinator/transport",
         kAbsl | kSystem | kProto | kGrpc | kSpdlog,
         {"common", "coordinator/model", "coordinator/planner", "coordinator/executor",
          "coordinator/config", "coordinator/wire"}},
    Room{
        "coordinator/api",
        kAbsl | kSystem | kProto | kGrpc | kSpdlog,
        {"common", "coordinator/model", "coordinator/planner", "coordinator/executor",
         "coordinator/config", "coordinator/wire", "coordinator/journal", "coordinator/transport"}},
    Room{"coordinator/cli",
         kAbsl | kSystem | kProto | kGrpc | kJson | kCommandLine,
         {"common", "coordinator/model", "coordinator/config", "coordinator/wire"}},
    Room{"coordinator", kAll & ~kTest, {"common", "coordinator"}},

    Room{"agent/core", kAbsl, {"common/base", "common/protocol"}},
    Room{"agent/guard",
         kAbsl | kSystem,
         {"common/base", "common/protocol", "common/os", "agent/core"}},
    Room{"agent/ledger", kAbsl | kSystem | kProto | kSqlite | kSpdlog, {"common", "agent/core"}},
    Room{"agent/service", kAbsl | kSystem | kSpdlog, {"common", "agent/core"}},
    Room{"agent/database", kAbsl | kSystem | kSpdlog | kPostgresql, {"common", "agent/core"}},
    Room{"agent/chat", kAbsl | kSystem | kSpdlog | kXmpp, {"common", "agent/core"}},
    Room{"agent/transport", kAbsl | kSystem | kProto | kGrpc | kSpdlog, {"common", "agent/core"}},
    Room{"agent", kAll & ~kTest, {"common", "agent"}},

    // The pure rooms' tests stay quick to build: no generated code in them.
    Room{"tests/unit/model", kAbsl | kTest | kSystem, {"common", "coordinator", "tests"}},
    Room{"tests/unit/planner", kAbsl | kTest | kSystem, {"common", "coordinator", "tests"}},
    Room{"tests/unit/executor", kAbsl | kTest | kSystem, {"common", "coordinator", "tests"}},
    Room{"tests/unit/agent", kAbsl | kTest | kSystem, {"common", "agent", "tests"}},
    Room{"tests", kAll, {"common", "coordinator", "agent", "tests"}},
};

struct Include {
  int line;
  std::string_view name;
};

std::optional<Include> ParseInclude(std::string_view line, int number) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return std::nullopt;
  const size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string_view::npos || !line.substr(word).starts_with("include"))
    return std::nullopt;
  const size_t open = line.find_first_of("<\"", word);
  if (open == std::string_view::npos) return std::nullopt;
  const size_t close = line.find_first_of(">\"", open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return Include{number, line.substr(open + 1, close - open - 1)};
}

bool IsOurs(std::string_view name) {
  return Under(name, "common") || Under(name, "coordinator") || Under(name, "agent") ||
         Under(name, "tests");
}

// <vector>, but not <unistd.h>.
bool IsStandard(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::islower(static_cast<unsigned char>(c)) || c == '_' || std::isdigit(c);
  });
}

std::optional<Library> LibraryOf(std::string_view name) {
  if (IsStandard(name)) return std::nullopt;
  for (const LibraryHeader& header : kLibraryHeaders) {
    if (name.starts_with(header.prefix)) return header.library;
  }
  return kSystem;
}

std::string Judge(const SourceFile& file, const Room& room, std::string_view name) {
  const std::string includes =
      "includes " + std::string(name) + ", but " + std::string(room.folder);
  if (!IsOurs(name)) {
    const std::optional<Library> library = LibraryOf(name);
    if (!library || (room.libraries & *library)) return "";
    return includes + " does not know that library (tests/style/include_rule.cc)";
  }
  const std::string folder = name.find('/') == std::string_view::npos
                                 ? std::string(name)
                                 : std::string(name.substr(0, name.rfind('/')));
  if (folder == file.path.substr(0, file.path.rfind('/')) || Under(folder, room.folder)) return "";
  for (const std::string_view seen : room.sees) {
    if (!seen.empty() && Under(folder, seen)) return "";
  }
  return includes +
         " stands before it in its chain, or is its neighbour (tests/style/include_rule.cc)";
}

}  // namespace

std::vector<Finding> CheckIncludes(const SourceFile& file) {
  const auto room = std::find_if(kRooms.begin(), kRooms.end(),
                                 [&file](const Room& r) { return Under(file.path, r.folder); });
  if (room == kRooms.end()) return {{file.path, 0, "lies in no room of the source tree"}};
  std::vector<Finding> findings;
  int number = 0;
  for (const std::string& line : Lines(file.text)) {
    const std::optional<Include> include = ParseInclude(line, ++number);
    if (!include) continue;
    const std::string wrong = Judge(file, *room, include->name);
    if (!wrong.empty()) findings.push_back({file.path, number, wrong});
  }
  return findings;
}

}  // namespace baton::style
