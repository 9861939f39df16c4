#include "launch/output_buffer.h"

#include <gtest/gtest.h>

#include <random>

namespace nono::launch {
namespace {

TEST(OutputBuffer, KeepsEverythingWithinTheBound) {
  OutputBuffer buffer(10);
  buffer.append("01234");
  buffer.append("56789");
  EXPECT_FALSE(buffer.truncated());
  const auto kept = buffer.take();
  EXPECT_EQ(kept.bytes, "0123456789");
  EXPECT_EQ(kept.dropped_bytes, 0U);
}

TEST(OutputBuffer, KeepsHeadAndTailBeyondIt) {
  OutputBuffer buffer(8);
  buffer.append("abcdefghijkl");
  buffer.append("mn");
  const auto kept = buffer.take();
  EXPECT_EQ(kept.bytes, "abcdklmn");
  EXPECT_EQ(kept.dropped_bytes, 6U);
}

TEST(OutputBuffer, NamesWhatWasDroppedInsideTheBound) {
  OutputBuffer buffer(200);
  buffer.append(std::string(150, 'h') + std::string(1000, 'x') + std::string(50, 't'));
  const auto kept = buffer.take();
  EXPECT_EQ(kept.bytes.size(), 200U);
  EXPECT_EQ(kept.bytes.substr(0, 100), std::string(100, 'h'));
  EXPECT_EQ(kept.bytes.substr(150), std::string(50, 't'));
  EXPECT_NE(kept.bytes.find(std::to_string(kept.dropped_bytes) + " bytes dropped]\n"), std::string::npos);
}

TEST(OutputBuffer, ABoundOfZeroKeepsNothing) {
  OutputBuffer buffer(0);
  buffer.append("abc");
  const auto kept = buffer.take();
  EXPECT_EQ(kept.bytes, "");
  EXPECT_EQ(kept.dropped_bytes, 3U);
}

// Against the plain definition: first bound - bound/2 bytes, then the last bound/2.
TEST(OutputBuffer, AgreesWithItsDefinitionHoweverItIsFed) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t bound = random() % 100;
    OutputBuffer buffer(bound);
    std::string all;
    for (auto piece = random() % 12; piece > 0; --piece) {
      std::string bytes(random() % 60, ' ');
      for (char& c : bytes) c = static_cast<char>('a' + random() % 26);
      buffer.append(bytes);
      all += bytes;
    }
    std::string expected = all;
    if (all.size() > bound) {
      expected = all.substr(0, bound - bound / 2) + all.substr(all.size() - bound / 2);
    }
    const auto kept = buffer.take();
    ASSERT_EQ(kept.bytes, expected);
    ASSERT_EQ(kept.dropped_bytes, all.size() - expected.size());
  }
}

}  // namespace
}  // namespace nono::launch
