// CRC-32C (Castagnoli): finds what storage and cut-off writes do to bytes; no defence against
// forgers.
#pragma once

#include <cstdint>
#include <string_view>

namespace baton {

// The checksum of `data`, or of everything behind `crc` followed by `data`: feed a stream piece by
// piece with the last result, starting at 0.
uint32_t Crc32c(std::string_view data, uint32_t crc = 0);

}  // namespace baton
