// Memory that begins at kBase and ends where a text ends: for the tests of decoding.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "supervise/memory.h"

namespace nono::supervise {

inline constexpr std::uint64_t kBase = 0x10000;

class Text : public Memory {
 public:
  explicit Text(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::size_t read(std::uint64_t address, std::span<std::byte> into) const override {
    if (address < kBase || address - kBase >= bytes_.size()) return 0;
    const std::size_t size = std::min(into.size(), bytes_.size() - (address - kBase));
    std::memcpy(into.data(), bytes_.data() + (address - kBase), size);
    return size;
  }

 private:
  std::string bytes_;
};

inline std::string page(std::string start) {
  start.resize(4096, '\0');
  return start;
}

template <class Decoded>
int error_of(const std::variant<Decoded, int>& decoded) {
  const int* error = std::get_if<int>(&decoded);
  return error == nullptr ? 0 : *error;
}

}  // namespace nono::supervise
