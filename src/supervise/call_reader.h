// CallReader: reads a waiting call's arguments and what they point to. The first failure counts; what
// was read before it is not used. Any thread; numbers, addresses and the memory behind them are the child's.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "supervise/memory.h"
#include "supervise/target.h"

namespace nono::supervise {

using Arguments = std::array<std::uint64_t, 6>;

class CallReader {
 public:
  CallReader(const Arguments& arguments, const Memory& memory) : arguments_(arguments), memory_(memory) {}

  [[nodiscard]] int error() const { return error_; }
  void fail(int error) {
    if (error_ == 0) error_ = error;
  }
  void note(int error) {
    if (error != 0) fail(error);
  }

  [[nodiscard]] const Memory& memory() const { return memory_; }
  [[nodiscard]] std::uint64_t word(std::size_t argument) const { return arguments_[argument]; }
  [[nodiscard]] int integer(std::size_t argument) const { return static_cast<int>(arguments_[argument]); }
  [[nodiscard]] unsigned flags(std::size_t argument) const { return static_cast<unsigned>(arguments_[argument]); }

  // A path that is not empty; no longer than the kernel takes.
  [[nodiscard]] std::string path(std::size_t argument);
  // The same below `directory`. `flags`: AT_SYMLINK_NOFOLLOW, and AT_EMPTY_PATH for the descriptor itself.
  [[nodiscard]] Target path_at(int directory, std::size_t argument, unsigned flags = 0);
  [[nodiscard]] Target descriptor(std::size_t argument);

 private:
  std::string text(std::size_t argument);

  const Arguments& arguments_;
  const Memory& memory_;
  int error_ = 0;
};

// Runs the step of a decoder that belongs to a call's name. What it has made, or the errno that answers the call: ENOSYS
// for a name that is none of its own.
template <class Decoder>
using Steps = std::map<std::string_view, void (Decoder::*)()>;
template <class Decoder, class Value>
std::variant<Value, int> run_step(const Steps<Decoder>& steps, std::string_view name, Decoder& decoder,
                                  const CallReader& in, Value& made) {
  const auto step = steps.find(name);
  if (step == steps.end()) return ENOSYS;
  (decoder.*step->second)();
  if (in.error() != 0) return in.error();
  return std::move(made);
}

}  // namespace nono::supervise
