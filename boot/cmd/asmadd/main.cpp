// A program that calls its own assembly (add.S).
#include <boot/boot.h>

extern "C" long add(long a, long b);

void main_main() { boot::println("add(2, 3) = {}", add(2, 3)); }
