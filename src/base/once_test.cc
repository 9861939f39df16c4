#include "base/once.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace nono {
namespace {

TEST(Once, EveryThreadSeesTheSameValue) {
  static constinit Once<std::vector<int>> once;
  std::vector<const std::vector<int>*> seen(8);
  {
    std::vector<std::thread> threads;
    for (auto& place : seen) {
      threads.emplace_back([&place] { place = &once.get([] { return std::vector<int>{1, 2, 3}; }); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 1U);
  EXPECT_EQ(*seen.front(), (std::vector<int>{1, 2, 3}));
}

TEST(Once, IsMadeAnewAfterItWasTaken) {
  Once<int> once;
  EXPECT_EQ(once.get([] { return 1; }), 1);
  EXPECT_EQ(once.get([] { return 2; }), 1);
  EXPECT_EQ(*once.take(), 1);
  EXPECT_EQ(once.get([] { return 3; }), 3);
  once.take();
}

}  // namespace
}  // namespace nono
