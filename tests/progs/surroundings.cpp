// What the process was given: arguments, environment, descriptors. The surroundings_*.run give strange ones.
// RUN: %prog args a b ''
// STDOUT: 5 arguments, the last is ''
#include <boot/boot.h>

#include <string_view>

void main_main() {
  auto args = boot::os::Args();
  std::string_view what = args.size() > 1 ? args[1] : "";
  if (what == "fds") {  // 0 to 2 are open, so a new descriptor is above them; the answer is the exit status
    int fd = boot::os::Open("/dev/zero");
    char c = 'x';
    // Taken, but of no use: as if they were still closed.
    bool useless = boot::os::Read(0, &c, 1) < 0 && boot::os::Write(1, &c, 1) < 0;
    boot::os::Exit(useless ? fd : 99);
  }
  if (what == "env") {
    std::string_view v = boot::os::Getenv("BOOT_TEST");
    boot::println("{}", v.data() != nullptr && !v.empty() ? v : "not set");
    return;
  }
  boot::println("{} arguments, the last is '{}'", args.size(), args[args.size() - 1]);
}
