// decode on arbitrary calls: number, arguments and memory are the child's.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "plan/seccomp_rules.h"
#include "supervise/metadata_call.h"

namespace {

using namespace nono;

constexpr std::uint64_t kBase = 0x1000;

class Input : public supervise::Memory {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::size_t read(std::uint64_t address, std::span<std::byte> into) const override {
    if (address < kBase || address - kBase >= bytes_.size()) return 0;
    const std::size_t size = std::min<std::size_t>(into.size(), bytes_.size() - (address - kBase));
    std::memcpy(into.data(), bytes_.data() + (address - kBase), size);
    return size;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Check {
  void operator()(int error) const {
    if (error <= 0) std::abort();
  }
  void operator()(const supervise::MetadataCall& call) const {
    const auto& path = call.target.path;
    if (path && (path->empty() || path->size() >= 4096 || path->find('\0') != std::string::npos)) std::abort();
    if (const auto* set = std::get_if<supervise::SetAttribute>(&call.change)) {
      if (set->name.empty() || set->name.size() > 255 || set->value.size() > 65536) std::abort();
    }
    if (const auto* mode = std::get_if<supervise::Mode>(&call.change); mode != nullptr && mode->mode > 07777) {
      std::abort();
    }
  }
};

}  // namespace

// Two bytes choose the call, six words of nine bytes are its arguments: values, or places in the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  constexpr std::size_t kHead = 2 + 6 * 9;
  if (size < kHead) return 0;
  const auto& table = plan::syscall_table();
  const auto& call = table[static_cast<std::size_t>(bytes[0] + 256 * bytes[1]) % table.size()];
  std::array<std::uint64_t, 6> arguments{};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::memcpy(&arguments[i], data + 2 + i * 9 + 1, sizeof arguments[i]);
    if (bytes[2 + i * 9] % 2 == 1) arguments[i] = kBase + arguments[i] % (size + 16);
  }
  std::visit(Check{}, supervise::decode(kernel::Arch::kX86_64, call.x86_64, arguments, Input(bytes.subspan(kHead))));
  return 0;
}
