#include "launch/output_tail.h"

#include <gtest/gtest.h>

#include <random>

namespace nono::launch {
namespace {

TEST(OutputTail, KeepsTheLastBytesByPosition) {
  OutputTail tail(4);
  tail.append("abc");
  EXPECT_EQ(tail.begin(), 0U);
  EXPECT_EQ(tail.from(1), "bc");
  tail.append("def");
  EXPECT_EQ(tail.begin(), 2U);
  EXPECT_EQ(tail.end(), 6U);
  EXPECT_EQ(tail.from(0), "cdef");
  EXPECT_EQ(tail.from(5), "f");
  EXPECT_EQ(tail.from(6), "");
  EXPECT_EQ(tail.from(600), "");
}

TEST(OutputTail, ABoundOfZeroKeepsNothingAndCounts) {
  OutputTail tail(0);
  tail.append("abc");
  EXPECT_EQ(tail.begin(), 3U);
  EXPECT_EQ(tail.end(), 3U);
  EXPECT_EQ(tail.from(0), "");
}

// Against the plain definition, however it is fed.
TEST(OutputTail, AgreesWithItsDefinition) {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t bound = random() % 40;
    OutputTail tail(bound);
    std::string all;
    for (auto piece = random() % 12; piece > 0; --piece) {
      std::string bytes(random() % 60, ' ');
      for (char& c : bytes) c = static_cast<char>('a' + random() % 26);
      tail.append(bytes);
      all += bytes;
      const std::size_t first = all.size() - std::min(bound, all.size());
      ASSERT_EQ(tail.begin(), first);
      ASSERT_EQ(tail.end(), all.size());
      const std::size_t position = random() % (all.size() + 3);
      ASSERT_EQ(tail.from(position), position > all.size() ? "" : all.substr(std::max(position, first)));
    }
  }
}

}  // namespace
}  // namespace nono::launch
