// A go statement with a nil function is fatal where it stands.
// EXIT: 2
// STDERR-MATCH: \Afatal error: go of nil func value\n\ngoroutine 1 \[running\]:$
#include <boot/boot.h>

void main_main() {
  void (*f)() = nullptr;
  boot::go(f);
  boot::println("not reached");
}
