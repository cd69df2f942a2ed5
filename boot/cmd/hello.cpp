// The smallest program: what it takes to print one line is what the runtime takes.
#include <boot/boot.h>

void main_main() { boot::print("hello, world\n"); }
