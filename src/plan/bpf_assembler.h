// A small assembler for classic BPF with forward labels. Pure.
//
// seccomp gives a program {nr, arch, instruction pointer, args[6]}; `load` addresses it by offset.
// Jumps reach 255 instructions forward; `finish` fails when one does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "plan/seccomp_rules.h"

namespace nono::plan {

class BpfAssembler {
 public:
  using Label = std::size_t;
  static constexpr Label kNext = static_cast<Label>(-1);

  [[nodiscard]] Label label() {
    targets_.push_back(0);
    return targets_.size() - 1;
  }
  void bind(Label label) { targets_[label] = code_.size(); }

  void load(std::uint32_t offset) { emit(0x20, offset); }      // BPF_LD|BPF_W|BPF_ABS
  void bit_and(std::uint32_t mask) { emit(0x54, mask); }       // BPF_ALU|BPF_AND|BPF_K
  void ret(std::uint32_t value) { emit(0x06, value); }         // BPF_RET|BPF_K
  void if_equal(std::uint32_t k, Label yes, Label no) { jump(0x15, k, yes, no); }
  void if_greater(std::uint32_t k, Label yes, Label no) { jump(0x25, k, yes, no); }
  void if_greater_or_equal(std::uint32_t k, Label yes, Label no) { jump(0x35, k, yes, no); }
  void if_any_bit(std::uint32_t k, Label yes, Label no) { jump(0x45, k, yes, no); }

  // The low 32 bits of argument `n`: what the kernel reads where the parameter is an int.
  void load_argument(unsigned n) { load(16 + 8 * n); }
  void load_upper_half(unsigned n) { load(16 + 8 * n + 4); }

  [[nodiscard]] std::optional<std::vector<SockFilter>> finish() const;

 private:
  struct Instruction {
    std::uint16_t code = 0;
    std::uint32_t k = 0;
    Label yes = kNext;
    Label no = kNext;
    bool is_jump = false;
  };
  void emit(std::uint16_t code, std::uint32_t k) { code_.push_back({code, k, kNext, kNext, false}); }
  void jump(std::uint16_t code, std::uint32_t k, Label yes, Label no) {
    code_.push_back({code, k, yes, no, true});
  }

  std::vector<Instruction> code_;
  std::vector<std::size_t> targets_;
};

}  // namespace nono::plan
