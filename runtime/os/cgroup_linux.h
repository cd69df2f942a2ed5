// How much CPU time the control group grants this process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

// Reads a file into buf (zero-terminated) and returns its length or -errno: os_linux.cpp's readFile, or a test's own
// tree.
using fileReader = long (*)(const char* path, char* buf, std::size_t n);

// CPUs' worth of time per period, rounded up, at least 1: the tightest limit from this process's group to the root.
// 0: no limit.
std::int32_t cgroupCPULimit(fileReader rd);

}  // namespace runtime
