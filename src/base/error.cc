#include "base/error.h"

namespace nono {

const char* diagnostic_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kSandboxInit: return "sandbox_denied_path";
    case ErrorKind::kConfigParse: return "configuration_error";
    case ErrorKind::kUnsupported: return "unsupported_platform_feature";
    case ErrorKind::kIo: return "io_error";
    case ErrorKind::kPathNotFound:
    case ErrorKind::kExpectedDirectory:
    case ErrorKind::kExpectedFile:
    case ErrorKind::kExpectedUnixSocket:
    case ErrorKind::kPathResolution:
    case ErrorKind::kInvalidJson:
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kProgramNotFound: return "other";
  }
  return "other";
}

}  // namespace nono
