#include "plan/bpf_evaluator.h"

namespace nono::plan {
namespace {

std::uint32_t word_at(const SeccompCall& call, std::uint32_t offset) {
  if (offset == 0) return call.number;
  if (offset == 4) return call.arch;
  if (offset < 16 || offset >= 64 || offset % 4 != 0) return 0;  // the instruction pointer: unused
  const std::uint64_t argument = call.arguments[(offset - 16) / 8];
  return static_cast<std::uint32_t>(offset % 8 == 0 ? argument : argument >> 32);
}

}  // namespace

std::uint32_t evaluate_bpf(const std::vector<SockFilter>& program, const SeccompCall& call) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const SockFilter& in = program[at];
    bool taken = false;
    switch (in.code) {
      case 0x20: accumulator = word_at(call, in.k); continue;
      case 0x54: accumulator &= in.k; continue;
      case 0x06: return in.k;
      case 0x15: taken = accumulator == in.k; break;
      case 0x25: taken = accumulator > in.k; break;
      case 0x35: taken = accumulator >= in.k; break;
      case 0x45: taken = (accumulator & in.k) != 0; break;
      default: return 0;
    }
    at += taken ? in.jt : in.jf;
  }
  return 0;
}

}  // namespace nono::plan
