#include "launch/sink.h"

#include <gtest/gtest.h>

namespace nono::launch {
namespace {

TEST(Sink, AStreamIsFullAtItsBoundAndEmptyOnceTaken) {
  Sink sink(Stream{8});
  EXPECT_EQ(sink.room(), 8U);
  EXPECT_FALSE(sink.holds_stream());
  sink.append("01234");
  EXPECT_EQ(sink.room(), 3U);
  sink.append("567");
  EXPECT_EQ(sink.room(), 0U);
  EXPECT_EQ(sink.take_stream(), "01234567");
  EXPECT_EQ(sink.room(), 8U);
  EXPECT_EQ(sink.take_stream(), "");
}

TEST(Sink, AStreamLosesNothingBeyondItsBound) {
  Sink sink(Stream{4});
  sink.append("0123456789");
  EXPECT_EQ(sink.room(), 0U);
  EXPECT_EQ(sink.take_stream(), "0123456789");
  EXPECT_EQ(sink.take_capture().bytes, "");
}

TEST(Sink, AStreamWithoutABoundStillMoves) { EXPECT_EQ(Sink(Stream{0}).room(), 1U); }

TEST(Sink, ACaptureIsNeverFull) {
  Sink sink(Capture{4});
  sink.append("0123456789");
  EXPECT_GT(sink.room(), 1U << 30);
  EXPECT_FALSE(sink.holds_stream());
  EXPECT_EQ(sink.take_stream(), "");
  const auto kept = sink.take_capture();
  EXPECT_EQ(kept.bytes, "0189");
  EXPECT_EQ(kept.dropped_bytes, 6U);
}

}  // namespace
}  // namespace nono::launch
