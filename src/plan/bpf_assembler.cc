#include "plan/bpf_assembler.h"

namespace nono::plan {

std::optional<std::vector<SockFilter>> BpfAssembler::finish() const {
  std::vector<SockFilter> program;
  program.reserve(code_.size());
  for (std::size_t at = 0; at < code_.size(); ++at) {
    const Instruction& in = code_[at];
    SockFilter out{in.code, 0, 0, in.k};
    if (in.is_jump) {
      const auto distance = [&](Label label) -> std::size_t {
        return label == kNext ? 0 : targets_[label] - at - 1;
      };
      // A label bound behind the jump wraps round to a huge number: refused like one too far.
      if (distance(in.yes) > 255 || distance(in.no) > 255) return std::nullopt;
      out.jt = static_cast<std::uint8_t>(distance(in.yes));
      out.jf = static_cast<std::uint8_t>(distance(in.no));
    }
    program.push_back(out);
  }
  return program;
}

}  // namespace nono::plan
