// Each rule catches a sample that breaks it, and lets pass what looks alike.
#include "tests/style/rules.h"

#include <string>

#include "gtest/gtest.h"

namespace baton::style {
namespace {

int Findings(std::vector<Finding> (*rule)(const SourceFile&), const std::string& path,
             const std::string& text) {
  return static_cast<int>(rule({path, text}).size());
}

int Includes(const std::string& path, const std::string& name) {
  return Findings(CheckIncludes, path, "#include " + name + "\n");
}

TEST(IncludeRuleTest, KeepsPureRoomsFromLibraries) {
  for (const std::string room : {"coordinator/model", "coordinator/planner", "coordinator/executor",
                                 "agent/core", "common/base", "common/protocol"}) {
    for (const std::string name :
         {"\"baton/v1/plan.pb.h\"", "\"grpcpp/grpcpp.h\"", "\"sqlite3.h\"", "<sqlite3.h>",
          "\"spdlog/spdlog.h\"", "\"yaml-cpp/yaml.h\"", "<unistd.h>", "<sys/stat.h>",
          "\"google/protobuf/message.h\"", "\"common/runtime/sqlite.h\"", "\"common/rpc/tls.h\""}) {
      EXPECT_EQ(Includes(room + "/x.cc", name), 1) << room << " " << name;
    }
    EXPECT_EQ(Includes(room + "/x.cc", "\"absl/status/status.h\""), 0);
    EXPECT_EQ(Includes(room + "/x.cc", "<string_view>"), 0);
    EXPECT_EQ(Includes(room + "/x.cc", "\"" + room + "/y.h\""), 0);
  }
}

TEST(IncludeRuleTest, KeepsTheChainsDirection) {
  EXPECT_EQ(Includes("coordinator/planner/x.h", "\"coordinator/executor/decide.h\""), 1);
  EXPECT_EQ(Includes("coordinator/model/x.h", "\"coordinator/planner/plan.h\""), 1);
  EXPECT_EQ(Includes("common/base/x.h", "\"common/protocol/ids.h\""), 1);
  EXPECT_EQ(Includes("coordinator/executor/x.h", "\"coordinator/planner/plan.h\""), 0);
  EXPECT_EQ(Includes("coordinator/api/x.h", "\"coordinator/journal/journal.h\""), 0);
  EXPECT_EQ(Includes("coordinator/journal/x.h", "\"coordinator/api/api.h\""), 1);
}

TEST(IncludeRuleTest, KeepsNeighboursApart) {
  EXPECT_EQ(Includes("coordinator/journal/x.h", "\"coordinator/transport/session.h\""), 1);
  EXPECT_EQ(Includes("coordinator/wire/x.h", "\"coordinator/config/yaml.h\""), 1);
  EXPECT_EQ(Includes("agent/database/x.cc", "\"agent/guard/gate.h\""), 1);
  EXPECT_EQ(Includes("agent/chat/x.cc", "\"agent/service/client.h\""), 1);
}

TEST(IncludeRuleTest, KeepsAgentAndCoordinatorApart) {
  EXPECT_EQ(Includes("agent/main.cc", "\"coordinator/model/plan.h\""), 1);
  EXPECT_EQ(Includes("coordinator/main.cc", "\"agent/core/ports.h\""), 1);
  EXPECT_EQ(Includes("tests/integration/x_test.cc", "\"agent/core/ports.h\""), 0);
  EXPECT_EQ(Includes("tests/integration/x_test.cc", "\"coordinator/model/plan.h\""), 0);
}

TEST(IncludeRuleTest, KeepsTheGuardSmall) {
  for (const std::string name : {"\"common/runtime/logging.h\"", "\"common/rpc/tls.h\"",
                                 "\"spdlog/spdlog.h\"", "\"grpcpp/grpcpp.h\"", "<sqlite3.h>"}) {
    EXPECT_EQ(Includes("agent/guard/x.cc", name), 1) << name;
  }
  EXPECT_EQ(Includes("agent/guard/x.cc", "\"common/os/lock.h\""), 0);
  EXPECT_EQ(Includes("agent/guard/x.cc", "<sys/file.h>"), 0);
}

TEST(IncludeRuleTest, LeavesThePictureOfRoomsWithoutGaps) {
  EXPECT_EQ(Includes("agent/main.cc", "\"agent/guard/gate.h\""), 0);
  EXPECT_EQ(Includes("elsewhere/x.cc", "<vector>"), 1);
  EXPECT_EQ(Findings(CheckIncludes, "agent/core/x.cc", "  #  include  <sqlite3.h>\n"), 1);
}

int Banned(const std::string& path, const std::string& code) {
  return Findings(CheckBannedCalls, path, code);
}

TEST(BannedCallsTest, CatchesEachCall) {
  for (const std::string code : {
           "absl::Mutex m;",
           "absl::MutexLock l(&m);",
           "absl::Notification n;",
           "std::mutex m;",
           "std::lock_guard<std::mutex> l(m);",
           "system(\"ls\");",
           "x = ::system (c);",
           "std::system(c);",
           "FILE* f = popen(c, \"r\");",
           "sleep(1);",
           "::usleep(5);",
           "nanosleep(&t, nullptr);",
           "std::this_thread::sleep_for(d);",
           "absl::SleepFor(d);",
           "auto t = std::chrono::steady_clock::now();",
           "absl::Time t = absl::Now();",
           "clock_gettime(CLOCK_REALTIME, &t);",
           "time(nullptr);",
           "int r = rand();",
           "std::random_device d;",
           "int r = random();",
           "absl::BitGen g;",
       }) {
    EXPECT_EQ(Banned("agent/core/x.cc", code), 1) << code;
  }
}

TEST(BannedCallsTest, LetsRuntimeTouchTheWorld) {
  EXPECT_EQ(Banned("common/runtime/x.cc", "absl::Now(); std::random_device d; sleep(1);"), 0);
  EXPECT_EQ(Banned("common/os/x.cc", "clock_gettime(c, &t);"), 0);
  EXPECT_EQ(Banned("common/base/mutex.h", "std::mutex m_;"), 0);
  EXPECT_EQ(Banned("common/runtime/x.cc", "system(c);"), 1);
}

TEST(BannedCallsTest, IsNotDeceived) {
  for (const std::string code : {
           "// absl::Mutex is banned",
           "/* system(x) */",
           "const char* k = \"sleep(1)\";",
           "auto k = R\"(rand())\";",
           "file_system(x);",
           "config.system(x);",
           "p->sleep(1);",
           "clock.Now();",
           "Os::system(x);",
           "operating_time(x);",
           "std::mt19937 random(seed);",
           "absl::SetMutexDeadlockDetectionMode(m);",
           "char c = '\"'; // sleep(1)",
           "int n = 1'000'000; // rand()",
       }) {
    EXPECT_EQ(Banned("agent/core/x.cc", code), 0) << code;
  }
  EXPECT_EQ(Banned("agent/core/x.cc", "char c = '\\''; sleep(1);"), 1);
  EXPECT_EQ(Banned("agent/core/x.cc", "a(\"/*\"); rand(); b(\"*/\");"), 1);
}

std::string Function(const std::string& head, int lines) {
  std::string text = head + " {\n";
  for (int i = 0; i < lines - 2; ++i) text += "  if (x) { y(); }\n";
  return text + "}\n";
}

TEST(FunctionLengthTest, CatchesLongFunctions) {
  for (const std::string head :
       {"void F()", "static int G(int a = 3)", "A::A(int x) : a_{x}, b_(x)", "TEST(A, B)",
        "bool A::operator==(const A& o) const", "auto H() -> int",
        "template <class T>\nvoid I(T t)"}) {
    const std::string wrapped = "namespace n {\nclass C {\n" + Function(head, 71) + "};\n}\n";
    EXPECT_EQ(Findings(CheckFunctionLength, "agent/x.cc", Function(head, 71)), 1) << head;
    EXPECT_EQ(Findings(CheckFunctionLength, "agent/x.cc", wrapped), 1) << head;
  }
}

TEST(FunctionLengthTest, CountsHeadAndBraceAndStopsAtTheLimit) {
  EXPECT_EQ(Findings(CheckFunctionLength, "agent/x.cc", Function("void F()", 70)), 0);
  EXPECT_EQ(
      Findings(CheckFunctionLength, "agent/x.cc", Function("void F(int a,\n       int b)", 70)), 1);
}

TEST(FunctionLengthTest, LetsTablesAndClassesBeLong) {
  for (const std::string head :
       {"constexpr std::array kTable =", "class C", "struct S : public T", "namespace a::b",
        "enum class E", "const std::map<int, int> kMap"}) {
    std::string text = head + " {\n";
    for (int i = 0; i < 100; ++i) text += "  {1, f(2)},\n";
    EXPECT_EQ(Findings(CheckFunctionLength, "agent/x.cc", text + "};\n"), 0) << head;
  }
}

TEST(LeftoversTest, WantsAnOwner) {
  const std::string word = std::string("TO") + "DO";
  EXPECT_EQ(Findings(CheckLeftovers, "a.cc", "// " + word + ": later\n"), 1);
  EXPECT_EQ(Findings(CheckLeftovers, "a.cc", "# " + std::string("FIX") + "ME\n"), 1);
  EXPECT_EQ(Findings(CheckLeftovers, "a.cc", "// " + word + "(ada): later\n"), 0);
}

TEST(TopLevelTest, NamesWhatDoesNotBelong) {
  EXPECT_EQ(CheckTopLevel({"README.md", "agent", "build"}).size(), 0u);
  EXPECT_EQ(CheckTopLevel({"README.md", "scripts"}).size(), 1u);
}

}  // namespace
}  // namespace baton::style
