// Numbers in arguments and environment variables, read as Go's runtime reads them.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/stubs.h"

namespace runtime {

// False for anything but an optional sign and digits that fit; *out is set only if true.
bool atoi(std::string_view s, std::int64_t* out);
bool atoi32(std::string_view s, std::int32_t* out);
// The same for C strings; false for null too.
bool atoi(const char* s, std::int64_t* out) GOSYM("runtime.atoi");
bool atoi32(const char* s, std::int32_t* out) GOSYM("runtime.atoi32");

}  // namespace runtime
