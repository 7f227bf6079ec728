// Randomness that nobody can guess or repeat: for ids and for spreading clients.
#pragma once

#include <cstdint>
#include <string>

namespace baton {

// Both draw from the kernel's generator; thread-safe.
uint64_t RandomSeed();
// 32 hexadecimal digits: 128 random bits.
std::string RandomId();

}  // namespace baton
