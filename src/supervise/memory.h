// The memory of a thread whose call waits for an answer. The thread's siblings may change it at any
// moment: each piece is read once, and only what was read counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nono::supervise {

class Memory {
 public:
  virtual ~Memory() = default;
  // How many bytes could be read: fewer where unreadable memory begins.
  [[nodiscard]] virtual std::size_t read(std::uint64_t address, std::span<std::byte> into) const = 0;
};

class ThreadMemory : public Memory {
 public:
  explicit ThreadMemory(int thread) : thread_(thread) {}
  [[nodiscard]] std::size_t read(std::uint64_t address, std::span<std::byte> into) const override;

 private:
  int thread_;
};

// Into the thread's memory; 0 or EFAULT.
[[nodiscard]] int write_number(int thread, std::uint64_t address, std::uint32_t number);

// 0, EFAULT, or `too_long` when there is no null byte within `size` bytes (that one included).
[[nodiscard]] int read_text(const Memory& memory, std::uint64_t address, std::size_t size, int too_long,
                            std::string& into);

// 0 or EFAULT.
[[nodiscard]] int read_all(const Memory& memory, std::uint64_t address, std::span<std::byte> into);

template <class T>
[[nodiscard]] int read_object(const Memory& memory, std::uint64_t address, T& into) {
  return read_all(memory, address, std::as_writable_bytes(std::span(&into, 1)));
}

}  // namespace nono::supervise
