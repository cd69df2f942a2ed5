// Sources in two languages, the C++ library and an exception across the user's own frames.
#include <boot/boot.h>

#include <stdexcept>
#include <string>
#include <vector>

extern "C" long triple(long);

static long checked(long v) {
  if (v < 0) throw std::out_of_range("negative: " + std::to_string(v));
  return triple(v);
}

void main_main() {
  std::vector<long> in = {1, 2, -3};
  for (long v : in) {
    try {
      boot::println("{}", checked(v));
    } catch (const std::exception& e) {
      boot::println("{}", e.what());
    }
  }
}
