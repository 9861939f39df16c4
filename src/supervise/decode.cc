#include "supervise/decode.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "plan/seccomp_rules.h"

namespace nono::supervise {
namespace {

template <class Decoded>
std::variant<Call, int> widen(std::variant<Decoded, int> decoded) {
  if (const int* error = std::get_if<int>(&decoded)) return *error;
  return Call(std::get<Decoded>(std::move(decoded)));
}

}  // namespace

std::variant<Call, int> decode(kernel::Arch arch, int number, const Arguments& arguments, const Memory& memory) {
  const auto& table = plan::syscall_table();
  const auto known = std::ranges::find(
      table, number, [arch](const plan::Syscall& call) { return arch == kernel::Arch::kX86_64 ? call.x86_64 : call.aarch64; });
  if (number < 0 || known == table.end()) return ENOSYS;
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
