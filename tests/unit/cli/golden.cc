#include "tests/unit/cli/golden.h"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace baton {

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(BATON_SOURCE_DIR "/tests/unit/cli/testdata/") + name;
  if (std::getenv("BATON_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file.good()) << path << " is missing; write it with BATON_UPDATE_GOLDEN=1";
  std::ostringstream wanted;
  wanted << file.rdbuf();
  EXPECT_EQ(text, wanted.str()) << "compare with " << path;
}

void GoldenTest::SetUpTestSuite() {
  setenv("TZ", "UTC", 1);
  tzset();
}

}  // namespace baton
