// The name that a directory may take a name for, where a file system folds more than the case of ASCII letters: a
// denial is compared with that one as well, on every file system. Pure; the names are an attacker's, any bytes.
#pragma once

#include <string>
#include <string_view>

namespace nono::capability {

// Each component without what Unicode says to ignore (ext4, f2fs and HFS+ do), with the two letters beyond ASCII that
// fold into it (the Kelvin sign, the long s), and without dots and spaces at its end (FAT, NTFS and SMB).
[[nodiscard]] std::string plain_spelling(std::string_view place);

}  // namespace nono::capability
