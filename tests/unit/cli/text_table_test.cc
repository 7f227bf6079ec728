#include "coordinator/cli/text_table.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(TextTableTest, LinesColumnsUpWithoutTrailingSpaces) {
  TextTable table({"A", "BB"});
  table.Add({"long", "x"});
  table.Add({"", ""});
  EXPECT_EQ(table.ToString("  "), "  A     BB\n  long  x\n  -     -\n");
}

TEST(TextTableTest, CountsCharactersNotBytes) {
  TextTable table({"A", "B"});
  table.Add({"Zürich", "x"});
  table.Add({"Berlin", "y"});
  EXPECT_EQ(table.ToString(), "A       B\nZürich  x\nBerlin  y\n");
  EXPECT_EQ(Width("Zürich"), 6u);
}

TEST(TextTableTest, KeepsCellsOnTheirLine) {
  TextTable table({"A"});
  table.Add({"one\ntwo\tthree"});
  EXPECT_EQ(table.ToString(), "A\none two?three\n");
}

TEST(TextTableTest, CutsAtCharacters) {
  EXPECT_EQ(CutTo("Zürich", 10), "Zürich");
  EXPECT_EQ(CutTo("Zürich", 3), "Zü~");
  EXPECT_EQ(CutTo("Zürich", 1), "~");
}

}  // namespace
}  // namespace baton
