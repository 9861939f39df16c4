#include "supervise/decode.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "base/once.h"
#include "plan/seccomp_rules.h"

namespace nono::supervise {
namespace {

template <class Decoded>
std::variant<Call, int> widen(std::variant<Decoded, int> decoded) {
  if (const int* error = std::get_if<int>(&decoded)) return *error;
  return std::variant<Call, int>(std::in_place_type<Call>, std::get<Decoded>(std::move(decoded)));
}

using ByNumber = std::vector<const plan::Syscall*>;
ByNumber by_number(int plan::Syscall::*number_here) {
  ByNumber calls;
  for (const plan::Syscall& call : plan::syscall_table()) {
    if (call.*number_here < 0) continue;
    const auto number = static_cast<std::size_t>(call.*number_here);
    if (number >= calls.size()) calls.resize(number + 1);
    calls[number] = &call;
  }
  return calls;
}

const plan::Syscall* find(kernel::Arch arch, int number) {
  static constinit Once<ByNumber> x86_64;
  static constinit Once<ByNumber> aarch64;
  const ByNumber& calls = arch == kernel::Arch::kX86_64
                              ? x86_64.get([] { return by_number(&plan::Syscall::x86_64); })
                              : aarch64.get([] { return by_number(&plan::Syscall::aarch64); });
  return number >= 0 && static_cast<std::size_t>(number) < calls.size() ? calls[static_cast<std::size_t>(number)] : nullptr;
}

}  // namespace

std::variant<Call, int> decode(kernel::Arch arch, int number, const Arguments& arguments, const Memory& memory) {
  const plan::Syscall* known = find(arch, number);
  if (known == nullptr) return ENOSYS;
  switch (known->verdict) {
    case plan::Verdict::kMetadata:
    case plan::Verdict::kIoctl: return widen(decode_metadata_call(known->name, arguments, memory));
    case plan::Verdict::kConnect:
    case plan::Verdict::kListen:
    case plan::Verdict::kSendto:
    case plan::Verdict::kSendmsg:
    case plan::Verdict::kSendmmsg: return widen(decode_socket_call(known->name, arguments, memory));
    default: return widen(decode_name_call(known->name, arguments, memory));
  }
}

}  // namespace nono::supervise
