#include "gtest/gtest.h"

#include "tests/integration/database/pg_world.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  baton::test::LeaveRoot();
  return RUN_ALL_TESTS();
}
