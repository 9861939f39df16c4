#include "supervise/memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace nono::supervise {

std::size_t ThreadMemory::read(std::uint64_t address, std::span<std::byte> into) const {
  const iovec local{into.data(), into.size()};
  const iovec remote{reinterpret_cast<void*>(address), into.size()};  // NOLINT: an address over there
  const ssize_t size = ::process_vm_readv(thread_, &local, 1, &remote, 1, 0);
  return size < 0 ? 0 : static_cast<std::size_t>(size);
}

int write_number(int thread, std::uint64_t address, std::uint32_t number) {
  const iovec local{&number, sizeof number};
  const iovec remote{reinterpret_cast<void*>(address), sizeof number};  // NOLINT: an address over there
  return ::process_vm_writev(thread, &local, 1, &remote, 1, 0) == sizeof number ? 0 : EFAULT;
}

// In pieces that do not go beyond a page: a text may end just before memory that cannot be read.
int read_text(const Memory& memory, std::uint64_t address, std::size_t size, int too_long, std::string& into) {
  constexpr std::size_t kPage = 4096;  // divides every page size
  constexpr std::size_t kFirst = 256;  // most texts are shorter, and what follows one is not worth copying
  std::array<std::byte, kPage> piece;
  into.clear();
  while (into.size() < size) {
    const std::size_t to_border = kPage - (address + into.size()) % kPage;
    const std::size_t most = into.empty() ? kFirst : kPage;
    const std::span wanted = std::span(piece).first(std::min({to_border, most, size - into.size()}));
    if (memory.read(address + into.size(), wanted) != wanted.size()) return EFAULT;
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), wanted.size());
    const std::size_t end = text.find('\0');
    into.append(text.substr(0, end));
    if (end != text.npos) return 0;
  }
  return too_long;
}

int read_all(const Memory& memory, std::uint64_t address, std::span<std::byte> into) {
  return memory.read(address, into) == into.size() ? 0 : EFAULT;
}

}  // namespace nono::supervise
