// What streams have in common: how much output is held, and how it is handed to Python.
#pragma once

#include <string>
#include <vector>

#include "bindings.h"
#include "exec_result.h"
#include "request.h"

namespace nono::python {

inline constexpr std::size_t kHeld = 1024 * 1024;  // bytes of each stream, when the caller does not say

// Makes the request's captured streams ones that are taken while the command runs.
void make_stream(Request& request);

// (name of the stream, bytes) for each that is not empty, stdout first.
using Chunks = std::vector<nb::tuple>;
[[nodiscard]] Chunks chunks_of(const std::string& output, const std::string& error);
// nono's own words at the end of a stream.
[[nodiscard]] Chunks chunks_of(const ExecResult& result);

}  // namespace nono::python
