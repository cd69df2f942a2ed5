#include <boot/boot.h>

#include <iostream>
#include <sstream>
#include <stdexcept>

int deep(int n) {
  volatile char frame[500] = {};
  return n == 0 ? frame[0] : deep(n - 1) + 1;
}

void main_main() {
  auto c = boot::make_chan<std::string>();
  boot::go([=] {
    try {
      throw std::runtime_error("thrown");
    } catch (const std::exception& e) {
      std::ostringstream s;
      s << e.what() << ", " << deep(10000) << " deep";
      c.send(s.str());
    }
  });
  std::cout << c.recv() << std::endl;
}
