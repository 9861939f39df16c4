// decode on arbitrary calls: number, arguments and memory are the child's.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "plan/seccomp_rules.h"
#include "supervise/decode.h"

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

void require(bool holds) {
  if (!holds) std::abort();
}

struct Check {
  void operator()(int error) const { require(error > 0); }
  void operator()(const supervise::Call& call) const { std::visit(*this, call); }
  void operator()(const supervise::NameCall& call) const { std::visit(*this, call); }

  void operator()(const supervise::MetadataCall& call) const {
    check(call.target, true);
    if (const auto* set = std::get_if<supervise::SetAttribute>(&call.change)) {
      require(!set->name.empty() && set->name.size() <= 255 && set->value.size() <= 65536);
    }
    if (const auto* mode = std::get_if<supervise::Mode>(&call.change)) require(mode->mode <= 07777);
  }
  void operator()(const supervise::Open& call) const {
    check(call.target, false);
    require(call.flags >= 0 && call.mode <= 07777);
  }
  void operator()(const supervise::MakeSymlink& call) const {
    check(call.target, false);
    check(call.content);
  }
  void operator()(const supervise::Link& call) const {
    check(call.from, true);
    check(call.to, false);
  }
  void operator()(const supervise::Rename& call) const {
    check(call.from, false);
    check(call.to, false);
  }
  void operator()(const supervise::SocketCall& call) const { std::visit(*this, call); }
  void operator()(const supervise::Connect& call) const { check(call.address); }
  void operator()(const supervise::Bind& call) const { check(call.address); }
  void operator()(const supervise::Listen&) const {}
  void operator()(const supervise::Send& call) const {
    if (call.address) check(*call.address);
    require(call.data.size() <= 256 * 1024 && call.descriptors.size() <= 253);
  }
  template <class Call>
  void operator()(const Call& call) const {
    check(call.target, false);
  }

 private:
  static void check(const std::string& path) {
    require(!path.empty() && path.size() < 4096 && path.find('\0') == std::string::npos);
  }
  static void check(const supervise::SocketAddress& address) {
    require(address.bytes.size() <= 128);
    if (const auto path = address.path()) require(!path->empty() && path->size() <= 108 && path->find('\0') == std::string::npos);
  }
  static void check(const supervise::Target& target, bool may_be_a_descriptor) {
    require(may_be_a_descriptor || target.path);
    if (target.path) check(*target.path);
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
