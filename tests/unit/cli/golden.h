// Texts as people see them, kept under testdata. BATON_UPDATE_GOLDEN=1 writes them anew.
#pragma once

#include <string>

#include "gtest/gtest.h"

namespace baton {

void ExpectGolden(const std::string& name, const std::string& text);

// Clock times in the texts are local ones: UTC here.
class GoldenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
};

}  // namespace baton
